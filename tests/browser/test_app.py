"""The app's own place in Slack: its Home tab, direct messages, and the way back to a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from sandbox.page.show import Show
from sandbox.page.templates import render
from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN, CHANNEL, Message, View

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOSTILE = "<img src=x>"
NOBODY: dict[str, Any] = {"has_home": False, "home": None, "direct": [], "now": NOW}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def home(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "home", "blocks": [{"type": "header", "text": plain(HOSTILE)}, *blocks]}


def direct(text: str) -> Message:
    return Message(channel="D0ALICE", ts="1772442000.000001", thread_ts=None, text=text, blocks=[])


def test_without_either_there_is_no_place_for_it() -> None:
    assert "p-app" not in render("places", **NOBODY)
    assert "p-app" in render("places", **NOBODY | {"has_home": True})
    assert 'data-news="1"' in render("places", **NOBODY | {"direct": [direct("x")]})


def test_home_and_messages_are_shown_escaped() -> None:
    view = View(id="V1", hash="1", user="a", root_view_id="V1", previous_view_id=None, view=home())
    told = render(
        "app", **NOBODY | {"has_home": True, "home": view, "direct": [direct(f"*b* {HOSTILE}")]}
    )
    assert "&lt;img src=x&gt;" in told
    assert "<b>b</b>" in told
    assert "<img" not in told
    assert "nothing here yet" in render("app", **NOBODY | {"has_home": True})


@pytest.mark.browser
@pytest.mark.slow
def test_a_person_reads_it_and_goes_back_to_the_case(show: Show, page: Page) -> None:
    assert show.opened
    slack = show.opened.stage.slack
    with_rights(slack)
    bot = WebClient(token=BOT_TOKEN, base_url=slack.url)
    case = slack.messages[0].ts
    link = bot.chat_getPermalink(channel=CHANNEL, message_ts=case)["permalink"]
    text = {"type": "mrkdwn", "text": f"<{link}|Open the message>"}
    bot.views_publish(user_id="alice", view=home({"type": "section", "text": text}))
    bot.chat_postMessage(channel="alice", text="Only you see this")
    bot.chat_postMessage(channel="bob", text="Only Bob sees that")
    tab = page.get_by_role("button", name="App", exact=True)
    expect(tab).to_have_class("fresh")
    tab.click()
    expect(tab).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#app")).to_contain_text("Only you see this")
    expect(page.locator("#app")).to_contain_text(HOSTILE)
    expect(page.locator("#app")).not_to_contain_text("Bob")
    expect(page.locator("#feed")).not_to_be_visible()
    page.get_by_text("Open the message").click()
    expect(page.locator(f'[id="m-{case}"]')).to_be_in_viewport()


def with_rights(slack: LocalSlack) -> None:
    granted = replace(slack.manifest, has_home_tab=True, events=frozenset[str]())
    slack.manifest = slack._web_api.manifest = granted

"""What reaches people, as they see it: the Home tab that the bot writes, and the messages that mention."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from chalicelib.domain.rules.notices import noticed
from chalicelib.domain.state.slack_message import Moment, SlackMessage
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.notice import message
from chalicelib.slack.messages.notice_over import over
from sandbox.page.show import Show
from sandbox.slack.records import BOT_TOKEN, CHANNEL
from tests.browser.screen import CLUSTER
from tests.domain.worlds import POLICY
from tests.slack.moments import key_used

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_home_tab_leads_to_what_waits(show: Show, page: Page) -> None:
    assert show.opened
    page.get_by_role("button", name="App", exact=True).click()
    app = page.locator("#app")
    expect(app).to_contain_text("Waits for you: 1")
    expect(app).to_contain_text("No scan has been made yet")
    app.get_by_text(f"{CLUSTER} can’t be deleted").click()
    case = show.opened.stage.slack.messages[0].ts
    expect(page.locator(f'[id="m-{case}"]')).to_be_in_viewport()


def test_a_message_that_mentions_leads_to_the_case_and_calms_down(show: Show, page: Page) -> None:
    assert show.opened
    slack = show.opened.stage.slack
    bot, shown = WebClient(token=BOT_TOKEN, base_url=slack.url), slack.messages[0]
    play = key_used()
    it = replace(play.case, uses_seen=2, message=SlackMessage(CHANNEL, shown.ts))
    it = noticed(it, play.now)
    notice = next(n for n in it.message.notices if n.moment is Moment.KEY_USED)
    names = Names(home="https://local.slack.com/", owners=("bob",))
    made = message(it, notice, policy=replace(POLICY, approvers=("alice",)), names=names)
    posted = bot.chat_postMessage(channel=CHANNEL, text=made.text, blocks=list(made.blocks))
    assert slack.messages[-1].mentions == ("alice", "bob")
    seen = page.locator(f'[id="m-{posted["ts"]}"]')
    expect(seen).to_contain_text("a key that is being deleted was just used")
    expect(seen).to_contain_text("@Alice")
    seen.get_by_text("Open the case").click()
    expect(page.locator(f'[id="m-{shown.ts}"]')).to_be_in_viewport()
    calm = over(it, replace(notice, over_at=play.now), names=names)
    bot.chat_update(channel=CHANNEL, ts=posted["ts"], text=calm.text, blocks=list(calm.blocks))
    expect(seen).to_contain_text("over.")
    expect(seen).not_to_contain_text("@Alice")

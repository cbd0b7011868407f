"""The Home tab, the event that it was opened, and what Slack itself asks of an app's URLs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN
from tests.sandbox.slack.stand_ins import EVERYTHING, PEOPLE, App, StandingClock, button

HOME: dict[str, Any] = {
    "type": "home",
    "callback_id": "home",
    "blocks": [{"type": "actions", "block_id": "open", "elements": [button("scan", "cluster-1")]}],
}


def test_opening_it_tells_the_app_and_shows_what_it_publishes(
    slack: LocalSlack, app: App, bot: WebClient
) -> None:
    def publish(payload: dict[str, Any]) -> str:
        bot.views_publish(user_id=payload["event"]["user"], view=HOME)
        return ""

    app.answer = publish
    first, second = slack.open_home("alice"), slack.open_home("alice")
    assert first is not None
    assert second is not None
    assert (first.status, first.error, second.error) == (200, None, None)
    events = [payload["event"] for payload in app.payloads]
    assert [(e["type"], e["tab"]) for e in events] == [("app_home_opened", "home")] * 2
    assert events[0]["channel"].startswith("D")
    assert "view" not in events[0], "nothing was published before"
    assert events[1]["view"]["callback_id"] == "home"
    assert app.payloads[0]["type"] == "event_callback"
    assert app.payloads[0]["event_id"] != app.payloads[1]["event_id"]
    assert set(slack.homes) == {"alice"}
    assert slack.homes["alice"].id == events[1]["view"]["id"], "it keeps its id"


def test_an_app_that_did_not_subscribe_hears_nothing(clock: StandingClock) -> None:
    deaf, homeless = (
        replace(EVERYTHING, events=frozenset()),
        replace(EVERYTHING, has_home_tab=False),
    )
    for manifest in (deaf, homeless):
        with LocalSlack(clock, PEOPLE, manifest=manifest) as slack:
            assert slack.open_home("alice") is None


def test_a_button_of_it_is_clicked_without_a_channel(
    slack: LocalSlack, app: App, bot: WebClient
) -> None:
    assert slack.click_home("alice", button="scan").error == "there is no Home tab"
    bot.views_publish(user_id="alice", view=HOME)
    slack.click_home("alice", button="scan")
    (payload,) = app.payloads
    assert (payload["type"], payload["container"]["type"]) == ("block_actions", "view")
    assert payload["view"]["type"] == "home"
    assert {"channel", "message", "response_url"}.isdisjoint(payload)
    assert payload["actions"][0]["value"] == "cluster-1"
    assert payload["actions"][0]["block_id"] == "open"
    bot.views_open(
        trigger_id=payload["trigger_id"],
        view={"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []},
    )
    assert set(slack.modals) == {"alice"}


@pytest.mark.parametrize(
    ("user", "view", "error"),
    [
        ("alice", {**HOME, "title": {"type": "plain_text", "text": "x"}}, "invalid_arguments"),
        ("alice", {**HOME, "type": "modal"}, "invalid_arguments"),
        ("ci", HOME, "invalid_arguments"),
    ],
)
def test_what_slack_would_not_publish(
    bot: WebClient, user: str, view: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError, match=error):
        bot.views_publish(user_id=user, view=view)


def test_two_who_publish_at_once_are_told_apart_by_hash(bot: WebClient) -> None:
    shown = bot.views_publish(user_id="alice", view=HOME)["view"]
    bot.views_publish(user_id="alice", view=HOME, hash=shown["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        bot.views_publish(user_id="alice", view=HOME, hash=shown["hash"])


def test_without_a_home_tab_nothing_is_published(clock: StandingClock) -> None:
    with LocalSlack(clock, PEOPLE, manifest=replace(EVERYTHING, has_home_tab=False)) as slack:
        bot = WebClient(token=BOT_TOKEN, base_url=slack.url)
        with pytest.raises(SlackApiError, match="not_enabled"):
            bot.views_publish(user_id="alice", view=HOME)


@pytest.mark.parametrize(
    "answer", [{"challenge": "{}"}, "{}", "challenge={}"], ids=["json", "text", "form"]
)
def test_the_challenge_comes_back_in_any_form(slack: LocalSlack, app: App, answer: Any) -> None:
    def meet(payload: dict[str, Any]) -> Any:
        said = payload["challenge"]
        return {"challenge": said} if isinstance(answer, dict) else answer.format(said)

    app.answer = meet
    assert slack.verify_events_url().error is None
    assert app.payloads[0]["type"] == "url_verification"


def test_a_wrong_challenge_is_an_error(slack: LocalSlack, app: App) -> None:
    app.answer = lambda _: "hello"
    assert slack.verify_events_url().error == "the answer is not the challenge"


def test_the_check_of_the_certificate_is_signed_or_not(slack: LocalSlack, app: App) -> None:
    assert slack.check_certificate().status == 401, "this app wants a signature"
    assert slack.check_certificate(signature="good").status == 200
    assert app.payloads == [{"ssl_check": "1", "token": "local-legacy-token"}]

"""People act: what reaches the app, and what its answers do to what they see."""

import json
import threading
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.slack.api import LocalSlack
from sandbox.slack.records import CHANNEL, View
from tests.sandbox.slack.stand_ins import CASE_BLOCKS, App, StandingClock, button


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def field(name: str, kind: str = "plain_text_input", **element: Any) -> dict[str, Any]:
    parts = {"type": kind, "action_id": name, **element}
    return {"type": "input", "block_id": name, "label": plain(name), "element": parts}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value), "value": value}


LOADING = {
    "type": "modal",
    "callback_id": "loading",
    "title": plain("Retire"),
    "blocks": [{"type": "section", "text": plain("Reading AWS…")}],
}
DECIDE = {
    "type": "modal",
    "callback_id": "decide",
    "title": plain("Retire"),
    "submit": plain("Approve"),
    "private_metadata": "case-1:1:retire:abc",
    "blocks": [
        field("cluster_id"),
        field("reason"),
        field("override", "checkboxes", options=[option("in_use")]),
        field(
            "target",
            "radio_buttons",
            options=[option("cluster-a"), option("cluster-b")],
            initial_option=option("cluster-a"),
        ),
        field("for", "static_select", options=[option("7d"), option("30d")]),
        field("owner", "users_select", initial_user="alice"),
    ],
}


@pytest.fixture
def opening(app: App, bot: WebClient) -> App:
    """An app that opens the decision at each click and closes it at each submission."""

    def answer(payload: dict[str, Any]) -> str:
        if payload["type"] == "block_actions":
            bot.views_open(trigger_id=payload["trigger_id"], view=DECIDE)
        return ""

    app.answer = answer
    return app


def open_view(slack: LocalSlack, user: str) -> View:
    return slack.modals[user]


# Clicks


def test_a_click_arrives_signed_and_in_slacks_shape(
    slack: LocalSlack, app: App, case_message: str
) -> None:
    response = slack.click("alice", button="keep")
    assert (response.status, response.body, response.error) == (200, "", None)
    (payload,) = app.payloads
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "alice"
    assert payload["user"]["team_id"] == payload["team"]["id"] == "T0UNLATCH"
    assert payload["channel"] == {"id": CHANNEL, "name": "kms-approvals"}
    assert payload["container"]["message_ts"] == payload["message"]["ts"] == case_message
    (action,) = payload["actions"]
    assert (action["action_id"], action["value"]) == ("keep", "case-1:1")
    assert (action["block_id"], action["type"]) == ("foot:1", "button")


@pytest.mark.usefixtures("case_message")
def test_a_block_without_an_id_gets_one_from_slack(slack: LocalSlack, app: App) -> None:
    slack.click("alice", button="retire")
    assert app.payloads[0]["actions"][0]["block_id"] == "auto0"
    assert app.payloads[0]["message"]["blocks"][0]["block_id"] == "auto0"


@pytest.mark.usefixtures("case_message")
def test_a_stranger_clicks_from_a_team_of_their_own(slack: LocalSlack, app: App) -> None:
    slack.click("mallory", button="keep")
    assert app.payloads[0]["user"]["team_id"] == "T0OTHER"
    assert app.payloads[0]["team"]["id"] == "T0UNLATCH"


def test_the_newest_case_is_clicked(
    slack: LocalSlack, app: App, bot: WebClient, case_message: str
) -> None:
    blocks = [{"type": "actions", "elements": [button("keep", "case-2:5")]}]
    newer = bot.chat_postMessage(channel=CHANNEL, text="another", blocks=blocks)["ts"]
    bot.chat_postMessage(channel=CHANNEL, text="no case at all")
    bot.chat_postMessage(channel=CHANNEL, text="in a thread", thread_ts=newer, blocks=CASE_BLOCKS)
    slack.click("alice", button="keep")
    slack.click("alice", button="keep", ts=case_message)
    values = [payload["actions"][0]["value"] for payload in app.payloads]
    assert values == ["case-2:5", "case-1:1"]


def test_a_button_that_is_gone_sends_the_last_value_seen(
    slack: LocalSlack, app: App, bot: WebClient, case_message: str
) -> None:
    later = [{"type": "actions", "elements": [button("cancel", "case-1:7")]}]
    bot.chat_update(channel=CHANNEL, ts=case_message, text="running", blocks=later)
    slack.click("alice", button="retire")
    bot.chat_update(channel=CHANNEL, ts=case_message, text="closed", blocks=[{"type": "divider"}])
    slack.click("alice", button="undo")
    slack.click("alice", button="undo", case_value="case-1:2")
    clicked = [payload["actions"][0] for payload in app.payloads]
    assert [c["action_id"] for c in clicked] == ["retire", "undo", "undo"]
    assert [c["value"] for c in clicked] == ["case-1:7", "case-1:7", "case-1:2"]
    assert app.payloads[2]["message"]["text"] == "closed"


def test_without_a_message_nothing_is_sent(slack: LocalSlack, app: App) -> None:
    response = slack.click("alice", button="keep")
    assert (response.status, response.error) == (0, "there is no message to click on")
    assert app.payloads == []


@pytest.mark.usefixtures("case_message")
def test_somebody_who_is_no_slack_user_cannot_click(slack: LocalSlack) -> None:
    with pytest.raises(LookupError, match="ci is no Slack user"):
        slack.click("ci", button="keep")


@pytest.mark.usefixtures("case_message")
def test_an_app_that_fails_shows_an_error(
    slack: LocalSlack, app: App, clock: StandingClock
) -> None:
    app.clock = StandingClock()
    clock.advance(3600)
    response = slack.click("alice", button="keep")
    assert (response.status, response.error) == (401, "the app answered with HTTP 401")
    assert slack.responses == [response]


@pytest.mark.usefixtures("case_message")
def test_an_app_that_takes_too_long_shows_an_error(
    clock: StandingClock, app: App, slack: LocalSlack
) -> None:
    answered = threading.Event()
    app.answer = lambda _: str(answered.wait(30) and "")
    with LocalSlack(clock, {"alice": {}}, ack_seconds=0.2) as hasty:
        hasty.interactions_url = slack.interactions_url
        response = hasty.send_raw("payload={}", signature="good")
    answered.set()
    assert (response.status, response.error) == (0, "no answer within 0.2 seconds")
    assert response.ms >= 200


@pytest.mark.usefixtures("case_message")
def test_an_app_that_is_not_there_shows_an_error(slack: LocalSlack) -> None:
    slack.interactions_url = "http://127.0.0.1:9/slack/interactions"
    assert "could not be reached" in str(slack.click("alice", button="keep").error)


# Raw requests


@pytest.mark.parametrize(
    ("signature", "status"), [("good", 200), ("bad", 401), ("missing", 401), ("stale", 401)]
)
def test_raw_requests_are_signed_as_asked(
    slack: LocalSlack, app: App, signature: str, status: int
) -> None:
    assert slack.send_raw('payload={"type": "x"}', signature=signature).status == status
    assert len(app.payloads) == (status == 200)


@pytest.mark.usefixtures("case_message")
def test_a_replay_is_the_last_click_again(slack: LocalSlack, app: App) -> None:
    assert slack.send_raw("", signature="replay").error == "there is no click to replay"
    slack.click("alice", button="keep")
    slack.send_raw("payload=ignored", signature="replay")
    assert app.payloads[0] == app.payloads[1]


# Modals


@pytest.mark.usefixtures("case_message", "opening")
def test_a_click_opens_a_modal_for_that_person(slack: LocalSlack) -> None:
    slack.click("alice", button="retire")
    assert set(slack.modals) == {"alice"}
    assert open_view(slack, "alice").view["callback_id"] == "decide"


def test_a_trigger_works_once_and_for_three_seconds(
    slack: LocalSlack, app: App, bot: WebClient, clock: StandingClock, case_message: str
) -> None:
    def refusal(trigger: str) -> str:
        with pytest.raises(SlackApiError) as refused:
            bot.views_open(trigger_id=trigger, view=LOADING)
        return str(refused.value.response["error"])

    slack.click("alice", button="retire")
    slack.click("bob", button="retire", ts=case_message)
    first, second = (payload["trigger_id"] for payload in app.payloads)
    clock.advance(3)
    bot.views_open(trigger_id=first, view=LOADING)
    assert refusal(first) == "exchanged_trigger_id"
    assert refusal("1.2") == "invalid_trigger_id"
    clock.advance(0.1)
    assert refusal(second) == "expired_trigger_id"


@pytest.mark.usefixtures("case_message")
def test_a_bad_view_is_refused_and_spends_no_trigger(
    slack: LocalSlack, app: App, bot: WebClient
) -> None:
    slack.click("alice", button="retire")
    trigger = app.payloads[0]["trigger_id"]
    with pytest.raises(SlackApiError) as refused:
        bot.views_open(trigger_id=trigger, view={**LOADING, "title": plain("x" * 25)})
    assert refused.value.response["error"] == "invalid_arguments"
    assert "/view/title/text" in refused.value.response["response_metadata"]["messages"][0]
    bot.views_open(trigger_id=trigger, view=LOADING)


@pytest.mark.usefixtures("case_message")
def test_a_view_is_updated_by_id_and_hash(slack: LocalSlack, app: App, bot: WebClient) -> None:
    slack.click("alice", button="retire")
    view = bot.views_open(trigger_id=app.payloads[0]["trigger_id"], view=LOADING)["view"]
    bot.views_update(view_id=view["id"], hash=view["hash"], view=DECIDE)
    assert open_view(slack, "alice").view["callback_id"] == "decide"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        bot.views_update(view_id=view["id"], hash=view["hash"], view=LOADING)
    with pytest.raises(SlackApiError, match="not_found"):
        bot.views_update(view_id="V0GONE", view=LOADING)


@pytest.mark.usefixtures("case_message")
def test_another_click_closes_the_modal(slack: LocalSlack, opening: App) -> None:
    slack.click("alice", button="retire")
    opening.answer = lambda _: ""
    slack.click("alice", button="reject")
    assert slack.modals == {}
    assert slack.submit("alice", {"reason": "too late"}) is None


@pytest.mark.usefixtures("case_message")
def test_a_submission_fills_in_every_field(slack: LocalSlack, opening: App) -> None:
    slack.click("alice", button="retire")
    opened = open_view(slack, "alice")
    wanted = {
        "cluster_id": "cluster-x",
        "reason": "old",
        "override": True,
        "target": "cluster-b",
        "for": "30d",
        "owner": "bob",
        "colour": "ignored",
    }
    response = slack.submit("alice", wanted)
    assert response is not None
    assert response.error is None
    view = opening.payloads[1]["view"]
    assert opening.payloads[1]["type"] == "view_submission"
    assert (view["id"], view["hash"], view["root_view_id"]) == (opened.id, opened.hash, opened.id)
    assert (view["callback_id"], view["team_id"]) == ("decide", "T0UNLATCH")
    assert view["private_metadata"] == "case-1:1:retire:abc"
    assert view["state"]["values"] == {
        "cluster_id": {"cluster_id": {"type": "plain_text_input", "value": "cluster-x"}},
        "reason": {"reason": {"type": "plain_text_input", "value": "old"}},
        "override": {"override": {"type": "checkboxes", "selected_options": [option("in_use")]}},
        "target": {"target": {"type": "radio_buttons", "selected_option": option("cluster-b")}},
        "for": {"for": {"type": "static_select", "selected_option": option("30d")}},
        "owner": {"owner": {"type": "users_select", "selected_user": "bob"}},
    }
    assert slack.modals == {}


@pytest.mark.usefixtures("case_message")
def test_what_nobody_fills_in_stays_as_it_began(slack: LocalSlack, opening: App) -> None:
    slack.click("alice", button="retire")
    slack.submit("alice", {})
    values = opening.payloads[1]["view"]["state"]["values"]
    assert values["reason"]["reason"]["value"] is None
    assert values["override"]["override"]["selected_options"] == []
    assert values["target"]["target"]["selected_option"] == option("cluster-a")
    assert values["for"]["for"]["selected_option"] is None
    assert values["owner"]["owner"]["selected_user"] == "alice"


@pytest.mark.usefixtures("case_message")
def test_a_choice_that_is_not_offered_is_sent_all_the_same(slack: LocalSlack, opening: App) -> None:
    slack.click("alice", button="retire")
    slack.submit("alice", {"target": "cluster-z"})
    target = opening.payloads[1]["view"]["state"]["values"]["target"]["target"]
    assert target["selected_option"]["value"] == "cluster-z"


@pytest.mark.usefixtures("case_message")
def test_a_modal_without_submit_cannot_be_submitted(
    slack: LocalSlack, app: App, bot: WebClient
) -> None:
    slack.click("alice", button="retire")
    bot.views_open(trigger_id=app.payloads[0]["trigger_id"], view=LOADING)
    assert slack.submit("alice", {"reason": "x"}) is None
    assert slack.submit("bob", {"reason": "x"}) is None


@pytest.mark.parametrize(
    ("answer", "shown", "error"),
    [
        ("", None, None),
        ({"response_action": "clear"}, None, None),
        ({"response_action": "errors", "errors": {"reason": "Why?"}}, "decide", None),
        (
            {"response_action": "errors", "errors": {"colour": "?"}},
            "decide",
            "the errors name no input of the modal: {'colour': '?'}",
        ),
        ({"response_action": "update", "view": LOADING}, "loading", None),
        ({"response_action": "push", "view": LOADING}, "loading", None),
        ({"response_action": "explode"}, "decide", "unknown response_action: explode"),
        ("hello", "decide", "the answer to the submission is not JSON"),
    ],
    ids=["empty", "clear", "errors", "misplaced", "update", "push", "unknown", "text"],
)
@pytest.mark.usefixtures("case_message")
def test_the_answer_decides_what_the_modal_does(
    slack: LocalSlack,
    opening: App,
    answer: Any,
    shown: str | None,
    error: str | None,
) -> None:
    slack.click("alice", button="retire")
    opening.answer = lambda _: answer
    response = slack.submit("alice", {"reason": "old"})
    assert response is not None
    assert response.error == error
    view = slack.modals.get("alice")
    assert (view.view["callback_id"] if view else None) == shown


@pytest.mark.usefixtures("case_message")
def test_a_closed_pushed_view_shows_the_one_below(slack: LocalSlack, opening: App) -> None:
    slack.click("alice", button="retire")
    root = open_view(slack, "alice")
    opening.answer = lambda _: {"response_action": "push", "view": DECIDE}
    slack.submit("alice", {})
    pushed = open_view(slack, "alice")
    assert (pushed.root_view_id, pushed.previous_view_id) == (root.id, root.id)
    opening.answer = lambda _: ""
    slack.submit("alice", {})
    assert open_view(slack, "alice").id == root.id


@pytest.mark.usefixtures("case_message", "opening")
def test_a_failed_submission_leaves_the_modal_open(slack: LocalSlack) -> None:
    slack.click("alice", button="retire")
    slack.interactions_url = "http://127.0.0.1:9/"
    response = slack.submit("alice", {})
    assert response is not None
    assert response.status == 0
    assert set(slack.modals) == {"alice"}


# Commands and response URLs


def test_a_command_is_a_flat_form_and_its_answer_is_private(slack: LocalSlack, app: App) -> None:
    app.answer = lambda _: {"text": "Looking…"}
    response = slack.command("alice", "cluster-x")
    assert (response.status, response.kind) == (200, "command")
    (form,) = app.payloads
    assert (form["command"], form["text"]) == ("/unlatch", "cluster-x")
    assert (form["user_id"], form["channel_id"]) == ("alice", CHANNEL)
    assert [(e.user, e.text) for e in slack.ephemerals] == [("alice", "Looking…")]
    assert slack.messages == []


def test_a_command_may_answer_in_plain_text_or_to_all(slack: LocalSlack, app: App) -> None:
    app.answer = lambda _: "plain words"
    slack.command("alice", "")
    app.answer = lambda _: {"text": "for all", "response_type": "in_channel"}
    slack.command("alice", "")
    assert [e.text for e in slack.ephemerals] == ["plain words"]
    assert [m.text for m in slack.messages] == ["for all"]


def test_a_response_url_whispers_replaces_and_posts(
    slack: LocalSlack, app: App, case_message: str
) -> None:
    slack.click("alice", button="keep")
    hook = WebhookClient(app.payloads[0]["response_url"])
    assert hook.send(text="only you").body == "ok"
    hook.send(text="for all", response_type="in_channel")
    hook.send(text="replaced", replace_original=True)
    assert [(e.user, e.text) for e in slack.ephemerals] == [("alice", "only you")]
    assert [m.text for m in slack.messages] == ["replaced", "for all"]
    hook.send(delete_original=True)
    assert case_message not in [m.ts for m in slack.messages]


@pytest.mark.usefixtures("case_message")
def test_a_response_url_works_five_times_in_half_an_hour(
    slack: LocalSlack, app: App, clock: StandingClock
) -> None:
    slack.click("alice", button="keep")
    slack.click("alice", button="keep")
    used, late = (WebhookClient(payload["response_url"]) for payload in app.payloads)
    assert [used.send(text="x").status_code for _ in range(6)] == [200] * 5 + [404]
    clock.advance(30 * 60 + 1)
    answer = late.send(text="x")
    assert (answer.status_code, json.loads(answer.body)["error"]) == (404, "expired_url")
    assert len(slack.ephemerals) == 5


def test_ephemerals_are_recorded(slack: LocalSlack, bot: WebClient) -> None:
    bot.chat_postEphemeral(channel=CHANNEL, user="mallory", text="You cannot decide here.")
    assert [(e.user, e.text) for e in slack.ephemerals] == [("mallory", "You cannot decide here.")]

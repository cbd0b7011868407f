"""What Slack refuses: channels that can't be written, people who can't be told, rights that lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.slack.api import LocalSlack
from sandbox.slack.manifest import read_manifest
from sandbox.slack.records import BOT_TOKEN, CHANNEL
from tests.sandbox.slack.stand_ins import EVERYTHING, PEOPLE, App, StandingClock


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(SlackApiError) as refused:
        call()
    return str(refused.value.response["error"])


def post(bot: WebClient, **more: Any) -> str:
    return str(bot.chat_postMessage(**{"channel": CHANNEL, "text": "hello", **more})["ts"])


@pytest.mark.parametrize(
    ("facts", "posting", "telling", "editing"),
    [
        ({"is_archived": True}, "is_archived", "is_archived", "is_inactive"),
        ({"is_member": False}, "not_in_channel", "not_in_channel", ""),
        ({"is_restricted": True}, "restricted_action", "restricted_action", ""),
        ({"absent": frozenset({"alice"})}, "", "user_not_in_channel", ""),
        ({"editable_seconds": 60}, "", "", "edit_window_closed"),
    ],
)
def test_a_channel_that_cannot_be_written(
    bot: WebClient,
    slack: LocalSlack,
    clock: StandingClock,
    *,
    facts: dict[str, Any],
    posting: str,
    telling: str,
    editing: str,
) -> None:
    ts = post(bot)
    clock.advance(61)
    slack.workspace.change_channel(**facts)

    def outcome(call: Callable[[], Any]) -> str:
        try:
            call()
        except SlackApiError as refused:
            return str(refused.response["error"])
        return ""

    assert outcome(lambda: post(bot)) == posting
    told = lambda: bot.chat_postEphemeral(channel=CHANNEL, user="alice", text="psst")  # noqa: E731
    assert outcome(told) == telling
    assert outcome(lambda: bot.chat_update(channel=CHANNEL, ts=ts, text="new")) == editing


def test_a_channel_says_what_it_is(bot: WebClient, slack: LocalSlack) -> None:
    slack.workspace.change_channel(is_archived=True, is_member=False)
    told = bot.conversations_info(channel=CHANNEL)["channel"]
    assert (told["is_archived"], told["is_member"]) == (True, False)
    assert refusal(lambda: bot.conversations_history(channel=CHANNEL)) == "not_in_channel"


def test_people_who_left_are_not_told(bot: WebClient) -> None:
    call = lambda: bot.chat_postEphemeral(channel=CHANNEL, user="dora", text="x")  # noqa: E731
    assert refusal(call) == "user_not_in_channel"


@pytest.mark.usefixtures("case_message")
def test_somebody_who_left_the_channel_is_told_by_response_url(slack: LocalSlack, app: App) -> None:
    slack.click("alice", button="keep")
    slack.workspace.change_channel(absent=frozenset({"alice"}), is_archived=True)
    assert WebhookClient(app.payloads[0]["response_url"]).send(text="no").status_code == 200
    assert [(e.user, e.text) for e in slack.ephemerals] == [("alice", "no")]


def test_blocks_may_be_too_long_together(bot: WebClient) -> None:
    def sections(number: int) -> list[dict[str, Any]]:
        text = {"type": "plain_text", "text": "x" * 3000}
        return [{"type": "section", "text": text}] * number

    post(bot, blocks=sections(4))
    assert refusal(lambda: post(bot, blocks=sections(5))) == "msg_blocks_too_long"


# Direct messages


def test_a_direct_message_reaches_one_person(bot: WebClient, slack: LocalSlack) -> None:
    channel = bot.conversations_open(users="alice")["channel"]["id"]
    assert channel.startswith("D")
    post(bot, channel=channel)
    post(bot, channel="alice", text="by her id")
    assert [(m.channel, m.text) for m in slack.messages] == [
        (channel, "hello"),
        (channel, "by her id"),
    ]
    assert bot.conversations_info(channel=channel)["channel"]["user"] == "alice"


@pytest.mark.parametrize(
    ("users", "error"),
    [
        ("", "users_list_not_supplied"),
        ("ci", "user_not_found"),
        ("dora", "user_disabled"),
        ("robo", "cannot_dm_bot"),
    ],
)
def test_nobody_else_can_be_written_to(bot: WebClient, users: str, error: str) -> None:
    assert refusal(lambda: bot.conversations_open(users=users)) == error


@pytest.mark.usefixtures("case_message")
def test_a_direct_message_is_no_case_of_the_channel(bot: WebClient, slack: LocalSlack) -> None:
    (case,) = slack.messages
    button = {"type": "button", "action_id": "keep", "value": "case-2:1"}
    text = {"type": "plain_text", "text": "Keep"}
    post(bot, channel="alice", blocks=[{"type": "actions", "elements": [{**button, "text": text}]}])
    found = slack.workspace.find_case_message()
    assert found is not None
    assert found.ts == case.ts


# Rights


def test_a_right_that_lacks_is_named(clock: StandingClock) -> None:
    few = replace(EVERYTHING, scopes=frozenset({"users:read"}), has_messages_tab=False)
    with LocalSlack(clock, PEOPLE, manifest=few) as slack:
        bot = WebClient(token=BOT_TOKEN, base_url=slack.url)
        assert bot.auth_test().headers["X-OAuth-Scopes"] == "users:read"
        with pytest.raises(SlackApiError) as refused:
            post(bot)
        answer = refused.value.response
        assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
        assert answer["provided"] == "users:read"


def test_without_a_messages_tab_there_are_no_direct_messages(clock: StandingClock) -> None:
    manifest = replace(EVERYTHING, has_messages_tab=False)
    with LocalSlack(clock, PEOPLE, manifest=manifest) as slack:
        bot = WebClient(token=BOT_TOKEN, base_url=slack.url)
        assert refusal(lambda: post(bot, channel="alice")) == "messages_tab_disabled"
        post(bot)


def test_the_app_has_the_rights_of_its_manifest(clock: StandingClock) -> None:
    with LocalSlack(clock, PEOPLE) as slack:
        assert slack.manifest == read_manifest()
        assert "chat:write" in slack.manifest.scopes
        assert slack.manifest.commands_path == "/slack/commands"


def test_a_new_token_makes_the_old_one_worthless(bot: WebClient, slack: LocalSlack) -> None:
    slack.reinstall("xoxb-new", old_is="account_inactive")
    assert refusal(bot.auth_test) == "account_inactive"
    WebClient(token="xoxb-new", base_url=slack.url).auth_test()


# Mentions


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(elements)}],
    }


@pytest.mark.parametrize(
    ("text", "blocks", "mentions"),
    [
        ("<@alice> and <!subteam^S0KEYS|@keys>, <@alice>", [], ("alice", "S0KEYS")),
        ("<!here> <!date^1^{date}|x> <https://example.com|@bob>", [], ("here",)),
        ("<@bob>", [{"type": "divider"}], ()),
        ("x", [{"type": "section", "text": {"type": "mrkdwn", "text": "<@bob>"}}], ("bob",)),
        ("x", [{"type": "section", "text": {"type": "plain_text", "text": "<@bob>"}}], ()),
        (
            "x",
            [
                rich(
                    {"type": "user", "user_id": "carol"},
                    {"type": "usergroup", "usergroup_id": "S0KEYS"},
                    {"type": "broadcast", "range": "channel"},
                )
            ],
            ("carol", "S0KEYS", "channel"),
        ),
    ],
)
def test_a_message_remembers_whom_it_notified(
    bot: WebClient,
    slack: LocalSlack,
    text: str,
    blocks: list[dict[str, Any]],
    mentions: tuple[str, ...],
) -> None:
    ts = post(bot, text=text, blocks=blocks)
    assert slack.messages[0].mentions == mentions
    bot.chat_update(channel=CHANNEL, ts=ts, text="<@mallory>")
    assert slack.messages[0].mentions == mentions, "an edit notifies nobody"


def test_a_message_has_an_address(bot: WebClient) -> None:
    ts = post(bot)
    link = bot.chat_getPermalink(channel=CHANNEL, message_ts=ts)["permalink"]
    assert link.endswith(f"/archives/{CHANNEL}/p{ts.replace('.', '')}")
    call = lambda: bot.chat_getPermalink(channel=CHANNEL, message_ts="1.2")  # noqa: E731
    assert refusal(call) == "message_not_found"

"""The Web API as the real Slack SDK meets it: answers, refusals and what stays afterwards."""

import json
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.api import LocalSlack
from sandbox.slack.records import CHANNEL

BLOCKS = [{"type": "divider"}]


def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call()
    assert refused.value.response.status_code == 200
    return str(refused.value.response["error"])


def test_a_message_is_posted_with_its_blocks(bot: WebClient, slack: LocalSlack) -> None:
    posted = bot.chat_postMessage(channel=CHANNEL, text="hello", blocks=BLOCKS)
    (message,) = slack.messages
    assert (message.ts, message.text, message.blocks) == (posted["ts"], "hello", BLOCKS)
    assert (message.thread_ts, message.updates) == (None, 0)


def test_messages_of_one_instant_keep_their_order(bot: WebClient, slack: LocalSlack) -> None:
    for text in ("first", "second", "third"):
        bot.chat_postMessage(channel=CHANNEL, text=text)
    assert [m.text for m in slack.messages] == ["first", "second", "third"]
    assert sorted(m.ts for m in slack.messages) == [m.ts for m in slack.messages]


def test_a_form_with_json_strings_is_understood(slack: LocalSlack) -> None:
    body = urllib.parse.urlencode(
        {"channel": CHANNEL, "text": "form", "blocks": json.dumps(BLOCKS), "token": "xoxb-local"}
    )
    request = urllib.request.Request(f"{slack.url}chat.postMessage", data=body.encode())
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["ok"] is True
    assert slack.messages[0].blocks == BLOCKS


def test_a_reply_joins_its_thread(bot: WebClient, slack: LocalSlack) -> None:
    parent = bot.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    bot.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=parent)
    assert slack.messages[1].thread_ts == parent


def test_a_reply_to_a_deleted_message_lands_in_the_channel(
    bot: WebClient, slack: LocalSlack
) -> None:
    parent = bot.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    slack.workspace.remove(parent)
    bot.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=parent)
    assert [m.thread_ts for m in slack.messages] == [None]


def test_an_update_replaces_in_place_and_counts(bot: WebClient, slack: LocalSlack) -> None:
    ts = bot.chat_postMessage(channel=CHANNEL, text="old", blocks=BLOCKS)["ts"]
    bot.chat_update(channel=CHANNEL, ts=ts, text="new", blocks=BLOCKS)
    (message,) = slack.messages
    assert (message.ts, message.text, message.updates) == (ts, "new", 1)


def test_an_update_with_text_alone_takes_the_blocks_away(bot: WebClient, slack: LocalSlack) -> None:
    ts = bot.chat_postMessage(channel=CHANNEL, text="old", blocks=BLOCKS)["ts"]
    bot.chat_update(channel=CHANNEL, ts=ts, text="new")
    assert slack.messages[0].blocks == []


def test_refusals_of_chat(bot: WebClient, slack: LocalSlack) -> None:
    said = slack.say("carol", "what is this?").ts
    post, update = bot.chat_postMessage, bot.chat_update
    told = bot.chat_postEphemeral(channel=CHANNEL, user="alice", text="psst")["message_ts"]
    assert refusal(lambda: post(channel="C0ELSE", text="x")) == "channel_not_found"
    assert refusal(lambda: bot.api_call("chat.postMessage", json={"channel": CHANNEL})) == "no_text"
    assert refusal(lambda: post(channel=CHANNEL, text="x" * 40_001)) == "msg_too_long"
    assert refusal(lambda: update(channel=CHANNEL, ts="1.2", text="x")) == "message_not_found"
    assert refusal(lambda: update(channel=CHANNEL, ts=said, text="x")) == "cant_update_message"
    assert refusal(lambda: update(channel=CHANNEL, ts=told, text="x")) == "message_not_found"
    assert (
        refusal(lambda: bot.chat_postEphemeral(channel=CHANNEL, user="nobody", text="x"))
        == "user_not_in_channel"
    )


def test_bad_blocks_are_refused_with_place_and_reason(bot: WebClient, slack: LocalSlack) -> None:
    bad = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(SlackApiError) as refused:
        bot.chat_postMessage(channel=CHANNEL, text="x", blocks=bad)
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]
    assert slack.messages == []


def test_plan_blocks_can_be_switched_off(bot: WebClient, slack: LocalSlack) -> None:
    plan = [{"type": "plan", "title": "Retire"}]
    bot.chat_postMessage(channel=CHANNEL, text="x", blocks=plan)
    slack.supports_plan_blocks = False
    call = lambda: bot.chat_postMessage(channel=CHANNEL, text="x", blocks=plan)  # noqa: E731
    assert refusal(call) == "invalid_blocks"


def test_missing_arguments_are_named(bot: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        bot.api_call("chat.update", json={"text": "x"})
    assert refused.value.response["error"] == "invalid_arguments"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] missing required field: channel",
        "[ERROR] missing required field: ts",
    ]


def test_the_token_is_checked(slack: LocalSlack) -> None:
    stranger = WebClient(token="xoxb-other", base_url=slack.url)
    nobody = WebClient(base_url=slack.url)
    assert refusal(stranger.auth_test) == "invalid_auth"
    assert refusal(nobody.auth_test) == "not_authed"


def test_unknown_methods_say_so(bot: WebClient) -> None:
    assert refusal(lambda: bot.api_call("chat.scheduleMessage")) == "unknown_method"


def test_auth_and_channel(bot: WebClient, slack: LocalSlack) -> None:
    assert bot.auth_test()["team_id"] == "T0UNLATCH"
    assert bot.conversations_info(channel=CHANNEL)["channel"]["is_ext_shared"] is False
    slack.workspace.change_channel(is_shared=True)
    assert bot.conversations_info(channel=CHANNEL)["channel"]["is_ext_shared"] is True


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("alice", {"team_id": "T0UNLATCH", "is_stranger": False, "is_restricted": False}),
        ("mallory", {"team_id": "T0OTHER", "is_stranger": True}),
        ("gus", {"is_restricted": True}),
        ("robo", {"is_bot": True}),
        ("dora", {"deleted": True}),
    ],
)
def test_people_are_what_the_scenario_says(
    bot: WebClient, name: str, facts: dict[str, Any]
) -> None:
    user = bot.users_info(user=name)["user"]
    assert user["id"] == name
    assert facts.items() <= user.items()


def test_people_are_found_by_email(bot: WebClient) -> None:
    found = bot.users_lookupByEmail(email="alice@example.com")
    assert found["user"]["id"] == "alice"
    assert refusal(lambda: bot.users_lookupByEmail(email="x@example.com")) == "users_not_found"
    assert refusal(lambda: bot.users_info(user="ci")) == "user_not_found"


def test_groups_hold_the_approvers_until_changed(bot: WebClient, slack: LocalSlack) -> None:
    assert bot.usergroups_users_list(usergroup="S0KEYS")["users"] == ["alice", "bob"]
    slack.directory.groups["S0KEYS"] = []
    assert bot.usergroups_users_list(usergroup="S0KEYS")["users"] == []
    assert refusal(lambda: bot.usergroups_users_list(usergroup="S0")) == "no_such_subteam"


def test_the_channel_shows_a_reply_that_is_broadcast(bot: WebClient) -> None:
    parent = bot.chat_postMessage(channel=CHANNEL, text="parent")["ts"]
    bot.chat_postMessage(channel=CHANNEL, text="reply", thread_ts=parent)
    bot.chat_postMessage(channel=CHANNEL, text="both", thread_ts=parent, reply_broadcast=True)
    shown = bot.conversations_history(channel=CHANNEL)["messages"]
    assert [(m["text"], m.get("subtype")) for m in shown] == [
        ("both", "thread_broadcast"),
        ("parent", None),
    ]


def test_history_gives_metadata_back(bot: WebClient) -> None:
    metadata = {"event_type": "case", "event_payload": {"case": "case-1"}}
    ts = bot.chat_postMessage(channel=CHANNEL, text="x", metadata=metadata)["ts"]
    (message,) = bot.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"]
    assert (message["ts"], message["metadata"]) == (ts, metadata)


def test_what_is_read_is_a_copy(bot: WebClient, slack: LocalSlack) -> None:
    bot.chat_postMessage(channel=CHANNEL, text="x", blocks=BLOCKS)
    slack.messages[0].blocks.clear()
    assert slack.messages[0].blocks == BLOCKS


def test_many_at_once_lose_nothing(bot: WebClient, slack: LocalSlack) -> None:
    def post(number: int) -> None:
        bot.chat_postMessage(channel=CHANNEL, text=str(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(post, range(64)))
    assert {m.text for m in slack.messages} == {str(number) for number in range(64)}


def test_changes_are_announced(bot: WebClient, slack: LocalSlack) -> None:
    seen: list[int] = []
    slack.changed.append(lambda: seen.append(len(slack.messages)))
    bot.chat_postMessage(channel=CHANNEL, text="x")
    assert seen == [1]

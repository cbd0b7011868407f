"""Slack's Web API over real HTTP: what it refuses, what it does not answer, and a token that was rotated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from chalicelib.slack.client import TOKEN_GONE, SlackClient
from chalicelib.slack.replies import SlackError
from sandbox.clock import Clock
from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN, CHANNEL
from tests.slack.wire import Wire, reply

PERSON = {"ok": True, "user": {"id": "U1"}}


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    with LocalSlack(Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)), {"alice": {}}) as running:
        yield running


class Token:
    """The secret's place: the one that is remembered, and the one that is there now."""

    def __init__(self, remembered: str, now: str = BOT_TOKEN) -> None:
        self.remembered, self.now = remembered, now
        self.asked: list[bool] = []

    def __call__(self, fresh: bool) -> str:
        self.asked.append(fresh)
        return self.now if fresh else self.remembered


def test_it_reads_by_form_and_writes_by_json(slack: LocalSlack) -> None:
    call = SlackClient(Token(BOT_TOKEN), slack.url).call
    assert call("users.info", user="alice")["user"]["name"] == "alice"
    sent = call("chat.postMessage", channel=CHANNEL, text="Hello", thread_ts=None)
    assert sent["ts"]
    assert [message.text for message in slack.messages] == ["Hello"]


def test_what_is_read_stands_in_no_address() -> None:
    told = {"ok": True, "messages": []}
    with Wire(reply(told)) as wire:
        call = SlackClient(Token(BOT_TOKEN), wire.url).call
        call("conversations.history", channel="C1", include_all_metadata=True, limit=9)
    ((path, headers, body),) = wire.asked
    assert (path, headers["authorization"]) == ("/api/conversations.history", f"Bearer {BOT_TOKEN}")
    asked = parse_qs(body.decode())
    assert asked == {"channel": ["C1"], "include_all_metadata": ["1"], "limit": ["9"]}


def test_a_refusal_carries_slacks_word(slack: LocalSlack) -> None:
    call = SlackClient(Token(BOT_TOKEN), slack.url).call
    with pytest.raises(SlackError) as failed:
        call("chat.update", channel=CHANNEL, ts="1.1", text="x")
    assert (failed.value.code, failed.value.retry_after) == ("message_not_found", 0)


def test_a_rotated_token_is_read_again_once(slack: LocalSlack) -> None:
    token = Token("xoxb-old")
    assert SlackClient(token, slack.url).call("users.info", user="alice")["user"]
    assert token.asked == [False, True]


@pytest.mark.parametrize("code", sorted(TOKEN_GONE))
def test_every_word_for_a_token_that_is_gone_reads_it_again(code: str) -> None:
    token = Token("xoxb-old")
    with Wire(reply({"ok": False, "error": code}), reply(PERSON), reply(PERSON)) as wire:
        client = SlackClient(token, wire.url)
        assert client.call("users.info", user="U1")["user"]
        assert client.call("users.info", user="U1")["user"]
    used = [headers["authorization"] for _, headers, _ in wire.asked]
    assert used == ["Bearer xoxb-old", f"Bearer {BOT_TOKEN}", f"Bearer {BOT_TOKEN}"]
    assert token.asked == [False, True]


def test_a_token_that_stays_wrong_is_a_failure(slack: LocalSlack) -> None:
    token = Token("xoxb-old", now="xoxb-older")
    with pytest.raises(SlackError, match="invalid_auth"):
        SlackClient(token, slack.url).call("users.info", user="alice")
    assert token.asked == [False, True]


def test_the_same_token_is_not_tried_twice() -> None:
    refused = reply({"ok": False, "error": "account_inactive"})
    with Wire(refused) as wire, pytest.raises(SlackError, match="account_inactive"):
        SlackClient(Token(BOT_TOKEN), wire.url).call("users.info", user="U1")
    assert len(wire.asked) == 1


@pytest.mark.parametrize("text", ["xoxb-1\r\nX-Y: 1", "two words", "é", ""])
def test_what_can_be_no_token_is_read_again_and_never_sent(text: str) -> None:
    with Wire(reply(PERSON)) as wire:
        assert SlackClient(Token(text), wire.url).call("users.info", user="U1")
        with pytest.raises(SlackError, match="invalid_auth"):
            SlackClient(Token(text, now=text), wire.url).call("users.info", user="U1")
    assert len(wire.asked) == 1


def test_a_slack_that_is_away_gives_no_answer(slack: LocalSlack) -> None:
    slack.down(True)
    with pytest.raises(SlackError, match="no_answer"):
        SlackClient(Token(BOT_TOKEN), slack.url).call("users.info", user="alice")


def test_the_scopes_are_those_that_slack_names() -> None:
    told = {"ok": True, "user_id": "U1"}
    with Wire(reply(told, X_OAuth_Scopes="chat:write, users:read,")) as wire:
        client = SlackClient(Token(BOT_TOKEN), wire.url)
        client.call("auth.test")
    assert client.scopes == {"chat:write", "users:read"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_nothing_along(status: int) -> None:
    with Wire(reply(PERSON)) as elsewhere:
        moved = reply(b"", status=status, Location=elsewhere.url)
        with Wire(moved) as wire:
            client = SlackClient(Token(BOT_TOKEN), wire.url)
            with pytest.raises(SlackError, match="no_answer"):
                client.call("users.info", user="U1")
            with pytest.raises(SlackError, match=f"response_url_{status}"):
                client.respond(wire.url, text="Yes.")
    assert elsewhere.asked == []


def test_a_failure_is_logged_by_whoever_called_alone(caplog: pytest.LogCaptureFixture) -> None:
    with Wire(reply(b"<html>secret</html>")) as wire, pytest.raises(SlackError):
        SlackClient(Token(BOT_TOKEN), wire.url).call("users.info", user="U1")
    assert caplog.records == []


def test_half_a_character_is_a_failure() -> None:
    with Wire(reply(PERSON)) as wire, pytest.raises(SlackError, match="no_answer"):
        SlackClient(Token(BOT_TOKEN), wire.url).call("users.info", user="\ud800")
    assert wire.asked == []


def test_a_group_is_looked_for_in_its_workspace() -> None:
    with Wire(reply({"ok": True, "users": []})) as wire:
        SlackClient(Token(BOT_TOKEN), wire.url, team_id="T1").call(
            "usergroups.users.list", usergroup="S1"
        )
    assert parse_qs(wire.asked[0][2].decode()) == {"usergroup": ["S1"], "team_id": ["T1"]}


def test_a_click_is_answered_where_slack_listens() -> None:
    with Wire(reply(b"ok")) as wire:
        client = SlackClient(Token(BOT_TOKEN), wire.url)
        client.respond(wire.url.replace("/api/", "/respond/1"), text="Yes.")
    ((path, headers, body),) = wire.asked
    assert (path, body) == ("/respond/1", b'{"text": "Yes."}')
    assert "authorization" not in headers, "the address is the right to answer"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (reply({"ok": False, "error": "expired_url"}), "expired_url"),
        (reply({"ok": False, "error": "used_url"}, status=404), "used_url"),
        (reply({"ok": False, "error": {}}), "no_answer"),
        (reply(b""), "no_answer"),
        (reply(b"<html>ok</html>"), "no_answer"),
        (reply(b"ok", Content_Length="1"), "no_answer"),
        (b"", "no_answer"),
    ],
)
def test_only_slacks_ok_says_that_an_answer_was_taken(raw: bytes, code: str) -> None:
    with Wire(raw) as wire, pytest.raises(SlackError) as failed:
        SlackClient(Token(BOT_TOKEN), wire.url).respond(wire.url, text="Yes.")
    assert failed.value.code == code
    with Wire(reply({"ok": True})) as wire:
        SlackClient(Token(BOT_TOKEN), wire.url).respond(wire.url, text="Yes.")


def test_an_answer_that_slack_does_not_take_is_a_failure() -> None:
    with Wire(reply(b"used_url", status=404)) as wire:
        client = SlackClient(Token(BOT_TOKEN), wire.url)
        with pytest.raises(SlackError, match="response_url_404"):
            client.respond(wire.url, text="Yes.")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://example.com/x",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.example.com/x",
        "https://hooks.slack.com@example.com/x",
        "https://hooks.slack.com:8443/x",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/respond",
        "file:///etc/passwd",
        "https://[",
        "//hooks.slack.com/x",
    ],
)
def test_a_payload_sends_us_nowhere_else(address: str) -> None:
    client = SlackClient(Token(BOT_TOKEN), "https://slack.com/api/")
    with pytest.raises(SlackError, match="response_url_refused"):
        client.respond(address, text="x")

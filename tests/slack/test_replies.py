"""A reply of Slack counts only when it is whole: everything else, over real HTTP, is SlackError."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.slack.client import SlackClient
from chalicelib.slack.replies import SlackError, seconds
from tests.slack.wire import POSTED, TORN, Wire, reply

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def posted(wire: Wire) -> Any:
    return SlackClient(lambda _: "xoxb-1", wire.url).call(
        "chat.postMessage", channel="C1", text="x"
    )


@pytest.mark.parametrize("name", TORN)
def test_what_is_not_whole_is_no_answer(name: str) -> None:
    with Wire(TORN[name]) as wire, pytest.raises(SlackError, match="no_answer"):
        posted(wire)
    assert len(wire.asked) == 1, "a post is never tried again: it can appear twice"


def test_what_is_whole_counts() -> None:
    for whole in (reply(POSTED), reply(POSTED, Content_Length="")):
        with Wire(whole) as wire:
            assert posted(wire)["ts"] == "1.1"


def test_every_cut_of_a_reply_is_seen() -> None:
    whole = reply({"ok": True, "users": ["U1", "U2"]})
    for cut in range(len(whole)):
        with Wire(whole[:cut]) as wire, pytest.raises(SlackError, match="no_answer"):
            SlackClient(lambda _: "xoxb-1", wire.url).call("usergroups.users.list", usergroup="S1")


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("users.info", {"user": []}),
        ("users.info", {"user": {"id": "U1", "profile": []}}),
        ("users.info", {"user": {"id": "U1", "enterprise_user": "E1"}}),
        ("usergroups.users.list", {"users": {"U1": {}}}),
        ("usergroups.users.list", {"users": [{"id": "U1"}]}),
        ("conversations.history", {"messages": [None]}),
        ("conversations.history", {"messages": [{"ts": "1", "metadata": {"event_payload": "x"}}]}),
        ("views.open", {"view": {}}),
    ],
)
def test_each_method_has_what_marks_it(method: str, told: dict[str, Any]) -> None:
    with Wire(reply({"ok": True, **told})) as wire, pytest.raises(SlackError, match="no_answer"):
        SlackClient(lambda _: "xoxb-1", wire.url).call(method)


def test_what_may_be_absent_may_be_null() -> None:
    user = {"id": "U1", "profile": None}
    with Wire(reply({"ok": True, "user": user})) as wire:
        assert SlackClient(lambda _: "xoxb-1", wire.url).call("users.info")["user"] == user


def test_a_refusal_counts_whatever_its_status() -> None:
    for status in (200, 403, 503):
        with Wire(reply({"ok": False, "error": "is_archived"}, status=status)) as wire:
            with pytest.raises(SlackError) as failed:
                posted(wire)
            assert (failed.value.code, failed.value.retry_after) == ("is_archived", 0)


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("30", 30),
        ("1.5", 2),
        ("Mon, 02 Mar 2026 09:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 09:01:00", 0),
        ("999999999", 3600),
        ("-3", 0),
        ("nan", 0),
        ("inf", 0),
        ("soon", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_how_long_slack_asks_to_wait(text: str | None, waits: int) -> None:
    assert seconds(text, now=NOW) == waits


@pytest.mark.parametrize("body", [{"ok": False, "error": "ratelimited"}, b"", b"<html>"])
def test_too_many_requests_say_so_whatever_the_body(body: Any) -> None:
    busy = reply(body, status=429, Retry_After="1.5")
    with Wire(busy) as wire, pytest.raises(SlackError) as failed:
        posted(wire)
    assert (failed.value.code, failed.value.retry_after) == ("ratelimited", 2)

"""Each moment reaches the channel once: over crashes, failures of Slack, and with ten an hour at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.rules.notices import noticed
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.slack_message import Notice, SlackMessage
from chalicelib.slack.messages.names import NO_NAMES
from chalicelib.slack.notifier import MOST_AN_HOUR, Notifier
from chalicelib.slack.replies import SlackError
from tests.domain.worlds import DAY, HOURS, MINUTE, NOW, POLICY
from tests.slack.every_moment import stopped


@dataclass
class Channel:
    """Takes messages as Slack does; `fails` is raised instead, once, after taking it or before."""

    now: Any = NOW
    messages: list[dict[str, Any]] = field(default_factory=list)
    fails: dict[str, SlackError] = field(default_factory=dict)
    dies_after: bool = False
    pages: int = 200

    def __call__(self, method: str, **given: Any) -> Mapping[str, Any]:
        if failed := self.fails.pop(method, None):
            raise failed
        match method:
            case "conversations.history":
                return self._history(given)
            case "chat.update":
                message = next(m for m in self.messages if m["ts"] == given["ts"])
                kept: dict[str, Any] = {
                    name: given[name] for name in ("text", "blocks", "metadata") if name in given
                }
                message |= kept
                return {"ts": given["ts"]}
        ts = f"{self.now.timestamp() + len(self.messages) / 1e6:.6f}"
        self.messages.append({**given, "ts": ts})
        if self.dies_after:
            raise KeyboardInterrupt
        return {"ts": ts}

    def _history(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        found = [m for m in reversed(self.messages) if float(m["ts"]) > float(given["oldest"])]
        start = int(given.get("cursor") or 0)
        page = found[start : start + self.pages]
        end = start + len(page)
        return {
            "messages": page,
            "response_metadata": {"next_cursor": str(end) if end < len(found) else ""},
        }


def about(case_id: str) -> Case:
    it = replace(stopped().case, case_id=case_id, message=SlackMessage("C1", "1.0"), closed_at=NOW)
    return noticed(it, NOW)


def told(channel: Channel, it: Case) -> Case:
    notifier, message = Notifier(channel, POLICY, NO_NAMES), it.message
    while further := notifier.next(it, message, channel.now):
        message = further
    return replace(it, message=message)


def test_a_moment_is_said_once_and_edited_once_it_is_over() -> None:
    channel = Channel()
    it = told(channel, about("case-a"))
    [notice] = it.message.notices
    assert notice.ts == channel.messages[0]["ts"]
    assert channel.messages[0]["thread_ts"] == "1.0"
    assert channel.messages[0]["reply_broadcast"], "the channel shows it, and it notifies"
    assert told(channel, it) == it
    channel.now = NOW + HOURS
    it = told(channel, noticed(replace(it, outcome=None), channel.now))
    assert len(channel.messages) == 1
    assert "over" in channel.messages[0]["text"]
    assert it.message.notices[0].is_settled
    assert told(channel, it) == it


def test_one_that_a_dead_turn_posted_is_found_again() -> None:
    channel = Channel(dies_after=True)
    with pytest.raises(KeyboardInterrupt):
        told(channel, about("case-a"))
    channel.dies_after, channel.now = False, NOW + 3 * HOURS
    it = told(channel, about("case-a"))
    assert len(channel.messages) == 1
    assert it.message.notices[0].ts == channel.messages[0]["ts"]


def test_one_that_slack_refused_is_said_later() -> None:
    channel = Channel(fails={"chat.postMessage": SlackError("ratelimited")})
    it = about("case-a")
    with pytest.raises(SlackError):
        told(channel, it)
    assert len(told(channel, it).message.notices) == len(channel.messages) == 1


def test_beyond_ten_an_hour_one_message_counts_the_rest() -> None:
    channel = Channel(pages=3)
    cases = [told(channel, about(f"case-{n}")) for n in range(MOST_AN_HOUR + 3)]
    assert len(channel.messages) == MOST_AN_HOUR + 1
    assert "3 more warnings" in channel.messages[-1]["text"]
    assert "thread_ts" not in channel.messages[-1], "it speaks of several cases"
    assert not cases[-1].message.notices[0].ts
    assert told(channel, about(f"case-{MOST_AN_HOUR + 1}")).message.notices[0].told_at
    assert "3 more warnings" in channel.messages[-1]["text"], "it stands there already"
    channel.now = NOW + HOURS + MINUTE
    told(channel, about("case-later"))
    assert len(channel.messages) == MOST_AN_HOUR + 2


def test_what_can_not_be_edited_stays() -> None:
    channel = Channel()
    it = noticed(replace(told(channel, about("case-a")), outcome=None), NOW + DAY)
    channel.fails = {"chat.update": SlackError("edit_window_closed")}
    assert told(channel, it).message.notices[0].is_settled
    channel.fails = {"chat.update": SlackError("missing_scope")}
    assert told(channel, it).message.notices[0].is_settled, "only a person can help"
    channel.fails = {"chat.update": SlackError("ratelimited")}
    with pytest.raises(SlackError):
        told(channel, it)


def test_what_others_write_is_not_counted() -> None:
    channel = Channel()
    odd = [
        {},
        {"event_type": "unlatch_notice"},
        {"event_type": "unlatch_notice", "event_payload": {"ids": 3}},
    ]
    for number, metadata in enumerate(odd):
        channel.messages.append({"ts": f"{NOW.timestamp() + number}", "metadata": metadata})
    told(channel, about("case-a"))
    assert len(channel.messages) == 4


def test_one_that_is_over_before_it_was_said_is_not_said() -> None:
    channel = Channel()
    over = replace(about("case-a").message.notices[0], over_at=NOW + timedelta(1))
    it = about("case-a")
    assert isinstance(over, Notice)
    told(channel, replace(it, message=replace(it.message, notices=(over,))))
    assert not channel.messages

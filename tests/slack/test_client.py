"""Slack's Web API over real HTTP: what it refuses, what it does not answer, and a token that was rotated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chalicelib.slack.client import SlackClient, SlackFailed
from sandbox.clock import Clock
from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN, CHANNEL


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


def test_a_refusal_carries_slacks_word(slack: LocalSlack) -> None:
    call = SlackClient(Token(BOT_TOKEN), slack.url).call
    with pytest.raises(SlackFailed) as failed:
        call("chat.update", channel=CHANNEL, ts="1.1", text="x")
    assert (failed.value.code, failed.value.retry_after) == ("message_not_found", 0)


def test_a_rotated_token_is_read_again_once(slack: LocalSlack) -> None:
    token = Token("xoxb-old")
    assert SlackClient(token, slack.url).call("users.info", user="alice")["user"]
    assert token.asked == [False, True]


def test_a_token_that_stays_wrong_is_a_failure(slack: LocalSlack) -> None:
    token = Token("xoxb-old", now="xoxb-older")
    with pytest.raises(SlackFailed, match="invalid_auth"):
        SlackClient(token, slack.url).call("users.info", user="alice")
    assert token.asked == [False, True]


def test_a_slack_that_is_away_gives_no_answer(slack: LocalSlack) -> None:
    slack.down(True)
    with pytest.raises(SlackFailed, match="no_answer"):
        SlackClient(Token(BOT_TOKEN), slack.url).call("users.info", user="alice")

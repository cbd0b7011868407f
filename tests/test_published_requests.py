"""Slack's published samples at the bot's endpoints, and its published replies: each is answered or refused in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.slack.replies import SHAPES, SlackError, believed
from sandbox.clock import Clock
from sandbox.slack.delivery import sealed
from tests.slack.published import COMMAND, INTERACTIONS, REFUSALS, REPLIES, Json
from tests.test_entry_points import COMMANDS, deployed, post, sent, slack
from tests.test_entry_points import INTERACTIONS as CLICKS

__all__ = ["deployed", "slack"]

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("name", INTERACTIONS)
def test_an_interaction_is_answered(name: str) -> None:
    """Nothing of it is a case of ours, so nothing is done; the person or the log is told."""
    reply = post(CLICKS, {"payload": json.dumps(INTERACTIONS[name])})
    assert reply["statusCode"] == 200, reply["body"]


def test_a_command_is_answered_in_words() -> None:
    reply = post(COMMANDS, COMMAND)
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["text"]


def test_slacks_own_requests() -> None:
    assert post(CLICKS, {"ssl_check": "1", "token": "a-token-of-old"})["statusCode"] == 200
    told = {"type": "url_verification", "token": "a-token-of-old", "challenge": "3eZbrw1a"}
    envelope = sealed(json.dumps(told), Clock(datetime.now(UTC)))
    headers = {**envelope.headers, "Content-Type": "application/json"}
    assert sent(CLICKS, envelope.body, headers)["body"] == "3eZbrw1a"


def believe(method: str, told: Json) -> dict[str, Any]:
    return believed(method, 200, {}, json.dumps(told).encode(), now=NOW)


@pytest.mark.parametrize("method", REPLIES)
def test_a_reply_counts_as_whole(method: str) -> None:
    assert believe(method, REPLIES[method]) == REPLIES[method]


def test_each_method_with_a_shape_has_a_sample() -> None:
    assert set(SHAPES) <= set(REPLIES)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_known_by_its_word(name: str) -> None:
    with pytest.raises(SlackError) as failed:
        believe("chat.postMessage", REFUSALS[name])
    assert failed.value.code == REFUSALS[name]["error"]

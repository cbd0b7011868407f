"""The entry points by which Slack opens the Home tab and a digest opens a case: signed, and answered whatever comes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.slack.api import LocalSlack
from sandbox.slack.delivery import sealed
from tests.test_entry_points import (
    COMMANDS,
    INTERACTIONS,
    deployed,
    post,
    pressed,
    sent,
    slack,
    typed,
)

__all__ = ["deployed", "slack"]
EVENTS = "/slack/events"


def told(event: Any, *, signature: str = "good") -> dict[str, Any]:
    body = event if isinstance(event, str) else json.dumps(event)
    envelope = sealed(body, Clock(datetime.now(UTC)), signature=signature)
    headers = {**envelope.headers, "Content-Type": "application/json"}
    return sent(EVENTS, envelope.body, headers)


def opened(tab: str = "home") -> dict[str, Any]:
    event = {"type": "app_home_opened", "user": "alice", "tab": tab, "channel": "D1"}
    return {"type": "event_callback", "team_id": "T0UNLATCH", "event": event}


def test_the_home_tab_is_written_when_somebody_opens_it(slack: LocalSlack) -> None:
    post(COMMANDS, typed("cluster-2a3b4c5d6e7"))
    assert told(opened())["statusCode"] == 200
    shown = json.dumps(slack.homes["alice"].blocks)
    assert "Open: 1" in shown, "who started it can't approve it"
    assert "cluster-2a3b4c5d6e7" in shown


@pytest.mark.parametrize("event", [opened("messages"), {"type": "event_callback"}, {}, []])
def test_any_other_event_is_taken_and_means_nothing(slack: LocalSlack, event: Any) -> None:
    assert told(event)["statusCode"] == 200
    assert slack.homes == {}


def test_what_slack_did_not_sign_writes_nothing(slack: LocalSlack) -> None:
    assert told(opened(), signature="bad")["statusCode"] == 401
    assert told("{")["statusCode"] == 400
    assert slack.homes == {}
    proof = {"type": "url_verification", "challenge": "3eZbrw1a"}
    assert told(proof)["body"] == "3eZbrw1a"


def test_the_button_beside_an_idle_cluster_opens_a_case(slack: LocalSlack) -> None:
    value = "123456789012/us-east-1/cluster-2a3b4c5d6e7"
    body = pressed("open:cluster-2a3b4c5d6e7", "x")
    body["payload"] = body["payload"].replace("x:0", value)
    assert post(INTERACTIONS, body)["statusCode"] == 200
    assert "Started" in slack.ephemerals[-1].text


def test_help_and_scan_are_answered_at_once() -> None:
    assert "/unlatch scan" in post(COMMANDS, typed("help", by="carol"))["body"]
    assert "No scan has been made yet" in post(COMMANDS, typed("scan"))["body"]

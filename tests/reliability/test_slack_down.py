"""Slack is away for a whole approved remediation: the work goes on, and the message catches up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib.domain.state.case import Outcome
from tests.flows.bench import Bench, key, world
from tests.flows.engine import Engine
from tests.reliability.figures import TRIED

Make = Callable[..., Bench]


def test_the_remediation_completes_and_the_message_catches_up(bench: Make) -> None:
    it = bench(world(key(1)))
    engine = Engine(it)
    engine.deliver(it.failed())
    (case_id, _), *_ = it.runs.started
    engine.go(until=lambda: bool(it.case(case_id).message.ts))
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    it.slack.down = True
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.RETIRED
    assert it.case(case_id).turns < 1_500, "Slack gets its chances, but not every minute for a week"
    assert it.aws.model.world.cluster is None
    assert it.case(case_id).message.is_behind
    away = it.clock.now + timedelta(hours=6)
    engine.go(until=lambda: it.clock.now > away)
    assert engine.living, "somebody has to tell the end"
    it.slack.down = False
    engine.go(until=lambda: not engine.living)
    case = it.case(case_id)
    assert not case.message.is_behind
    assert case.message.shown == "closed"
    assert [e.number for e in it.slack.lines] == list(range(1, case.log_length + 1))
    TRIED["remediations with Slack away from approval to end"] += 1


def test_nobody_can_be_asked_while_slack_is_away_and_time_does_not_run_out(bench: Make) -> None:
    it = bench(world())
    it.slack.down = True
    engine = Engine(it)
    engine.deliver(it.failed())
    (case_id, _), *_ = it.runs.started
    away = it.clock.now + timedelta(hours=40)
    engine.go(until=lambda: it.clock.now > away)
    assert not it.case(case_id).is_closed, "24 hours count from the message"
    it.slack.down = False
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.EXPIRED
    asked = away + timedelta(hours=24)
    assert asked <= it.clock.now < asked + timedelta(minutes=10)

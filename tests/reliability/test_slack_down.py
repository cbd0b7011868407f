"""Slack is away for a whole approved remediation: the work goes on, and the message catches up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import cast

from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import TemporaryError
from chalicelib.ports import Inventory
from tests.flows.engine import Engine, approved, asked
from tests.flows.stand import Stand, key, world
from tests.reliability.figures import TRIED
from tests.reliability.profiles import SLOWLY

pytestmark = [*SLOWLY]
Make = Callable[..., Stand]


class Unread:
    """An inventory that AWS keeps from looking while `busy`."""

    def __init__(self, inventory: object) -> None:
        self.inventory, self.busy = inventory, False

    def __getattr__(self, name: str) -> object:
        return getattr(self.inventory, name)

    def snapshot(self, case: Case, *, now: object) -> Snapshot:
        if self.busy:
            raise TemporaryError("AWS is busy (ThrottlingException)")
        seen: Snapshot = self.inventory.snapshot(case, now=now)  # type: ignore[attr-defined]  # any
        return seen


def test_an_end_that_is_told_late_waits_until_aws_can_be_read(stand: Make) -> None:
    """The turn that closed the case died before it could tell anybody."""
    it = stand(world(key(1)))
    unread = Unread(it.ports.inventory)
    it.ports = replace(it.ports, inventory=cast("Inventory", unread))
    engine, case_id = asked(it)
    it.approve("alice", "park", case_id)
    it.slack.down = True
    engine.go(until=lambda: it.case(case_id).is_closed)
    it.slack.down, unread.busy = False, True
    told, later = len(it.slack.worlds), it.clock.now + timedelta(hours=2)
    engine.go(until=lambda: it.clock.now > later)
    assert engine.living
    assert len(it.slack.worlds) == told, "nothing is said without a look"
    unread.busy = False
    engine.go(until=lambda: not engine.living)
    assert it.slack.worlds[-1]
    assert [k.key_id for k in it.slack.worlds[-1].keys] == ["key-1"]
    assert it.case(case_id).outcome is Outcome.PARKED


def test_the_remediation_completes_and_the_message_catches_up(stand: Make) -> None:
    it = stand(world(key(1)))
    engine, case_id = approved(it)
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
    assert None not in it.slack.worlds, "the end is told by a look, not by nothing"
    assert [e.number for e in it.slack.lines] == list(range(1, case.log_length + 1))
    TRIED["remediations with Slack away from approval to end"] += 1


def test_nobody_can_be_asked_while_slack_is_away_and_time_does_not_run_out(stand: Make) -> None:
    it = stand(world())
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

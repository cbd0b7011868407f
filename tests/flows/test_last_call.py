"""While keys that a case scheduled wait, it lives: in every phase it hears of uses and gives the last call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.audit_log import Entry, Kind
from chalicelib.domain.state.case import Case, KeyUse, Outcome, Phase
from chalicelib.domain.state.plan import Operation
from chalicelib.failures import Code, PermanentError, TemporaryError
from chalicelib.flows.record_use import record_use
from tests.flows.stand import HUB, REGION, Stand, key, world
from tests.flows.test_flows import opened

Make = Callable[..., Stand]
DAY = timedelta(days=1)


def waiting(it: Stand) -> None:
    """Nothing happens."""


def asked_again(it: Stand) -> None:
    """Somebody makes a key."""
    now = it.aws.seen()
    it.aws.model.world = replace(now, keys=(*now.keys, key(9)))


def stopped(it: Stand) -> None:
    """AWS refuses the second key."""

    def refuse(_: Call, target: str) -> None:
        if target == "key-2":
            raise PermanentError("AWS refused kms:ScheduleKeyDeletion: denied.", "Allow it.")

    it.aws.before = refuse


def frozen(it: Stand) -> None:
    """A freeze comes while AWS can't take the second key."""

    def freeze(_: Call, target: str) -> None:
        if target == "key-2":
            it.brake.reason = "an incident"
            raise TemporaryError("AWS is busy (ThrottlingException)")

    it.aws.before = freeze


def blind(it: Stand) -> None:
    """AWS refuses to list the keys."""
    it.aws.seen = lambda: replace(  # type: ignore[method-assign]  # a stand
        it.aws.model.at(it.clock.now), unread=("kms:ListKeys was refused",), keys=()
    )


def cancelled_in_vain(it: Stand) -> None:
    """A policy of the first key denies that its deletion be cancelled."""

    def refuse(call: Call, target: str) -> None:
        if call.operation is Operation.CANCEL_KEY_DELETION and target == "key-1":
            raise PermanentError(
                "AWS refused kms:CancelKeyDeletion: denied.", "Allow it.", code=Code.DENIED
            )

    it.aws.before = refuse
    (case_id, _), *_ = it.runs.started
    it.click("bob", "cancel", case_id)


PHASES: list[tuple[Callable[[Stand], None], Callable[[Stand], None], Phase, Outcome | None]] = [
    (waiting, waiting, Phase.RUNNING, None),
    (waiting, asked_again, Phase.WAITING, None),
    (stopped, waiting, Phase.CLOSED, Outcome.STOPPED),
    (frozen, waiting, Phase.RUNNING, None),
    (waiting, cancelled_in_vain, Phase.CLOSED, Outcome.STOPPED),
    (waiting, blind, Phase.RUNNING, None),
]


def told(it: Stand, case_id: str, kind: Kind) -> list[Entry]:
    return [entry for entry in it.stored.entries(case_id) if entry.kind is kind]


def _wait(it: Stand, case_id: str, end: datetime) -> None:
    """A look every two hours: a frozen case takes one every few minutes, and each finds the same."""
    while it.clock.now < end:
        it.turn(case_id)
        it.clock.now = min(it.clock.now + timedelta(hours=2), end)
    it.turn(case_id)


def has_scheduled(case: Case) -> bool:
    return bool(case.calls)


@pytest.mark.parametrize(
    ("before", "after", "phase", "outcome"),
    PHASES,
    ids=["running", "asked again", "stopped", "frozen", "cancelled in vain", "blind"],
)
def test_uses_are_heard_and_the_last_call_is_given(
    stand: Make,
    before: Callable[[Stand], None],
    after: Callable[[Stand], None],
    phase: Phase,
    outcome: Outcome | None,
) -> None:
    it = stand(world(key(1), key(2)))
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    before(it)
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    it.run(case_id, until=has_scheduled)
    began = it.clock.now
    after(it)
    it.run(case_id, until=lambda c: c.phase is phase, most=20)
    _wait(it, case_id, began + 4 * DAY)
    use = KeyUse("use-1", it.clock.now, "key-1", "role billing", "Decrypt")
    assert record_use(it.ports, use, account=HUB, region=REGION) == (case_id,)
    _wait(it, case_id, began + 7 * DAY - timedelta(hours=1))
    case = it.case(case_id)
    assert (case.phase, case.outcome) == (phase, outcome)
    assert len(told(it, case_id, Kind.KEY_USED)) == 1
    (call,) = [e for e in told(it, case_id, Kind.REMINDED) if e["what"] == "keys"]
    assert call.at >= began + 6 * DAY - timedelta(hours=1)

"""AWS refuses a read while a plan is under way: nothing is done, nothing is lost, and the message says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.snapshot import Key, KeyState, LastUse, Snapshot
from chalicelib.failures import PermanentError
from tests.flows.answers import private
from tests.flows.engine import Engine
from tests.flows.stand import Stand, key, world

Make = Callable[..., Stand]
PARTS = {
    "key stores": {"key_stores": (), "keys": (), "unread": ("kms:ListKeys was refused",)},
    "the cluster": {"cluster": None, "unread": ("cloudhsm:DescribeClusters was refused",)},
    "keys": {"keys": (), "unread": ("kms:ListKeys was refused",)},
}


A_KEY, A_USE = "one key", "the use of a key"


class HalfBlind:
    """The inventory, of which a part is refused while `part` is set."""

    def __init__(self, inventory: object) -> None:
        self.inventory = inventory
        self.part = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.inventory, name)

    def snapshot(self, case: Case, *, now: object) -> Snapshot:
        if self.part == "the role":
            raise PermanentError("AWS refused sts:AssumeRole: access denied.", "Allow it.")
        seen: Snapshot = self.inventory.snapshot(case, now=now)  # type: ignore[attr-defined]  # any
        if self.part == A_KEY:
            hidden = (
                Key(k.key_id, KeyState.UNKNOWN, None, unread="kms:DescribeKey was refused")
                for k in seen.keys
            )
            return replace(seen, keys=tuple(hidden))
        if self.part == A_USE:
            untold = (replace(k, last_use=LastUse()) for k in seen.keys)
            return replace(seen, keys=tuple(untold))
        return replace(seen, **PARTS[self.part]) if self.part else seen  # type: ignore[arg-type]  # parts of one


def under_way(it: Stand, remedy: str) -> tuple[Engine, str, HalfBlind]:
    inventory = HalfBlind(it.ports.inventory)
    it.ports = replace(it.ports, inventory=inventory)  # type: ignore[arg-type]  # by __getattr__
    engine = Engine(it)
    engine.deliver(it.failed())
    (case_id, _), *_ = it.runs.started
    engine.go(until=lambda: bool(it.case(case_id).message.ts))
    it.approve("alice", remedy, case_id)
    it.approve("bob", remedy, case_id)
    engine.go(until=lambda: bool(it.aws.landed))
    return engine, case_id, inventory


@pytest.mark.parametrize("part", [*PARTS, A_KEY, "the role"])
@pytest.mark.parametrize(
    ("remedy", "outcome"), [("park", Outcome.PARKED), ("retire", Outcome.RETIRED)]
)
def test_it_waits_and_goes_on(stand: Make, part: str, remedy: str, outcome: Outcome) -> None:
    it = stand(world(key(1)))
    engine, case_id, inventory = under_way(it, remedy)
    inventory.part, landed = part, len(it.aws.landed)
    healed = it.clock.now + timedelta(hours=3)
    engine.go(until=lambda: it.clock.now > healed)
    case = it.case(case_id)
    assert case.phase is Phase.RUNNING
    assert "must be allowed to read" in case.waiting_for
    assert len(it.aws.landed) == landed
    assert [p.case_id for p in it.stored.pointers()] == [case_id], "its keys stay watched"
    inventory.part = ""
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is outcome, "with the approvals that it had"


def test_a_use_that_is_not_told_makes_nobody_approve_again(stand: Make) -> None:
    it = stand(world(key(1)))
    engine, case_id, inventory = under_way(it, "park")
    inventory.part = A_USE
    engine.go(until=lambda: "GetKeyLastUsage" in it.case(case_id).waiting_for)
    inventory.part = ""
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.PARKED


@pytest.mark.parametrize("part", [*PARTS, "the role"])
def test_cancel_works_meanwhile_and_ends_with_a_sentence(stand: Make, part: str) -> None:
    it = stand(world(key(1)))
    engine, case_id, inventory = under_way(it, "retire")
    inventory.part = part
    engine.go(until=lambda: "must be allowed" in it.case(case_id).waiting_for)
    assert private(it.click("alice", "cancel", case_id)) == ""
    engine.go(until=lambda: it.case(case_id).is_closed)
    case = it.case(case_id)
    assert case.outcome is Outcome.STOPPED
    assert case.reason
    assert case.advice
    inventory.part = ""
    it.click("alice", "refresh", case_id)
    engine.go(until=lambda: it.case(case_id).outcome is Outcome.CANCELLED)
    assert [str(k.state) for k in it.aws.model.world.keys] == ["Enabled"]

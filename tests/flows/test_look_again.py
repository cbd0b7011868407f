"""Stores and cluster are read once more straight before a call that depends on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.answers import Answer, Recorded
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.snapshot import Snapshot, StoreState
from chalicelib.failures import PermanentError, TemporaryError
from tests.flows.stand import Stand, key, world
from tests.flows.test_flows import opened

Make = Callable[..., Stand]
Change = Callable[[Snapshot], Snapshot]


class Late:
    """An inventory whose world changes between the look and the one straight before the call."""

    def __init__(self, inventory: object, change: Change) -> None:
        self._inventory, self._change = inventory, change
        self.again = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inventory, name)

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:
        self.again += 1
        return self._change(seen)


def approved_with(stand: Make, change: Change) -> tuple[Stand, str, Late]:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", case_id)
    late = Late(it.ports.inventory, change)
    inventory: Any = late
    it.ports = replace(it.ports, inventory=inventory)
    it.approve("bob", "retire", case_id)
    return it, case_id, late


def other_store(seen: Snapshot) -> Snapshot:
    (mine,) = seen.key_stores
    return replace(seen, key_stores=(replace(mine, key_store_id="cks-2", name="orders"), mine))


def off(seen: Snapshot) -> Snapshot:
    (mine,) = seen.key_stores
    return replace(seen, key_stores=(replace(mine, state=StoreState.DISCONNECTING),))


def busy(_: Snapshot) -> Snapshot:
    raise TemporaryError("AWS is busy (ThrottlingException)")


def refused(_: Snapshot) -> Snapshot:
    raise PermanentError("AWS refused sts:AssumeRole: access denied.", "Allow it.")


CHANGES: list[tuple[str, Change, Phase]] = [
    ("another store came", other_store, Phase.WAITING),
    ("the store is disconnecting already", off, Phase.RUNNING),
    ("the store does not show", lambda seen: replace(seen, key_stores=()), Phase.WAITING),
    ("AWS can't now", busy, Phase.WAITING),
    ("the role can't be assumed", refused, Phase.WAITING),
]


@pytest.mark.parametrize(("why", "change", "phase"), CHANGES, ids=[c[0] for c in CHANGES])
def test_no_call_is_made_on_what_was_so_a_moment_ago(
    stand: Make, why: str, change: Change, phase: Phase
) -> None:
    it, case_id, late = approved_with(stand, change)
    it.turn(case_id)
    assert late.again == 1
    assert it.aws.operations == [], why
    assert it.case(case_id).phase is phase


def test_each_of_the_four_calls_is_preceded_by_it(stand: Make) -> None:
    it, case_id, late = approved_with(stand, lambda seen: it.aws.seen())
    it.run(case_id, until=lambda c: c.is_closed)
    calls = it.aws.operations
    assert late.again == len(calls) - calls.count("ModifyBackupAttributes") == 5


def test_a_cancel_in_the_very_turn_of_a_call_comes_first(stand: Make) -> None:
    """Clicked while the turn reads AWS for the last time: nothing is done on what it had loaded."""
    clicked: list[Answer] = []

    def click(seen: Snapshot) -> Snapshot:
        if it.aws.operations == ["DisconnectCustomKeyStore"] and not clicked:
            clicked.append(it.click("bob", "cancel", case_id))
        return it.aws.seen()

    it, case_id, _ = approved_with(stand, click)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert clicked == [Recorded()]
    assert case.outcome is Outcome.CANCELLED
    assert it.aws.operations == ["DisconnectCustomKeyStore", "ConnectCustomKeyStore"]


def undoing(stand: Make, change: Change) -> tuple[Stand, str, Late]:
    """A store that was off was connected for its key; a cancel has brought the key back."""
    it = stand(world(key(1), store=StoreState.DISCONNECTED))
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", case_id, override="in_use")
    it.approve("bob", "retire", case_id, override="in_use")
    it.approve("erin", "retire", case_id, override="in_use")
    it.run(case_id, until=lambda c: "KMS deletes" in c.waiting_for)
    late = Late(it.ports.inventory, change)
    inventory: Any = late
    it.ports = replace(it.ports, inventory=inventory)
    it.click("bob", "cancel", case_id)
    it.run(case_id, until=lambda c: c.is_closed or late.again > 0)
    return it, case_id, late


def test_the_disconnect_of_an_undo_is_preceded_by_it_too(stand: Make) -> None:
    it, case_id, late = undoing(stand, lambda seen: seen)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert (late.again, it.aws.operations.count("DisconnectCustomKeyStore")) == (1, 1)
    assert case.outcome is Outcome.CANCELLED


@pytest.mark.parametrize("change", [off, lambda seen: replace(seen, key_stores=()), busy, refused])
def test_no_disconnect_of_an_undo_is_made_on_what_was_so_a_moment_ago(
    stand: Make, change: Change
) -> None:
    it, case_id, late = undoing(stand, change)
    it.turn(case_id)
    assert late.again
    assert "DisconnectCustomKeyStore" not in it.aws.operations

"""The last word before a call: what the plan does not name, and what is final, needs people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.preconditions import check_preconditions
from chalicelib.domain.rules.step import Ask, Call, Step, Wait
from chalicelib.domain.state.case import Difference
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Remedy
from chalicelib.domain.state.snapshot import Snapshot, StoreState
from tests.domain.scenes import offer, scene
from tests.domain.worlds import (
    CLUSTER,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    cluster,
    key,
    sibling,
    store,
    world,
    yes,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
START = world(key("a"), key("b"), held=store(StoreState.DISCONNECTED), siblings=(sibling(),))
BLIND = replace(START, unread=("kms:ListKeys was refused",))
NO_BACKUP = replace(START, cluster=cluster("1a", "1b", backups=()))
ON = Call(Operation.CONNECT_KEY_STORE, (STORE,), "why")
SCHEDULE = Call(Operation.SCHEDULE_KEY_DELETION, ("key-a", "key-b"), "why")
OFF = Call(Operation.DISCONNECT_KEY_STORE, (STORE,), "why")
MOVE = Call(Operation.UPDATE_KEY_STORE, (STORE,), "why", to_cluster=OTHER_CLUSTER)
DELETE = Call(Operation.DELETE_KEY_STORE, (STORE,), "why")
HSM = Call(Operation.DELETE_HSM, ("1a",), "why")
BACKUP = Call(Operation.KEEP_BACKUP, (NEWEST_BACKUP,), "why")
END = Call(Operation.DELETE_CLUSTER, (CLUSTER,), "why")
ROWS: list[tuple[str, Remedy, Snapshot, Step, str]] = [
    ("all is well", R, START, SCHEDULE, ""),
    ("a wait is no call", R, BLIND, Wait(1, "why"), ""),
    ("keys that can’t be seen", R, BLIND, SCHEDULE, "Everything could be read"),
    ("no backup", R, NO_BACKUP, SCHEDULE, "A backup that is ready"),
    ("connecting leads back", R, BLIND, ON, ""),
    ("retire’s disconnect orphans keys", R, BLIND, OFF, "Everything could be read"),
    ("park’s does not", P, replace(BLIND, key_stores=(store(),)), OFF, ""),
    ("park deletes HSMs all the same", P, BLIND, HSM, ""),
    ("moving a store is not final", M, BLIND, MOVE, ""),
    ("deleting the store is", R, BLIND, DELETE, "Everything could be read"),
    ("deleting HSMs is, in retire", R, BLIND, HSM, "Everything could be read"),
    ("deleting HSMs is, in repoint", M, NO_BACKUP, HSM, "A backup that is ready"),
    ("deleting the cluster is", R, BLIND, END, "Everything could be read"),
    ("keeping a backup is not", R, BLIND, BACKUP, ""),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "step", "check"), ROWS, ids=[r[0] for r in ROWS])  # fmt: skip
def test_nothing_final_behind_a_closed_check(
    why: str, remedy: Remedy, snapshot: Snapshot, step: Step, check: str
) -> None:
    found = check_preconditions(
        step, scene(remedy, snapshot, basis=START if step != OFF else world(key("a")))
    )
    if not check:
        assert found == step, why
        return
    assert isinstance(found, Ask)
    assert [gate.check for gate in found.gates] == [check], why
    assert found.differences == ()


def test_what_the_plan_does_not_name_is_asked_for() -> None:
    it = scene(R, START)
    strange = replace(SCHEDULE, targets=("key-a", "key-z", "key-y"))
    what = Difference("ScheduleKeyDeletion on key-y", "not in the plan", "needed now")
    assert check_preconditions(strange, it) == Ask(differences=(what,))
    other = Difference(f"UpdateCustomKeyStore on {STORE}", "not in the plan", "needed now")
    assert check_preconditions(MOVE, it) == Ask(differences=(other,)), "named, but for another call"
    assert check_preconditions(replace(SCHEDULE, targets=("key-b",)), it).targets == ("key-b",)  # type: ignore[union-attr]


TWO_DAYS = replace(POLICY, go_again_after=48)
OLDER = Ask(differences=(Difference("Last approval", "48 h old at most", "older"),))


def late(step: Step, *ages: timedelta, hours: int = 48) -> Step:
    """The step, if people said yes so long ago."""
    plan = offer(R, START, policy=TWO_DAYS)
    approved = tuple(yes("alice", plan, NOW - age) for age in ages)
    it = scene(R, START, policy=replace(POLICY, go_again_after=hours), approved=approved)
    return check_preconditions(step, it)


def test_a_late_point_of_no_return_needs_one_fresh_yes() -> None:
    for final in (DELETE, END):
        assert late(final, 48 * HOURS) == OLDER
        assert late(final, 48 * HOURS - MINUTE) == final
        assert late(final, 90 * HOURS, HOURS) == final, "the last yes counts"
        assert late(final, HOURS, 90 * HOURS) == final
        assert late(final, 90 * HOURS, hours=0) == final, "only where the setting asks for it"
        assert late(final) == final
    assert late(HSM, 90 * HOURS) == HSM

"""Which step a plan is at: by our calls and by what AWS shows, never by the time alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.progress import (
    LongWait,
    Milestone,
    Standing,
    last_stop,
    milestones,
    place_now,
    progress,
    records,
)
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.case import CallRecord, Outcome, Phase
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Remedy
from chalicelib.domain.state.snapshot import Backup, KeyState, Snapshot, StoreState
from tests.domain.scenes import made, offer, scene
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    cluster,
    key,
    sibling,
    store,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
O = Operation  # noqa: E741  # thirty rows name one
OFF = store(StoreState.DISCONNECTED)
START = world(key("a"), key("b"), siblings=(sibling(),))
ASLEEP = world(key("a"), held=OFF)
GOING = world(key("a", state=KeyState.PENDING_DELETION), held=store())
WATCHED = replace(POLICY, quarantine_days=7)


def shown(remedy: Remedy, snapshot: Snapshot, *calls: CallRecord, **values: object) -> PlanContext:
    """A plan approved and called on so far, and its last look."""
    it = scene(remedy, snapshot, *calls, **values)  # type: ignore[arg-type]  # basis, policy, case
    return replace(it, case=replace(it.case, snapshot=snapshot))


def steps(found: list[Milestone]) -> list[object]:
    return [milestone.operation or milestone.wait for milestone in found]


def test_a_retirement_waits_for_its_keys_before_the_store() -> None:
    found = milestones(offer(R, START))
    assert steps(found) == [
        O.SCHEDULE_KEY_DELETION,
        LongWait.KEYS_GO,
        O.DISCONNECT_KEY_STORE,
        O.DELETE_KEY_STORE,
        O.DELETE_HSM,
        O.KEEP_BACKUP,
        O.DELETE_CLUSTER,
    ]
    assert [milestone.is_final for milestone in found].index(True) == 1
    assert sum(milestone.is_final for milestone in found) == 1
    assert last_stop(found) == 4


def test_a_store_that_is_reconnected_first_waits_once() -> None:
    failed = world(key("a"), held=store(StoreState.FAILED))
    found = milestones(offer(R, failed))
    assert steps(found)[:5] == [
        O.DISCONNECT_KEY_STORE,
        O.CONNECT_KEY_STORE,
        O.SCHEDULE_KEY_DELETION,
        LongWait.KEYS_GO,
        O.DISCONNECT_KEY_STORE,
    ]


def test_the_last_way_back_of_each_remedy() -> None:
    def final(remedy: Remedy, snapshot: Snapshot) -> tuple[object, int | None]:
        found = milestones(offer(remedy, snapshot))
        marked = [
            milestone.operation or milestone.wait for milestone in found if milestone.is_final
        ]
        return (marked[0] if marked else None), last_stop(found)

    assert final(P, START) == (None, None)
    assert final(M, START) == (O.DELETE_HSM, 7)
    assert final(R, world()) == (O.DELETE_KEY_STORE, 2)
    assert final(R, world(free=True)) == (O.DELETE_CLUSTER, 3)
    bare = world(key("a"), siblings=(sibling(),), cluster=cluster())
    assert final(M, bare) == (O.DELETE_CLUSTER, 7)


def test_a_repoint_soaks_before_its_backup() -> None:
    found = steps(milestones(offer(M, START)))
    assert found[found.index(LongWait.SOAK) + 1] is O.KEEP_BACKUP
    plan = offer(M, START)
    kept = replace(plan, calls=tuple(c for c in plan.calls if c.operation is not O.KEEP_BACKUP))
    found = steps(milestones(kept))
    assert found[found.index(LongWait.SOAK) + 1] is O.DELETE_HSM
    assert LongWait.SOAK not in steps(milestones(replace(plan, soak_days=0)))


EMPTY, GONE = world(held=OFF), world(free=True, keys_seen=0)
NO_HSM = world(free=True, cluster=cluster())
BACKED = replace(
    NO_HSM, cluster=cluster(backups=(Backup("b-1", BackupState.READY, NOW, never_expires=True),))
)
CALLS = {
    O.SCHEDULE_KEY_DELETION: "key-a",
    O.DISCONNECT_KEY_STORE: STORE,
    O.DELETE_KEY_STORE: STORE,
    O.DELETE_HSM: "1a",
    O.KEEP_BACKUP: NEWEST_BACKUP,
    O.DELETE_CLUSTER: CLUSTER,
}
ROWS: list[tuple[str, Remedy, Snapshot, list[Operation], object]] = [
    ("nothing called yet", R, world(key("a")), [], O.SCHEDULE_KEY_DELETION),
    ("called, and not shown yet", R, world(key("a")), [O.SCHEDULE_KEY_DELETION], O.SCHEDULE_KEY_DELETION),
    ("the keys wait", R, GOING, [O.SCHEDULE_KEY_DELETION], LongWait.KEYS_GO),
    ("they are gone", R, world(), [O.SCHEDULE_KEY_DELETION], O.DISCONNECT_KEY_STORE),
    ("disconnected", R, EMPTY, [O.DISCONNECT_KEY_STORE], O.DELETE_KEY_STORE),
    ("disconnected by somebody, keys alive", R, ASLEEP, [], O.SCHEDULE_KEY_DELETION),
    ("a later call counts for all before", R, world(key("a")), [O.DELETE_KEY_STORE], O.DELETE_KEY_STORE),
    ("no store", R, GONE, [O.DELETE_KEY_STORE], O.DELETE_HSM),
    ("no HSM", R, NO_HSM, [O.DELETE_HSM], O.KEEP_BACKUP),
    ("the backup is kept", R, BACKED, [O.KEEP_BACKUP], O.DELETE_CLUSTER),
    ("the cluster is gone", R, world(free=True, cluster=None), [O.DELETE_CLUSTER], O.DELETE_CLUSTER),
    ("no cluster, so no backup to keep", R, world(free=True, cluster=None), [O.DELETE_HSM], O.DELETE_CLUSTER),
    ("parking", P, ASLEEP, [O.DISCONNECT_KEY_STORE], O.DELETE_HSM),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "seen", "called", "here"), ROWS, ids=[r[0] for r in ROWS])  # fmt: skip
def test_where_a_plan_is(
    why: str, remedy: Remedy, seen: Snapshot, called: list[Operation], here: object
) -> None:
    calls = [made(operation, CALLS[operation]) for operation in called]
    it = shown(remedy, seen, *calls, basis=world(key("a")), phase=Phase.RUNNING)
    found = progress(it)
    place = place_now(found)
    assert (found[place - 1].operation or found[place - 1].wait) is here, why
    assert found[place - 1].standing is Standing.NOW
    assert {milestone.standing for milestone in found[: place - 1]} <= {Standing.DONE}
    assert {milestone.standing for milestone in found[place:]} <= {Standing.NEXT}


def test_a_case_that_was_never_looked_at_is_at_its_first_step() -> None:
    it = scene(R, world(free=True, cluster=None), basis=START)
    assert it.case.snapshot is None
    assert place_now(progress(it)) == 1


def test_a_closed_case_has_all_steps_done_or_one_that_failed() -> None:
    gone = world(free=True, cluster=None)
    it = shown(R, gone, made(O.DELETE_CLUSTER, CLUSTER), basis=START)
    over = replace(it, case=replace(it.case, phase=Phase.CLOSED, outcome=Outcome.RETIRED))
    found = progress(over)
    assert {milestone.standing for milestone in found} == {Standing.DONE}
    assert place_now(found) == len(found)
    stuck = shown(R, START, phase=Phase.CLOSED, outcome=Outcome.STOPPED, basis=START)
    assert progress(stuck)[0].standing is Standing.FAILED
    assert place_now(progress(stuck)) == 1


def test_records_are_this_plans_oldest_first() -> None:
    calls = (
        made(O.SCHEDULE_KEY_DELETION, "key-b", ago=HOURS),
        made(O.SCHEDULE_KEY_DELETION, "key-a", ago=2 * HOURS),
        made(O.SCHEDULE_KEY_DELETION, "key-c"),
        made(O.DISABLE_KEY, "key-a"),
        made(O.SCHEDULE_KEY_DELETION, "key-a", plan_hash="another"),
    )
    found = records(milestones(offer(R, START))[0], shown(R, START, *calls))
    assert [call.target for call in found] == ["key-a", "key-b"]
    assert all(call.operation is O.SCHEDULE_KEY_DELETION for call in found)


def watch(*calls: CallRecord, state: KeyState = KeyState.DISABLED) -> object:
    seen = world(key("a", state=state))
    it = shown(R, seen, *calls, basis=world(key("a")), policy=WATCHED)
    found = progress(it)
    return found[place_now(found) - 1].operation


def test_a_watch_lasts_its_days_from_the_last_key_on() -> None:
    assert watch() is O.DISABLE_KEY
    assert watch(made(O.DISABLE_KEY, "key-a", ago=7 * DAY)) is O.SCHEDULE_KEY_DELETION
    almost = 7 * DAY - timedelta(seconds=1)
    assert watch(made(O.DISABLE_KEY, "key-a", ago=almost)) is O.DISABLE_KEY
    on = made(O.DISABLE_KEY, "key-a", ago=9 * DAY)
    assert watch(on, state=KeyState.ENABLED) is O.DISABLE_KEY


def moved(state: StoreState = StoreState.CONNECTED, *calls: CallRecord, **values: object) -> object:
    there = store(state, cluster_id=OTHER_CLUSTER)
    seen = replace(world(key("a"), free=True, siblings=(sibling(),)), key_stores=(there,))
    one = world(key("a"), siblings=(sibling(),))
    it = shown(M, seen, *calls, basis=one, **values)
    found = progress(it)
    milestone = found[place_now(found) - 1]
    return milestone.operation or milestone.wait


UPDATE, CONNECT = made(O.UPDATE_KEY_STORE), made(O.CONNECT_KEY_STORE)
PROVED = made(O.PROVE_KEY, "key-a")


def test_a_repoint_goes_on_by_what_is_shown() -> None:
    assert moved(StoreState.DISCONNECTED, UPDATE) is O.CONNECT_KEY_STORE
    assert moved(StoreState.CONNECTING, UPDATE, CONNECT) is O.CONNECT_KEY_STORE
    assert moved(StoreState.CONNECTED, UPDATE, CONNECT) is O.PROVE_KEY
    assert moved(StoreState.CONNECTED, UPDATE, CONNECT, PROVED) is LongWait.SOAK
    since = {"soaking_since": NOW - 7 * DAY}
    assert moved(StoreState.CONNECTED, UPDATE, CONNECT, PROVED, **since) is O.KEEP_BACKUP
    early = {"soaking_since": NOW - 7 * DAY + timedelta(seconds=1)}
    assert moved(StoreState.CONNECTED, UPDATE, CONNECT, PROVED, **early) is LongWait.SOAK
    here = world(key("a"), held=OFF, siblings=(sibling(),))
    it = shown(M, here, made(O.DISCONNECT_KEY_STORE), basis=START)
    assert progress(it)[place_now(progress(it)) - 1].operation is O.UPDATE_KEY_STORE


def test_the_second_disconnect_counts_only_after_what_is_between() -> None:
    failed = world(key("a"), held=store(StoreState.FAILED))
    first = made(O.DISCONNECT_KEY_STORE, ago=3 * HOURS)
    at_first = shown(R, ASLEEP, first, basis=failed)
    assert place_now(progress(at_first)) == 2
    between = (made(O.CONNECT_KEY_STORE, ago=2 * HOURS), made(O.SCHEDULE_KEY_DELETION, "key-a"))
    later = replace(first, at=NOW)
    at_second = shown(R, world(), *between, later, basis=failed)
    assert place_now(progress(at_second)) == 5
    waiting = shown(R, GOING, *between, first, basis=failed)
    assert place_now(progress(waiting)) == 4

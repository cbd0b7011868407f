"""The small world behind forecasts: what each call does there, and when AWS's own transitions end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import Durations, SimulatedAws, with_hsm, without_hsm
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation
from chalicelib.domain.state.snapshot import NO_OTHERS, Backup, Hsm, KeyState, Snapshot, StoreState
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    STORE,
    busy,
    cluster,
    hsms,
    key,
    store,
    world,
)

S, K = StoreState, KeyState
TIMES = Durations(
    disconnect=timedelta(minutes=1),
    connect=timedelta(minutes=2),
    create_hsm=timedelta(minutes=3),
    delete_hsm=timedelta(minutes=4),
    delete_cluster=timedelta(minutes=5),
)
SECOND = timedelta(seconds=1)
OTHERS = replace(store(S.CONNECTED, cluster_id="c-2"), key_store_id="cks-2")
START = world(key("a"), key("b"), other_use=busy(7, interfaces=("eni-1",)))
START = replace(START, key_stores=(store(), OTHERS))
OFF = replace(START, key_stores=(store(S.DISCONNECTED), OTHERS))
CALLED = NOW + HOURS


def call(
    operation: Operation, target: str = STORE, *, start: Snapshot = START, **values: object
) -> Callable[[datetime], Snapshot]:
    """The world after one call, at any time after."""

    def at(when: datetime) -> Snapshot:
        model = SimulatedAws(start, TIMES)
        step = Call(operation, (target,), "why", **values)  # type: ignore[arg-type]
        model.call(step, target, CALLED)
        return replace(model.at(when), at=NOW)

    return at


def states(snapshot: Snapshot) -> list[str]:
    """The states of the HSMs, by zone."""
    assert snapshot.cluster
    return [f"{hsm.zone} {hsm.state}" for hsm in snapshot.cluster.hsms]


def test_a_key_is_deleted_when_its_window_ends() -> None:
    after = call(Operation.SCHEDULE_KEY_DELETION, "key-a", window_days=7)
    end = CALLED + 7 * DAY
    dying = replace(key("a"), state=K.PENDING_DELETION, deletion_date=end)
    assert after(CALLED) == after(end - SECOND) == replace(START, keys=(dying, key("b")))
    assert after(end) == replace(START, keys=(key("b"),))


def test_a_key_whose_date_is_unknown_stays() -> None:
    unknown = key("a", K.PENDING_DELETION, deletion_date=None)
    model = SimulatedAws(world(unknown), TIMES)
    assert model.at(NOW + 99 * DAY).keys == (unknown,)


def test_what_is_done_to_a_key_is_done_to_that_key_alone() -> None:
    dying = replace(START, keys=(key("a", K.PENDING_DELETION), key("b", K.PENDING_DELETION)))
    back = call(Operation.CANCEL_KEY_DELETION, "key-a", start=dying)(CALLED)
    off = replace(key("a"), state=K.DISABLED, deletion_date=None)
    assert back.keys == (off, key("b", K.PENDING_DELETION))
    assert call(Operation.DISABLE_KEY, "key-b")(CALLED).keys == (key("a"), key("b", K.DISABLED))
    on = call(Operation.ENABLE_KEY, "key-b", start=replace(START, keys=(key("b", K.DISABLED),)))
    assert on(CALLED).keys == (key("b"),)


def test_disconnecting_ends_kms_s_own_sessions() -> None:
    after = call(Operation.DISCONNECT_KEY_STORE)
    going = replace(START, key_stores=(store(S.DISCONNECTING), OTHERS))
    assert after(CALLED) == after(CALLED + MINUTE - SECOND) == going
    quiet = replace(START.other_use, hsms=NO_OTHERS.hsms)
    assert after(CALLED + MINUTE) == replace(OFF, other_use=quiet)


def test_connecting_takes_its_time() -> None:
    after = call(Operation.CONNECT_KEY_STORE, start=OFF)
    coming = replace(START, key_stores=(store(S.CONNECTING), OTHERS))
    assert after(CALLED) == after(CALLED + 2 * MINUTE - SECOND) == coming
    assert after(CALLED + 2 * MINUTE) == START


TWO_GOING = tuple(Hsm(f"hsm-{n}", HsmState.DELETE_IN_PROGRESS, "1a") for n in range(2))
TWO_COMING = tuple(Hsm(f"hsm-{n}", HsmState.CREATE_IN_PROGRESS, "1b") for n in range(2, 4))


def test_two_things_under_way_both_end() -> None:
    for operation, start, state in (
        (Operation.DISCONNECT_KEY_STORE, START, S.DISCONNECTED),
        (Operation.CONNECT_KEY_STORE, START, S.CONNECTED),
    ):
        model = SimulatedAws(start, TIMES)
        for held in start.key_stores:
            model.call(Call(operation, (held.key_store_id,), "why"), held.key_store_id, CALLED)
        assert [s.state for s in model.at(CALLED + HOURS).key_stores] == [state, state]
    model = SimulatedAws(START, TIMES)
    for zone in ("1a", "1b"):
        model.call(Call(Operation.DELETE_HSM, (zone,), "why"), zone, CALLED)
    assert states(model.at(CALLED + HOURS)) == []
    before = world(cluster=cluster(hsms=(*TWO_GOING, *TWO_COMING)))
    assert states(SimulatedAws(before, TIMES).at(NOW + HOURS)) == ["1b ACTIVE", "1b ACTIVE"]


def test_a_later_call_on_the_same_store_is_the_one_that_ends() -> None:
    model = SimulatedAws(OFF, TIMES)
    for operation, when in (
        (Operation.CONNECT_KEY_STORE, CALLED),
        (Operation.DISCONNECT_KEY_STORE, CALLED + MINUTE),
    ):
        model.call(Call(operation, (STORE,), "why"), STORE, when)
    assert model.at(CALLED + HOURS).key_stores[0].state is S.DISCONNECTED


def test_a_store_is_moved_or_deleted_at_once_and_alone() -> None:
    moved = call(Operation.UPDATE_KEY_STORE, start=OFF, to_cluster=OTHER_CLUSTER)(CALLED)
    there = store(S.DISCONNECTED, cluster_id=OTHER_CLUSTER)
    assert moved == replace(OFF, key_stores=(there, OTHERS))
    gone = call(Operation.DELETE_KEY_STORE, start=OFF)(CALLED)
    assert gone == replace(OFF, key_stores=(OTHERS,))


def test_deleting_an_hsm_makes_a_backup_and_takes_its_time() -> None:
    after = call(Operation.DELETE_HSM, "1b#2")
    end = CALLED + 4 * MINUTE
    assert states(after(CALLED)) == states(after(end - SECOND)) == ["1a ACTIVE", "1b DELETE_IN_PROGRESS"]  # fmt: skip
    assert states(after(end)) == ["1a ACTIVE"]
    made = after(CALLED).cluster
    assert made
    assert made.backups == (
        Backup("backup-1", BackupState.READY, NOW - 2 * HOURS),
        Backup("backup-1", BackupState.READY, CALLED),
    )


def test_creating_an_hsm_takes_its_time() -> None:
    after = call(Operation.CREATE_HSM, "1b#2")
    end = CALLED + 3 * MINUTE
    assert states(after(CALLED)) == states(after(end - SECOND)) == ["1a ACTIVE", "1b ACTIVE", "1b CREATE_IN_PROGRESS"]  # fmt: skip
    assert states(after(end)) == ["1a ACTIVE", "1b ACTIVE", "1b ACTIVE"]
    model = SimulatedAws(world(zones=()), TIMES)
    for label in ("1a", "1a#2"):
        model.call(Call(Operation.CREATE_HSM, (label,), "why"), label, CALLED)
    both = model.at(end).live_hsms
    assert [h.state for h in both] == ["ACTIVE", "ACTIVE"]
    assert len({h.hsm_id for h in both}) == 2


OLD, NEW = Backup("old", BackupState.READY, NOW - DAY), Backup("new", BackupState.READY, NOW)


def test_the_newest_backup_is_kept_and_no_other() -> None:
    start = replace(START, cluster=cluster("1a", backups=(NEW, OLD)))
    kept = call(Operation.KEEP_BACKUP, NEWEST_BACKUP, start=start)(CALLED).cluster
    assert kept
    assert kept.backups == (replace(NEW, never_expires=True), OLD)


def test_the_cluster_goes_in_the_end() -> None:
    after = call(Operation.DELETE_CLUSTER, CLUSTER)
    end = CALLED + 5 * MINUTE
    going = replace(cluster("1a", "1b"), state=ClusterState.DELETE_IN_PROGRESS)
    assert after(CALLED) == after(end - SECOND) == replace(START, cluster=going)
    assert after(end) == replace(START, cluster=None)


def test_a_call_that_changes_no_state_changes_nothing() -> None:
    assert call(Operation.PROVE_KEY, "key-a")(CALLED) == START


MIXED = cluster(
    hsms=(
        *hsms("1a"),
        Hsm("hsm-2", HsmState.DELETE_IN_PROGRESS, "1b"),
        Hsm("hsm-3", HsmState.CREATE_IN_PROGRESS, "1c"),
    )
)
UNDER_WAY = replace(
    START,
    at=CALLED,
    cluster=MIXED,
    key_stores=(store(S.CONNECTING), replace(OTHERS, state=S.DISCONNECTING)),
)


@pytest.mark.parametrize(
    ("minutes", "stores", "shown"),
    [
        (0, [S.CONNECTING, S.DISCONNECTING], ["1a ACTIVE", "1b DELETE_IN_PROGRESS", "1c CREATE_IN_PROGRESS"]),
        (1, [S.CONNECTING, S.DISCONNECTED], ["1a ACTIVE", "1b DELETE_IN_PROGRESS", "1c CREATE_IN_PROGRESS"]),
        (2, [S.CONNECTED, S.DISCONNECTED], ["1a ACTIVE", "1b DELETE_IN_PROGRESS", "1c CREATE_IN_PROGRESS"]),
        (3, [S.CONNECTED, S.DISCONNECTED], ["1a ACTIVE", "1b DELETE_IN_PROGRESS", "1c ACTIVE"]),
        (4, [S.CONNECTED, S.DISCONNECTED], ["1a ACTIVE", "1c ACTIVE"]),
    ],
)  # fmt: skip
def test_what_was_under_way_ends_too(
    minutes: int, stores: list[StoreState], shown: list[str]
) -> None:
    model = SimulatedAws(UNDER_WAY, TIMES)
    when = CALLED + minutes * MINUTE
    now = model.at(when)
    assert [s.state for s in now.key_stores] == stores
    assert states(now) == shown
    assert (now.at, model.world) == (when, now)
    assert states(SimulatedAws(UNDER_WAY, TIMES).at(when - SECOND)) != shown or minutes < 3


def test_each_transition_ends_once() -> None:
    model = SimulatedAws(UNDER_WAY, TIMES)
    model.at(CALLED + HOURS)
    model.world = replace(model.world, key_stores=(store(S.FAILED),))
    assert model.at(CALLED + 2 * HOURS).key_stores == (store(S.FAILED),)


def test_what_happens_to_a_cluster_that_is_gone_is_nothing() -> None:
    gone = replace(START, cluster=None)
    assert without_hsm("hsm-1a-0")(gone) == with_hsm(Hsm("x", HsmState.ACTIVE, "1a"))(gone) == gone
    assert SimulatedAws(gone, TIMES).at(NOW) == gone

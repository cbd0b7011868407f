"""Retire, step by step: keys first and with KMS connected, and the last backup kept for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.remedies import retire
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.step import Ask, Call, Wait
from chalicelib.domain.state.case import Before, CallRecord, Difference
from chalicelib.domain.state.hsm_states import BackupState, HsmState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Backup, Key, KeyState, Snapshot, StoreState
from tests.domain.scenes import JUST, Told, made, offer, scene, told
from tests.domain.worlds import (
    ACCOUNT,
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    REGION,
    STORE,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    world,
)

R = Remedy.RETIRE
S = StoreState
DISABLE, SCHEDULE = Operation.DISABLE_KEY, Operation.SCHEDULE_KEY_DELETION
Calls = tuple[CallRecord, ...]

KEYS = (key("b"), key("a", KeyState.DISABLED))
LIVE = world(*KEYS)
DYING = tuple(replace(k, state=KeyState.PENDING_DELETION, deletion_date=NOW + DAY) for k in KEYS)
GO = Call(SCHEDULE, ("key-b", "key-a"), "scheduling the deletion of the keys", window_days=30)
GONE = "KMS deletes the keys on 3 Mar, 09:00 UTC"
KEY_STEPS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("all live", LIVE, (), GO),
    ("one going already", world(KEYS[0], DYING[1]), (), replace(GO, targets=("key-b",))),
    ("one just done", LIVE, (made(SCHEDULE, "key-b", ago=JUST),), replace(GO, targets=("key-a",))),
    ("both just done", LIVE, (made(SCHEDULE, "key-b", ago=JUST), made(SCHEDULE, "key-a", ago=JUST)), "KMS does not show the scheduled deletions yet"),
    ("both going", world(*DYING), (), GONE),
    ("the last one counts", world(DYING[0], replace(DYING[1], deletion_date=NOW + HOURS)), (), GONE),
    ("an hour left", world(replace(DYING[0], deletion_date=NOW + HOURS)), (), "KMS deletes the keys on 2 Mar, 10:00 UTC"),
    ("nobody knows when", world(replace(DYING[0], deletion_date=None)), (), "KMS deletes the keys on 2 Mar, 09:00 UTC"),
    ("a store that is off", world(*KEYS, held=store(S.DISCONNECTED)), (), Call(Operation.CONNECT_KEY_STORE, (STORE,), "connecting the key store, so that KMS can delete its keys")),
    ("a store that is off, keys going", world(*DYING, held=store(S.DISCONNECTED)), (), Call(Operation.CONNECT_KEY_STORE, (STORE,), "connecting the key store, so that KMS can delete its keys")),
    ("no key left", world(), (), Call(Operation.DISCONNECT_KEY_STORE, (STORE,), "disconnecting the key store")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), KEY_STEPS, ids=[r[0] for r in KEY_STEPS])  # fmt: skip
def test_keys_first(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert told(retire.next_step(scene(R, snapshot, *calls, basis=LIVE))) == step, why


@pytest.mark.parametrize("keys", [KEYS, DYING], ids=["live", "going"])
def test_a_failed_store_with_keys_is_disconnected_only_by_a_plan_that_connects_it(
    keys: tuple[Key, ...],
) -> None:
    failed = world(*keys, held=store(S.FAILED, error="NETWORK_ERRORS"))
    why = Difference("Key store payments", "connected", "failed (NETWORK_ERRORS)")
    assert retire.next_step(scene(R, failed, basis=LIVE)) == Ask((why,))
    planned = retire.next_step(scene(R, failed, basis=failed))
    assert isinstance(planned, Call)
    assert planned.operation is Operation.DISCONNECT_KEY_STORE


def test_a_key_that_the_plan_does_not_name_is_not_scheduled() -> None:
    step = retire.next_step(scene(R, world(*KEYS, key("new")), basis=LIVE))
    assert step == GO


OFF = world(held=store(S.DISCONNECTED), zones=())
NO_STORE = world(free=True, zones=())
DELETE = Operation.DELETE_KEY_STORE
KEEP = Call(Operation.KEEP_BACKUP, (NEWEST_BACKUP,), "keeping the newest backup for good")
END = Call(Operation.DELETE_CLUSTER, (CLUSTER,), "deleting the cluster")


def with_backups(*backups: Backup) -> Snapshot:
    return replace(NO_STORE, cluster=cluster(backups=backups))


OLD = Backup("old", BackupState.READY, NOW - 5 * DAY)
NEW = Backup("new", BackupState.READY, NOW - HOURS)
FOR_GOOD = replace(NEW, never_expires=True)
MAKING = Backup("next", BackupState.CREATE_IN_PROGRESS, NOW)
LATER_STEPS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("an empty store that is off", OFF, (), Call(DELETE, (STORE,), "deleting the key store")),
    ("deleted just now", OFF, (made(DELETE, ago=JUST),), "KMS still shows the deleted store"),
    ("deleted long ago, and there", OFF, (made(DELETE),), Call(DELETE, (STORE,), "deleting the key store")),
    ("HSMs", world(free=True, zones=("1a",)), (), Call(Operation.DELETE_HSM, ("1a",), "deleting the HSMs")),
    ("a backup to keep", with_backups(OLD, NEW), (), KEEP),
    ("an older one is kept", with_backups(replace(OLD, never_expires=True), NEW), (), KEEP),
    ("the newest is kept", with_backups(OLD, FOR_GOOD), (), END),
    ("none is there", with_backups(), (), END),
    ("one in the making", with_backups(FOR_GOOD, MAKING), (), "the last backup is being made"),
    ("just kept", with_backups(NEW), (made(Operation.KEEP_BACKUP, NEWEST_BACKUP, ago=JUST),), "making sure that the backup is kept"),
    ("kept long ago, and not so", with_backups(NEW), (made(Operation.KEEP_BACKUP, NEWEST_BACKUP),), KEEP),
    ("the cluster is gone", replace(NO_STORE, cluster=None), (), "the cluster is being deleted"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), LATER_STEPS, ids=[r[0] for r in LATER_STEPS])  # fmt: skip
def test_then_the_store_the_hsms_the_backup_the_cluster(
    why: str, snapshot: Snapshot, calls: Calls, step: Told
) -> None:
    it = scene(R, snapshot, *calls, basis=world(), quiet_since=NOW - HOURS)
    assert told(retire.next_step(it)) == step, why


def test_the_store_is_not_deleted_before_the_quiet_time_is_over() -> None:
    snapshot = world(held=store(S.DISCONNECTED))
    step = retire.next_step(scene(R, snapshot))
    assert isinstance(step, Wait)
    assert step.why == "checking that no other program uses the HSMs"
    after = retire.next_step(scene(R, snapshot, quiet_since=NOW - HOURS))
    assert after == Call(DELETE, (STORE,), "deleting the key store")


SEVEN = replace(POLICY, quarantine_days=7)
WATCHED = tuple(replace(k, state=KeyState.DISABLED) for k in KEYS)
BEFORE = Before(NOW - 2 * DAY, None, (), (), CLUSTER)
SWITCH = Call(DISABLE, ("key-b",), "disabling the keys, to see who needs them")
WATCH = "the keys are disabled and watched until 8 Mar"
QUARANTINE: list[tuple[str, Snapshot, Calls, Before | None, Told]] = [
    ("one is enabled", LIVE, (), None, SWITCH),
    ("one was disabled, and is enabled", LIVE, (made(DISABLE, "key-b"),), None, SWITCH),
    ("not visible yet", LIVE, (made(DISABLE, "key-b", ago=JUST),), None, "the keys are disabled and watched until 9 Mar"),
    ("a day ago", world(*WATCHED), (made(DISABLE, "key-b", ago=DAY),), BEFORE, WATCH),
    ("an hour left", world(*WATCHED), (made(DISABLE, "key-b", ago=7 * DAY - HOURS),), None, "the keys are disabled and watched until 2 Mar"),
    ("the last one counts", world(*WATCHED), (made(DISABLE, "key-b", ago=9 * DAY), made(DISABLE, "key-a", ago=DAY)), None, WATCH),
    ("other calls don’t count", world(*WATCHED), (made(DISABLE, "key-b", ago=8 * DAY), made(Operation.CONNECT_KEY_STORE)), None, Ask()),
    ("a week ago", world(*WATCHED), (made(DISABLE, "key-b", ago=7 * DAY),), None, Ask()),
    ("others disabled them", world(*WATCHED), (), BEFORE, "the keys are disabled and watched until 7 Mar"),
    ("others did, nothing recorded", world(*WATCHED), (), None, "the keys are disabled and watched until 9 Mar"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "before", "step"), QUARANTINE, ids=[r[0] for r in QUARANTINE])  # fmt: skip
def test_where_asked_for_the_keys_are_disabled_and_watched_first(
    why: str, snapshot: Snapshot, calls: Calls, before: Before | None, step: Told
) -> None:
    it = scene(R, snapshot, *calls, basis=LIVE, policy=SEVEN, before=before)
    assert told(retire.next_step(it)) == step, why


def test_an_hour_before_a_date_retire_waits_for_an_hour() -> None:
    soon = replace(DYING[0], deletion_date=NOW + HOURS)
    earlier = replace(DYING[1], deletion_date=NOW + MINUTE)
    assert retire.next_step(scene(R, world(earlier, soon), basis=LIVE)) == Wait(
        3_601, "KMS deletes the keys on 2 Mar, 10:00 UTC"
    )
    disabled = made(DISABLE, "key-b", ago=7 * DAY - HOURS)
    assert retire.next_step(scene(R, world(*WATCHED), disabled, basis=LIVE, policy=SEVEN)) == Wait(
        3_601, "the keys are disabled and watched until 2 Mar"
    )


def test_thousands_of_keys_are_looked_at_more_rarely_while_they_wait() -> None:
    late = replace(DYING[0], deletion_date=NOW + 30 * DAY)
    many = tuple(replace(late, key_id=f"key-{number}") for number in range(2_000))
    few, all_of_them = (retire.next_step(scene(R, world(*k), basis=LIVE)) for k in (many[:2], many))
    assert isinstance(few, Wait)
    assert isinstance(all_of_them, Wait)
    assert all_of_them.seconds > few.seconds


def is_watched(snapshot: Snapshot, *calls: CallRecord, policy: Policy = SEVEN) -> bool:
    return retire.watched(situation(snapshot, case=case(calls=calls), policy=policy))


def test_what_needs_no_watch_any_more() -> None:
    off = world(*WATCHED)
    assert is_watched(off), "disabled by others: nothing of ours to watch"
    assert not is_watched(LIVE)
    assert not is_watched(off, made(DISABLE, "key-a", ago=7 * DAY - MINUTE))
    assert is_watched(off, made(DISABLE, "key-a", ago=7 * DAY))
    assert not is_watched(off, made(DISABLE, "key-a", ago=9 * DAY), made(DISABLE, "key-b"))
    assert is_watched(off, made(SCHEDULE, "key-a", ago=JUST), made(DISABLE, "key-x", ago=JUST))


def test_a_plan_says_where_it_acts_and_under_what_terms() -> None:
    plan = offer(R, LIVE, policy=replace(SEVEN, pending_window_days=11))
    assert (plan.account, plan.region, plan.cluster_id) == (ACCOUNT, REGION, CLUSTER)
    assert (plan.remedy, plan.key_store_id) == (R, STORE)
    assert (plan.window_days, plan.quarantine_days) == (11, 7)
    assert plan.names(DISABLE) == plan.names(SCHEDULE) == ("key-a", "key-b")
    assert [key.key_id for key in plan.basis.keys] == ["key-a", "key-b"]
    assert (plan.terms.people, plan.after_click) == (2, 0)
    going = offer(R, world(*DYING), policy=SEVEN)
    assert (going.window_days, going.quarantine_days) == (0, 0), "nothing to schedule or disable"
    assert offer(R, world(free=True)).key_store_id is None
    strict = replace(POLICY, step_up_roles=("arn:aws:iam::111122223333:role/security",))
    assert offer(R, LIVE, policy=strict).terms.step_up


def test_a_plan_waits_first_where_all_its_keys_are_going_already() -> None:
    assert offer(R, world(*DYING)).waits_first is True
    for snapshot in (LIVE, world(), world(DYING[0], KEYS[0])):
        assert offer(R, snapshot).waits_first is False


def planned(snapshot: Snapshot, **values: Any) -> Plan | str:
    return retire.plan(situation(snapshot, case=case(**values)))


def test_retire_is_refused_where_kms_could_not_delete_the_keys() -> None:
    assert "the cluster is gone" in str(planned(world(cluster=None)))
    assert planned(world(cluster=None, free=True)) == "Retire is not needed: the cluster is gone."
    dead = world(*KEYS, cluster=cluster(hsms=hsms("1a", state=HsmState.CREATE_IN_PROGRESS)))
    assert planned(dead) == (
        "Retire is not possible: KMS can delete its keys only while the cluster has an active "
        "HSM. Add one first."
    )
    assert "Rescue comes first" in str(planned(world(*KEYS, cluster=cluster())))
    half = cluster(hsms=(*hsms("1a", state=HsmState.DEGRADED), *hsms("1b")))
    assert isinstance(planned(world(*KEYS, cluster=half)), Plan)
    assert isinstance(planned(world(zones=())), Plan), "no keys, so no HSM is needed"
    moving = world(*KEYS, siblings=(sibling(),))
    moved = replace(moving, key_stores=(store(cluster_id=OTHER_CLUSTER),))
    assert planned(moved, last_plan=offer(Remedy.REPOINT, moving)) == (
        "Retire is not possible: the key store is already on the other cluster. Repoint goes on "
        "from there; Cancel brings it back."
    )

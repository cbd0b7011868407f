"""Retire: delete the keys, the store, the HSMs and the cluster, keys first and with KMS connected."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.approval import terms
from chalicelib.domain.case import Case, Difference
from chalicelib.domain.pace import SOON, until
from chalicelib.domain.plan import NEWEST_BACKUP, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies.scene import (
    Scene,
    basis_of,
    connect,
    delete_cluster,
    delete_hsms,
    disconnect,
    keep_backup,
    moved_store,
    quiet,
    zone_labels,
)
from chalicelib.domain.snapshot import Key, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.step import Ask, Call, Step, Wait
from chalicelib.domain.waiting import until_next


def plan(snapshot: Snapshot, *, case: Case, policy: Policy, now: datetime) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    impossible = _impossible(snapshot, case)
    if impossible:
        return impossible
    is_watched = watched(snapshot, case=case, policy=policy, now=now)
    quarantine = 0 if is_watched else policy.quarantine_days
    basis = basis_of(snapshot, policy=policy, now=now)
    return Plan(
        remedy=Remedy.RETIRE,
        account=snapshot.account,
        region=snapshot.region,
        cluster_id=snapshot.cluster_id,
        key_store_id=snapshot.holder.key_store_id if snapshot.holder else None,
        calls=(*_key_calls(snapshot, quarantine), *_other_calls(snapshot, basis.zones)),
        basis=basis,
        terms=terms(Remedy.RETIRE, snapshot, case=case, policy=policy, now=now),
        window_days=policy.pending_window_days if snapshot.live_keys else 0,
        quarantine_days=quarantine,
        after_click=case.reset_at_click,
    )


def _impossible(snapshot: Snapshot, case: Case) -> str:
    if snapshot.cluster is None:
        return "Retire is not needed: the cluster is gone."
    if snapshot.live_keys and not has_active_hsm(snapshot):
        return (
            "Retire is not possible: KMS can delete its keys only while the cluster has an "
            "active HSM. Add one first."
        )
    if moved_store(case, snapshot):
        return (
            "Retire is not possible: the key store is already on the other cluster. Repoint goes "
            "on from there; Cancel brings it back."
        )
    return ""


def has_active_hsm(snapshot: Snapshot) -> bool:
    """The store can connect: without an active HSM it can't, and key material stays behind."""
    return any(hsm.state == "ACTIVE" for hsm in snapshot.live_hsms)


def watched(snapshot: Snapshot, *, case: Case, policy: Policy, now: datetime) -> bool:
    """Nothing is left to quarantine: every live key is disabled, and those by us for long enough."""
    if any(key.state is not KeyState.DISABLED for key in snapshot.live_keys):
        return False
    disabled = [
        call.at
        for key in snapshot.live_keys
        if (call := case.call(Operation.DISABLE_KEY, key.key_id))
    ]
    return not disabled or now - max(disabled) >= timedelta(days=policy.quarantine_days)


def _other_calls(snapshot: Snapshot, zones: tuple[str, ...]) -> list[PlannedCall]:
    """Once no key is left: the store, the HSMs, the cluster."""
    calls = []
    holder = snapshot.holder
    if holder:
        calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, (holder.key_store_id,)))
        calls.append(PlannedCall(Operation.DELETE_KEY_STORE, (holder.key_store_id,)))
    if zones:
        calls.append(PlannedCall(Operation.DELETE_HSM, zone_labels(zones)))
    if snapshot.cluster and not snapshot.cluster.was_never_activated:
        calls.append(PlannedCall(Operation.KEEP_BACKUP, (NEWEST_BACKUP,)))
    calls.append(PlannedCall(Operation.DELETE_CLUSTER, (snapshot.cluster_id,)))
    return calls


def _key_calls(snapshot: Snapshot, quarantine_days: int) -> list[PlannedCall]:
    holder, live = snapshot.holder, snapshot.live_keys
    calls: list[PlannedCall] = []
    if holder and snapshot.keys and has_active_hsm(snapshot):
        if holder.state is StoreState.FAILED:
            calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, (holder.key_store_id,)))
        if holder.state not in (StoreState.CONNECTED, StoreState.CONNECTING):
            calls.append(PlannedCall(Operation.CONNECT_KEY_STORE, (holder.key_store_id,)))
    if not holder or not live:
        return calls
    ids = tuple(sorted(key.key_id for key in live))
    if quarantine_days:
        calls.append(PlannedCall(Operation.DISABLE_KEY, ids))
    calls.append(PlannedCall(Operation.SCHEDULE_KEY_DELETION, ids))
    return calls


def next_step(scene: Scene) -> Step:
    """What this plan does next in this world; each call is legal and still needed here."""
    store = scene.store
    if store is not None:
        return _keys(scene, store) or _store(scene, store.key_store_id)
    return quiet(scene) or delete_hsms(scene) or keep_backup(scene) or delete_cluster(scene)


def _keys(scene: Scene, store: KeyStore) -> Step | None:
    """Keys first. None once the store holds none."""
    planned = set(scene.plan.names(Operation.SCHEDULE_KEY_DELETION))
    live = [k for k in scene.snapshot.live_keys if k.key_id in planned]
    if live:
        return _connected(scene, store) or _quarantine(scene, live) or _schedule(scene, live)
    pending = scene.snapshot.pending_keys
    if pending:
        if step := _connected(scene, store):
            return step
        last = max((k.deletion_date for k in pending if k.deletion_date), default=scene.now)
        return Wait(
            until_next(pending, scene.now), f"KMS deletes the keys on {last:%d %b, %H:%M} UTC"
        )
    return None


def _connected(scene: Scene, store: KeyStore) -> Step | None:
    """KMS deletes keys with their material only while connected. None where the plan says what stays."""
    if scene.plan.left_behind:
        return None
    if store.state is StoreState.FAILED and not scene.plan.names(Operation.CONNECT_KEY_STORE):
        # It would have to be disconnected first, while it holds keys: not without people.
        failed = f"failed ({store.error or 'no reason given'})"
        return Ask((Difference(f"Key store {store.name}", "connected", failed),))
    return connect(scene, store, why="connecting the key store, so that KMS can delete its keys")


def _schedule(scene: Scene, live: list[Key]) -> Step:
    operation = Operation.SCHEDULE_KEY_DELETION
    due = [k.key_id for k in live if not scene.just_did(operation, k.key_id)]
    if not due:
        return Wait(SOON, "KMS takes in the scheduled deletions")
    return Call(
        operation,
        tuple(due),
        "scheduling the deletion of the keys",
        window_days=scene.plan.window_days,
    )


def _quarantine(scene: Scene, live: list[Key]) -> Step | None:
    """Where asked for: disable the keys, watch for days, then ask afresh. None once that is over."""
    if not scene.plan.quarantine_days:
        return None
    enabled = [
        k.key_id
        for k in live
        if k.state is KeyState.ENABLED and not scene.just_did(Operation.DISABLE_KEY, k.key_id)
    ]
    if enabled:
        return Call(
            Operation.DISABLE_KEY, tuple(enabled), "disabling the keys, to see who needs them"
        )
    since = max(
        (c.at for c in scene.case.calls if c.operation is Operation.DISABLE_KEY),
        default=scene.case.before.at if scene.case.before else scene.now,
    )
    end = since + timedelta(days=scene.plan.quarantine_days)
    if scene.now < end:
        return Wait(until(end, scene.now), f"the keys are disabled and watched until {end:%d %b}")
    return Ask()


def _store(scene: Scene, target: str) -> Step:
    """No key is left: disconnect, make sure that nobody else uses the HSMs, delete the store."""
    step = disconnect(scene) or quiet(scene)
    if step:
        return step
    if scene.just_did(Operation.DELETE_KEY_STORE, target):
        return Wait(SOON, "KMS takes in that the store is deleted")
    return Call(Operation.DELETE_KEY_STORE, (target,), "deleting the key store")

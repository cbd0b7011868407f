"""Retire: delete the keys, the store, the HSMs and the cluster, keys first and with KMS connected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.case import Case, Difference
from chalicelib.domain.pace import SOON, until
from chalicelib.domain.plan import NEWEST_BACKUP, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.remedies.planning import moved_store, plan_of
from chalicelib.domain.remedies.steps import (
    connect,
    delete_cluster,
    delete_hsms,
    disconnect,
    keep_backup,
    quiet,
)
from chalicelib.domain.situation import PlanContext, Situation
from chalicelib.domain.snapshot import Key, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.step import Ask, Call, Step, Wait
from chalicelib.domain.waiting import until_next
from chalicelib.domain.zones import zone_labels


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    snapshot, policy = situation.snapshot, situation.policy
    impossible = _impossible(snapshot, situation.case)
    if impossible:
        return impossible
    quarantine = 0 if watched(situation) else policy.quarantine_days
    zones = snapshot.cluster.zones if snapshot.cluster else ()
    calls = (*_key_calls(snapshot, quarantine), *_other_calls(snapshot, zones))
    return replace(
        plan_of(Remedy.RETIRE, situation, store=snapshot.holder, calls=calls),
        window_days=policy.pending_window_days if snapshot.live_keys else 0,
        quarantine_days=quarantine,
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


def watched(situation: Situation) -> bool:
    """Nothing is left to quarantine: every live key is disabled, and those by us for long enough."""
    live = situation.snapshot.live_keys
    if any(key.state is not KeyState.DISABLED for key in live):
        return False
    disabled = [
        call.at for key in live if (call := situation.case.call(Operation.DISABLE_KEY, key.key_id))
    ]
    days = timedelta(days=situation.policy.quarantine_days)
    return not disabled or situation.now - max(disabled) >= days


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


def next_step(context: PlanContext) -> Step:
    """What this plan does next in this world; each call is legal and still needed here."""
    store = context.store
    if store is not None:
        return _keys(context, store) or _store(context, store.key_store_id)
    return quiet(context) or delete_hsms(context) or keep_backup(context) or delete_cluster(context)


def _keys(context: PlanContext, store: KeyStore) -> Step | None:
    """Keys first. None once the store holds none."""
    planned = set(context.plan.names(Operation.SCHEDULE_KEY_DELETION))
    live = [k for k in context.snapshot.live_keys if k.key_id in planned]
    if live:
        return _connected(context, store) or _quarantine(context, live) or _schedule(context, live)
    pending = context.snapshot.pending_keys
    if pending:
        if step := _connected(context, store):
            return step
        last = max((k.deletion_date for k in pending if k.deletion_date), default=context.now)
        return Wait(
            until_next(pending, context.now), f"KMS deletes the keys on {last:%d %b, %H:%M} UTC"
        )
    return None


def _connected(context: PlanContext, store: KeyStore) -> Step | None:
    """KMS deletes keys with their material only while connected. None where the plan says what stays."""
    if context.plan.left_behind:
        return None
    if store.state is StoreState.FAILED and not context.plan.names(Operation.CONNECT_KEY_STORE):
        # It would have to be disconnected first, while it holds keys: not without people.
        failed = f"failed ({store.error or 'no reason given'})"
        return Ask((Difference(f"Key store {store.name}", "connected", failed),))
    return connect(context, store, why="connecting the key store, so that KMS can delete its keys")


def _schedule(context: PlanContext, live: list[Key]) -> Step:
    operation = Operation.SCHEDULE_KEY_DELETION
    due = [k.key_id for k in live if not context.just_did(operation, k.key_id)]
    if not due:
        return Wait(SOON, "KMS takes in the scheduled deletions")
    return Call(
        operation,
        tuple(due),
        "scheduling the deletion of the keys",
        window_days=context.plan.window_days,
    )


def _quarantine(context: PlanContext, live: list[Key]) -> Step | None:
    """Where asked for: disable the keys, watch for days, then ask afresh. None once that is over."""
    if not context.plan.quarantine_days:
        return None
    enabled = [
        k.key_id
        for k in live
        if k.state is KeyState.ENABLED and not context.just_did(Operation.DISABLE_KEY, k.key_id)
    ]
    if enabled:
        return Call(
            Operation.DISABLE_KEY, tuple(enabled), "disabling the keys, to see who needs them"
        )
    since = max(
        (c.at for c in context.case.calls if c.operation is Operation.DISABLE_KEY),
        default=context.case.before.at if context.case.before else context.now,
    )
    end = since + timedelta(days=context.plan.quarantine_days)
    if context.now < end:
        return Wait(until(end, context.now), f"the keys are disabled and watched until {end:%d %b}")
    return Ask()


def _store(context: PlanContext, target: str) -> Step:
    """No key is left: disconnect, make sure that nobody else uses the HSMs, delete the store."""
    step = disconnect(context) or quiet(context)
    if step:
        return step
    if context.just_did(Operation.DELETE_KEY_STORE, target):
        return Wait(SOON, "KMS takes in that the store is deleted")
    return Call(Operation.DELETE_KEY_STORE, (target,), "deleting the key store")

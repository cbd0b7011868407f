"""Retire: delete the keys, the store, the HSMs and the cluster, keys first and with KMS connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.remedies.planning import moved_store, plan_of
from chalicelib.domain.remedies.steps import (
    connect,
    delete_cluster,
    delete_hsms,
    disconnect,
    keep_backup,
    quiet,
)
from chalicelib.domain.rules.outage import outage_in
from chalicelib.domain.rules.polling import SOON, until
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Ask, Call, Step, Wait
from chalicelib.domain.rules.waiting import until_next
from chalicelib.domain.state.case import Difference
from chalicelib.domain.state.dates import day, moment
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import ATTACHED, Key, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.zones import zone_labels

NO_CLUSTER = (
    "Retire is not possible: the cluster is gone, and its key store is not. Rescue comes first."
)


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    snapshot = situation.snapshot
    if snapshot.cluster is None:
        return NO_CLUSTER if snapshot.holder else "Retire is not needed: the cluster is gone."
    return impossible(situation, Remedy.RETIRE) or keys_first(
        Remedy.RETIRE, situation, _other_calls(snapshot)
    )


def keys_first(remedy: Remedy, situation: Situation, then: Sequence[PlannedCall]) -> Plan:
    """The keys' deletion, and the calls that come once none is left."""
    snapshot, policy = situation.snapshot, situation.policy
    quarantine = 0 if watched(situation) else policy.quarantine_days
    return replace(
        plan_of(
            remedy,
            situation,
            store=snapshot.holder,
            calls=(*_key_calls(snapshot, quarantine), *then),
        ),
        window_days=policy.pending_window_days if snapshot.live_keys else 0,
        quarantine_days=quarantine,
    )


def impossible(situation: Situation, remedy: Remedy) -> str:
    """Why the keys can't go properly; "" if they can."""
    snapshot, name = situation.snapshot, remedy.capitalize()
    if snapshot.live_keys and not has_active_hsm(snapshot):
        first = "Rescue comes" if outage_in(situation.case, snapshot) else "Add one"
        return (
            f"{name} is not possible: KMS can delete its keys only while the cluster has an "
            f"active HSM. {first} first."
        )
    if moved_store(situation.case, snapshot):
        return (
            f"{name} is not possible: the key store is already on the other cluster. Repoint goes "
            "on from there; Cancel brings it back."
        )
    return ""


def has_active_hsm(snapshot: Snapshot) -> bool:
    """The store can connect: without an active HSM it can't, and key material stays behind."""
    return any(hsm.state is HsmState.ACTIVE for hsm in snapshot.live_hsms)


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


def store_calls(holder: KeyStore) -> list[PlannedCall]:
    """Once no key is left."""
    operations = (Operation.DISCONNECT_KEY_STORE, Operation.DELETE_KEY_STORE)
    return [PlannedCall(operation, (holder.key_store_id,)) for operation in operations]


def _other_calls(snapshot: Snapshot) -> list[PlannedCall]:
    """Once no key is left: the store, the HSMs, the cluster."""
    calls = store_calls(snapshot.holder) if snapshot.holder else []
    zones = snapshot.cluster.zones if snapshot.cluster else ()
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
        if holder.state not in ATTACHED:
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
        return (
            keys_go(context, store)
            or disconnect(context)
            or quiet(context)
            or delete_store(context, store.key_store_id)
        )
    return quiet(context) or delete_hsms(context) or keep_backup(context) or delete_cluster(context)


def keys_go(context: PlanContext, store: KeyStore) -> Step | None:
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
        return Wait(until_next(pending, context.now), f"KMS deletes the keys on {moment(last)}")
    return None


def _connected(context: PlanContext, store: KeyStore) -> Step | None:
    """KMS deletes keys with their material only while connected. None if the plan says what stays."""
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
        return Wait(SOON, "KMS does not show the scheduled deletions yet")
    return Call(
        operation,
        tuple(due),
        "scheduling the deletion of the keys",
        window_days=context.plan.window_days,
    )


def _quarantine(context: PlanContext, live: list[Key]) -> Step | None:
    """If asked for: disable the keys, watch for days, then ask afresh. None once that is over."""
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
        return Wait(until(end, context.now), f"the keys are disabled and watched until {day(end)}")
    return Ask()


def delete_store(context: PlanContext, target: str) -> Step:
    """No key is left and it is disconnected; before, make sure that nobody else uses HSMs that go too."""
    if context.just_did(Operation.DELETE_KEY_STORE, target):
        return Wait(SOON, "KMS still shows the deleted store")
    return Call(Operation.DELETE_KEY_STORE, (target,), "deleting the key store")

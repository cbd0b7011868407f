"""Repoint: move the store to a sibling cluster, prove each key there, then delete this cluster."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.remedies.planning import moved_store, plan_of
from chalicelib.domain.remedies.steps import (
    connect,
    delete_cluster,
    delete_hsms,
    disconnect,
    keep_backup,
    quiet,
)
from chalicelib.domain.rules.outage import Outage, cluster_in, loss_of
from chalicelib.domain.rules.polling import SOON, until
from chalicelib.domain.rules.proof import failed_proof, was_denied
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Call, Step, Wait
from chalicelib.domain.state.case import CallStatus, Case, Difference
from chalicelib.domain.state.dates import day
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import Cluster, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.domain.state.zones import zone_labels

MAY_WORK = (KeyState.ENABLED, KeyState.UNAVAILABLE)
"""States in which a key can be checked, or may be once its store is connected."""


def targets(snapshot: Snapshot) -> tuple[Cluster, ...]:
    """Sibling clusters (same certificate) that can take the store now, by id."""
    return tuple(
        sorted((c for c in snapshot.siblings if c.can_take_keys), key=lambda c: c.cluster_id)
    )


def plan(situation: Situation, *, target: str = "") -> Plan | str:
    """The plan, or why there is none. If an earlier one moved the store, it goes on from there."""
    case, snapshot = situation.case, situation.snapshot
    cluster, moved = snapshot.cluster, moved_store(case, snapshot)
    store = moved or snapshot.holder
    if store is None and snapshot.unread:
        return "Repoint is not possible: AWS did not show every key store."
    if store is None:
        return "Repoint is not needed: no key store uses the cluster."
    if cluster is None:
        return "Repoint is not possible: the cluster is gone. Rescue comes first."
    if useless := _useless(case, moved, snapshot):
        return useless
    if not snapshot.keys or snapshot.pending_keys:
        return _no_keys_to_move(snapshot)
    unproven = _unproven(snapshot, case)
    able = [moved.cluster_id] if moved else [c.cluster_id for c in targets(snapshot)]
    if not able:
        return _no_target(snapshot)
    calls = _calls(snapshot, cluster, store=store, unproven=unproven)
    return replace(
        plan_of(Remedy.REPOINT, situation, store=store, calls=calls),
        unproven=unproven,
        soak_days=situation.policy.repoint_soak_days,
        target_cluster_id=target if target in able else able[0],
    )


def why_lost(target: str, snapshot: Snapshot) -> str:
    """Why this cluster, which has the key store, can't serve it; "" if it can, or if AWS hides something.

    AWS goes on showing CONNECTED.
    """
    there = cluster_in(snapshot.siblings, target)
    lost = loss_of(there)
    if lost is None or (there is None and snapshot.unread):
        return ""
    if lost is Outage.NO_HSM:
        return "has no HSM left"
    return "is being deleted" if there else "is gone"


def _useless(case: Case, moved: KeyStore | None, snapshot: Snapshot) -> str:
    """Why it would help nobody to move the key store, or to go on from where it is; "" if it would."""
    if moved and (lost := why_lost(moved.cluster_id, snapshot)):
        return (
            f"Repoint is not possible: the cluster that has the key store {lost}. Cancel brings the key "
            "store back."
        )
    if not moved and _frees_nothing(case):
        return (
            "Repoint would not help: the key store would move to a cluster with the same backup "
            "history, and AWS would refuse again."
        )
    return ""


def _frees_nothing(case: Case) -> bool:
    """A new key store was wanted on this very cluster, which a repoint would delete."""
    taken = Trigger.CLUSTER_TAKEN
    return case.trigger is taken and all(
        a.trigger is taken and a.asked in ("", case.cluster_id) for a in case.attempts
    )


def _no_keys_to_move(snapshot: Snapshot) -> str:
    if snapshot.pending_keys:
        return "Repoint is not possible: some keys are waiting for deletion."
    return "Repoint is not needed: there are no keys to move."


def _no_target(snapshot: Snapshot) -> str:
    if not snapshot.siblings:
        return (
            "Repoint is not possible: no other cluster in this account holds a copy of these keys."
        )
    return (
        "Repoint is not possible: no cluster with the same certificate is active with "
        "HSMs in two zones."
    )


def _unproven(snapshot: Snapshot, case: Case) -> tuple[str, ...]:
    """Keys that are switched off, and those that AWS refused us to use: nothing can be shown of them."""
    denied = {call.target for call in case.calls if was_denied(call)}
    off = (key.key_id for key in snapshot.keys if key.state not in MAY_WORK or key.key_id in denied)
    return tuple(sorted(off))


def uncheckable(context: PlanContext) -> tuple[Difference, ...]:
    """Keys that the approvers believed could be checked on the other cluster, and that can't."""
    proved, found = _proved(context.plan, context.case), []
    for key in context.snapshot.keys:
        if key.key_id in proved or key.key_id in context.plan.unproven:
            continue
        call = context.mine(Operation.PROVE_KEY, key.key_id)
        if call and was_denied(call):
            found.append(
                Difference(key.name, "can be checked", "can’t be: AWS refuses Unlatch to use it")
            )
        elif key.state not in MAY_WORK:
            found.append(Difference(key.name, "can be checked", f"is {key.state}, so it can’t be"))
    return tuple(found)


def _calls(
    snapshot: Snapshot, cluster: Cluster, *, store: KeyStore, unproven: tuple[str, ...]
) -> tuple[PlannedCall, ...]:
    """Of moving, proving and deleting, what is still to do."""
    moves = []
    is_here = store.cluster_id == snapshot.cluster_id
    if store.state is not StoreState.DISCONNECTED and (
        is_here or store.state is not StoreState.CONNECTED
    ):
        moves.append(Operation.DISCONNECT_KEY_STORE)
    if is_here:
        moves.append(Operation.UPDATE_KEY_STORE)
    if is_here or store.state is not StoreState.CONNECTED:
        moves.append(Operation.CONNECT_KEY_STORE)
    calls = [PlannedCall(operation, (store.key_store_id,)) for operation in moves]
    to_prove = tuple(k.key_id for k in snapshot.keys if k.key_id not in unproven)
    if to_prove:
        calls.append(PlannedCall(Operation.PROVE_KEY, to_prove))
    calls.append(PlannedCall(Operation.KEEP_BACKUP, (NEWEST_BACKUP,)))
    if cluster.zones:
        calls.append(PlannedCall(Operation.DELETE_HSM, zone_labels(cluster.zones)))
    calls.append(PlannedCall(Operation.DELETE_CLUSTER, (snapshot.cluster_id,)))
    return tuple(calls)


def next_step(context: PlanContext) -> Step:
    """Move, prove, soak, and only then delete what is left behind."""
    return (
        _move(context)
        or _prove(context)
        or _soak(context)
        or quiet(context)
        or _keep_backup(context)
        or delete_hsms(context)
        or delete_cluster(context)
    )


def _keep_backup(context: PlanContext) -> Step | None:
    """Before the HSMs go, whose deletion makes newer ones: that may fail, this one is there."""
    call, cluster = context.mine(Operation.KEEP_BACKUP, NEWEST_BACKUP), context.snapshot.cluster
    if call and cluster and call.status is CallStatus.DONE and _is_kept(cluster, call.at):
        return None
    return keep_backup(context)


def _is_kept(cluster: Cluster, then: datetime) -> bool:
    """What was the newest then is still kept: somebody may have deleted it since."""
    ready = (b for b in cluster.backups if b.is_ready and b.created_at <= then)
    newest = max(ready, key=lambda backup: backup.created_at, default=None)
    return newest is not None and newest.never_expires


def _move(context: PlanContext) -> Step | None:
    """Disconnect, point to the target, connect; None once CONNECTED there."""
    store, plan_ = context.store, context.plan
    assert store is not None, "a store that is gone is a difference, found before"
    if store.cluster_id != plan_.target_cluster_id:
        if context.just_did(Operation.UPDATE_KEY_STORE, store.key_store_id):
            return Wait(SOON, "KMS does not show the new cluster yet")
        return disconnect(context) or Call(
            Operation.UPDATE_KEY_STORE,
            (store.key_store_id,),
            "pointing the key store to the other cluster",
            to_cluster=plan_.target_cluster_id,
        )
    return connect(context, store, why="connecting the key store to the other cluster")


def _prove(context: PlanContext) -> Step | None:
    """Each enabled key makes a data key on the target; None once all have."""
    keys = unproved(context.plan, context.case, context.snapshot)
    if keys:
        why = "making sure that each key works on the other cluster"
        return Call(Operation.PROVE_KEY, keys, why)
    if any(key.state is KeyState.UNAVAILABLE for key in context.snapshot.keys):
        # Nothing is known of such a key, and the store is connected: KMS is still taking that in.
        return Wait(SOON, "KMS is bringing the keys back")
    return None


def unproved(plan_: Plan, case: Case, snapshot: Snapshot) -> tuple[str, ...]:
    """Enabled keys that have not shown yet, for this plan, that they work on the target."""
    denied = {call.target for call in case.calls if was_denied(call)} & set(plan_.unproven)
    known = _proved(plan_, case) | denied
    return tuple(
        key.key_id
        for key in snapshot.keys
        if key.state is KeyState.ENABLED and key.key_id not in known
    )


def _proved(plan_: Plan, case: Case) -> set[str]:
    return {
        call.target
        for call in case.calls
        if call.operation is Operation.PROVE_KEY
        and call.status is CallStatus.DONE
        and call.plan_hash == plan_.plan_hash
    }


def _soak(context: PlanContext) -> Step | None:
    since = context.case.soaking_since
    if not context.plan.soak_days or not context.snapshot.live_hsms:
        return None
    end = (since or context.now) + timedelta(days=context.plan.soak_days)
    if context.now < end:
        return Wait(until(end, context.now), f"the keys run on the other cluster until {day(end)}")
    return None


def lost_key(context: PlanContext) -> str:
    """The key that failed to prove itself on the target, and how; "" while none did."""
    failed = failed_proof(context.plan, context.case)
    if failed is None:
        return ""
    names = {key.key_id: key.name for key in context.snapshot.keys}
    why = failed.error.removesuffix(".")
    return f"{names.get(failed.target, failed.target)} does not work there ({why})."

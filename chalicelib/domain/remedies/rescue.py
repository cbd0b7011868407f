"""Rescue: bring keys back whose store is down. It creates and never destroys but a DEGRADED HSM that it made.

The order is AWS's (KMS guide, “Fix a custom key store”): HSMs or a new cluster first, then the store.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.remedies.repoint import unproved
from chalicelib.domain.remedies.steps import connect, disconnect
from chalicelib.domain.rules.polling import MINUTE, SOON, under_way
from chalicelib.domain.rules.proof import was_denied
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Ask, Call, Close, Step, Wait
from chalicelib.domain.state.case import CallRecord, CallStatus, Case, Difference, Outcome
from chalicelib.domain.state.hsm_states import GOING, BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Plan
from chalicelib.domain.state.snapshot import (
    Cluster,
    KeyState,
    StoreState,
)
from chalicelib.domain.state.zones import zone_of

LOOKED_FOR = timedelta(minutes=5)
"""Before a second cluster is made, the first one is looked for, the last time so long after the call."""


def made_cluster(context: PlanContext) -> Cluster | None:
    """The cluster that this case made: by its tag, and from the plan's backup, as anybody can tag a cluster.

    If a lost answer led to two, it is always the same one: the store's, else the one with HSMs.
    """
    held = context.store.cluster_id if context.store else ""
    there = (c for c in context.snapshot.siblings if c.state not in GOING)
    found = (c for c in there if is_made(c, context.case.case_id, context.plan))
    return max(
        found,
        key=lambda c: (c.cluster_id == held, len(c.live_hsms), c.cluster_id),
        default=None,
    )


def is_made(cluster: Cluster, case_id: str, plan: Plan) -> bool:
    """This plan of this case made it; no other cluster is ever acted on."""
    tagged = (CASE_TAG, case_id) in cluster.tags
    return tagged and bool(plan.backup_id) and cluster.source_backup == plan.backup_id


def next_step(context: PlanContext) -> Step:
    """What this plan does next in this world; each call is legal and still needed here."""
    home = made_cluster(context) if context.plan.backup_id else context.snapshot.cluster
    if context.plan.backup_id and home is None:
        return _backup(context) or _cluster(context)
    assert home is not None, "a cluster that is gone is a difference, found before"
    return (
        _built(home)
        or _hsms(context, home)
        or _store(context, home)
        or _proved(context)
        or _end(context)
    )


def _backup(context: PlanContext) -> Step | None:
    """It is there for good before anything is made from it."""
    target = context.plan.backup_id
    backup = next((b for b in context.snapshot.known_backups if b.backup_id == target), None)
    if backup is not None and backup.state is BackupState.PENDING_DELETION:
        if context.just_did(Operation.RESTORE_BACKUP, target):
            return Wait(SOON, "the backup is being restored")
        return Call(Operation.RESTORE_BACKUP, (target,), "taking the backup back from deletion")
    if backup is None or not backup.is_ready:
        return Wait(MINUTE, "the backup is being made ready")
    if backup.never_expires:
        return None
    if context.just_did(Operation.KEEP_BACKUP, target):
        return Wait(SOON, "making sure that the backup is kept")
    return Call(Operation.KEEP_BACKUP, (target,), "keeping the backup for good")


def _cluster(context: PlanContext) -> Step:
    """One CreateCluster. Whose answer was lost is looked for, for five minutes, by tag and by backup."""
    target = context.plan.backup_id
    others = [c for c in context.snapshot.siblings if c.source_backup == target]
    call = context.mine(Operation.CREATE_CLUSTER, target)
    if call and call.status is not CallStatus.REFUSED:
        if context.now - call.at < LOOKED_FOR:
            return Wait(MINUTE, "finding out whether AWS made the cluster")
        if call.status is CallStatus.DONE:
            return Ask((Difference("New cluster", "made by Unlatch", "is gone"),))
    if others and call is not None:
        found = f"{others[0].cluster_id} is made from the same backup, and not marked as Unlatch’s"
        return Ask((Difference("New cluster", "none", found),))
    why = "making a cluster from the backup"
    return Call(Operation.CREATE_CLUSTER, (target,), why, made_for=context.case.case_id)


def _built(home: Cluster) -> Wait | None:
    if home.state in (ClusterState.CREATE_IN_PROGRESS, ClusterState.INITIALIZE_IN_PROGRESS):
        return Wait(MINUTE, "the new cluster is being created")
    return None


def _hsms(context: PlanContext, home: Cluster) -> Step | None:
    """One after the other, each bound to a zone of the plan; a DEGRADED one that we made is replaced.

    None once two zones have one: also if others made them meanwhile.
    """
    if home.can_take_keys:
        return None
    for zone in context.plan.names(Operation.CREATE_HSM):
        hsms = [hsm for hsm in home.hsms if hsm.zone == zone_of(zone)]
        if any(hsm.state is HsmState.ACTIVE for hsm in hsms):
            continue
        since = context.call_at(Operation.CREATE_HSM, zone)
        if any(hsm.state is HsmState.CREATE_IN_PROGRESS for hsm in hsms):
            return Wait(under_way(since, context.now), "the HSMs are being created")
        if any(hsm.state is HsmState.DELETE_IN_PROGRESS for hsm in hsms):
            return Wait(MINUTE, "the HSM that failed is being deleted")
        if any(hsm.state is HsmState.UNKNOWN for hsm in hsms):
            return Wait(MINUTE, "the state of an HSM is not known")
        if hsms and context.tried(Operation.CREATE_HSM, zone):
            why = "replacing an HSM that did not come up"
            return Call(Operation.DELETE_HSM, (zone,), why, to_cluster=home.cluster_id)
        if context.just_did(Operation.CREATE_HSM, zone):
            return Wait(SOON, "the HSMs are being created")
        return Call(Operation.CREATE_HSM, (zone,), "creating the HSMs", to_cluster=home.cluster_id)
    if home.state not in (ClusterState.ACTIVE, ClusterState.DEGRADED):
        return Wait(MINUTE, f"the cluster becomes active (it is {home.state})")
    return None


def _store(context: PlanContext, home: Cluster) -> Step | None:
    """On the cluster that has its keys, and connected; None once it is."""
    store = context.store
    assert store is not None, "a store that is gone is a difference, found before"
    target = store.key_store_id
    if store.cluster_id != home.cluster_id:
        if context.just_did(Operation.UPDATE_KEY_STORE, target):
            return Wait(SOON, "KMS does not show the new cluster yet")
        return disconnect(context) or Call(
            Operation.UPDATE_KEY_STORE,
            (target,),
            "pointing the key store to the new cluster",
            to_cluster=home.cluster_id,
        )
    if _must_reconnect(context):
        off = context.mine(Operation.DISCONNECT_KEY_STORE, target)
        if store.state is StoreState.CONNECTED and not context.just_did(
            Operation.DISCONNECT_KEY_STORE, target
        ):
            return Call(Operation.DISCONNECT_KEY_STORE, (target,), "disconnecting the key store")
        if off is not None and store.state is not StoreState.DISCONNECTED:
            return Wait(under_way(off.at, context.now), "the key store is disconnecting")
    return connect(context, store, why="connecting the key store")


def _must_reconnect(context: PlanContext) -> bool:
    """A key failed while the store showed as connected, and it was not connected afresh since."""
    plan_ = context.plan
    if not any(c.operation is Operation.CONNECT_KEY_STORE for c in plan_.if_needed):
        return False
    assert plan_.key_store_id is not None, "a rescue has a store"
    again = context.mine(Operation.CONNECT_KEY_STORE, plan_.key_store_id)
    return again is None and any(not was_denied(call) for call in _refused(context))


def _refused(context: PlanContext) -> list[CallRecord]:
    """Proofs of this plan that AWS said no to."""
    return [
        call
        for call in context.case.calls
        if call.operation is Operation.PROVE_KEY
        and call.status is CallStatus.REFUSED
        and call.plan_hash == context.plan.plan_hash
    ]


def _proved(context: PlanContext) -> Step | None:
    """Each enabled key makes a data key; None once all have."""
    wanted = set(context.plan.names(Operation.PROVE_KEY))
    again = context.mine(Operation.CONNECT_KEY_STORE, context.plan.key_store_id or "")
    names = {key.key_id: key.name for key in context.snapshot.keys}
    denied = set()
    for call in _refused(context):
        if was_denied(call):
            denied.add(call.target)
        elif again is None or call.at >= again.at:
            return Close(
                Outcome.STOPPED,
                f"{names.get(call.target, call.target)} still does not work ({call.error}). "
                "The key store is connected.",
                ("Find out what AWS’s words mean for this key.",),
            )
    unknown = unproved(context.plan, context.case, context.snapshot)
    due = [key_id for key_id in unknown if key_id in wanted - denied]
    if due:
        return Call(Operation.PROVE_KEY, tuple(due), "making sure that each key works again")
    keys = (key for key in context.snapshot.keys if key.key_id in wanted)
    if any(key.state is KeyState.UNAVAILABLE for key in keys):
        return Wait(SOON, "KMS is bringing the keys back")
    return None


def _end(context: PlanContext) -> Step:
    """Only a whole look shows that the keys are served."""
    if context.snapshot.unread:
        return Wait(MINUTE, "AWS must be read whole to make sure")
    return Close(Outcome.RESCUED, _words(context))


def unchecked(plan: Plan, case: Case) -> tuple[str, ...]:
    """Keys that were to prove themselves and could not: a policy forbids it, or others switched them off."""
    wanted = plan.names(Operation.PROVE_KEY)
    return tuple(key_id for key_id in wanted if not _works(plan, case, key_id))


def _works(plan: Plan, case: Case, key_id: str) -> bool:
    call = case.call(Operation.PROVE_KEY, key_id)
    is_done = call is not None and call.status is CallStatus.DONE
    return is_done and call is not None and call.plan_hash == plan.plan_hash


def _words(context: PlanContext) -> str:
    plan = context.plan
    open_ones = unchecked(plan, context.case)
    number = len(plan.names(Operation.PROVE_KEY)) - len(open_ones)
    which = "The enabled key works" if number == 1 else f"The {number} enabled keys work"
    checked = f"{which} again: each was used once to check." if number else ""
    names = {key.key_id: key.name for key in plan.basis.keys}
    left = ", ".join(names.get(key_id, key_id) for key_id in open_ones)
    unknown = f"Could not be checked: {left}." if left else ""
    lost = ", ".join(names.get(key_id, key_id) for key_id in plan.lost)
    gone = f"Made after the backup, and lost: {lost}." if lost else ""
    stays = context.plan.backup_id and context.snapshot.cluster is not None
    old = "The old cluster stays, and its HSMs go on costing." if stays else ""
    said = (checked or "The key store is connected again.", unknown, gone, old)
    return " ".join(sentence for sentence in said if sentence)

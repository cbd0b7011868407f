"""Rescue: bring keys back whose store is down. It creates and never destroys but a DEGRADED HSM that it made.

The order is AWS's (KMS guide, “Fix a custom key store”): HSMs or a new cluster first, then the store.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.remedies.planning import plan_of
from chalicelib.domain.remedies.repoint import MAY_WORK, unproved, was_denied
from chalicelib.domain.remedies.steps import connect, disconnect
from chalicelib.domain.rules.outage import GOING, Outage, outage_in
from chalicelib.domain.rules.pace import MINUTE, SOON, under_way
from chalicelib.domain.rules.password import PERSON_ONLY
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Ask, Call, Close, Step, Wait
from chalicelib.domain.state.case import CallRecord, CallStatus, Difference, Outcome
from chalicelib.domain.state.plan import CASE_TAG, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import (
    Backup,
    Cluster,
    KeyState,
    KeyStore,
    Snapshot,
    StoreState,
)
from chalicelib.domain.state.zones import zone_of

LOOKED_FOR = timedelta(minutes=5)
"""Before a second cluster is made, the first one is looked for, the last time so long after the call."""
NO_SUBNETS = (
    "Rescue is not possible: Unlatch does not know the subnets of the cluster that is gone. Make a "
    "cluster from its newest backup by hand, and point the key store to it."
)


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    snapshot = situation.snapshot
    store, outage = snapshot.holder, outage_in(situation.case, snapshot)
    if store is None or outage is None:
        return "Rescue is not needed: the key store serves its keys."
    if outage is Outage.CLUSTER_GONE:
        return _with_a_new_cluster(situation, store)
    if store.error in PERSON_ONLY:
        return "Rescue is not possible yet: no AWS call can set this password in the cluster."
    zones = _zones(situation) if not snapshot.live_hsms else ()
    if not snapshot.live_hsms and not zones:
        return "Rescue is not possible: the cluster has no subnet in which an HSM could be made."
    calls = [PlannedCall(Operation.CREATE_HSM, (zone,)) for zone in zones]
    again, needed = _reconnecting(store)
    calls += again
    found = plan_of(Remedy.RESCUE, situation, store=store, calls=[*calls, *_proofs(snapshot, ())])
    replaces = [PlannedCall(Operation.DELETE_HSM, (zone,)) for zone in zones]
    return replace(found, if_needed=(*replaces, *needed))


def _with_a_new_cluster(situation: Situation, store: KeyStore) -> Plan | str:
    snapshot = situation.snapshot
    backup = best_backup(snapshot)
    if backup is None:
        return "Rescue is not possible: no backup of the cluster is left."
    subnets = dict(_subnets(situation))
    zones = _zones(situation)
    if not subnets:
        return NO_SUBNETS
    if len(zones) < 2:
        return "Rescue is not possible: AWS takes a key store only with HSMs in two zones."
    lost = tuple(sorted(k.key_id for k in snapshot.keys if is_newer(k.created_at, backup)))
    target, calls = (store.key_store_id,), list[PlannedCall]()
    if not backup.is_ready:
        calls.append(PlannedCall(Operation.RESTORE_BACKUP, (backup.backup_id,)))
    if not backup.never_expires:
        calls.append(PlannedCall(Operation.KEEP_BACKUP, (backup.backup_id,)))
    calls.append(PlannedCall(Operation.CREATE_CLUSTER, (backup.backup_id,)))
    calls += [PlannedCall(Operation.CREATE_HSM, (zone,)) for zone in zones]
    if store.state is not StoreState.DISCONNECTED:
        calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, target))
    calls.append(PlannedCall(Operation.UPDATE_KEY_STORE, target))
    calls.append(PlannedCall(Operation.CONNECT_KEY_STORE, target))
    found = plan_of(Remedy.RESCUE, situation, store=store, calls=[*calls, *_proofs(snapshot, lost)])
    more = (
        *(PlannedCall(Operation.DELETE_HSM, (zone,)) for zone in zones),
        PlannedCall(Operation.DISCONNECT_KEY_STORE, target),
    )
    mode = backup.mode or (situation.case.last_cluster.mode if situation.case.last_cluster else "")
    return replace(
        found,
        backup_id=backup.backup_id,
        mode=mode or "FIPS",
        subnets=tuple(subnets[zone] for zone in sorted(subnets)),
        lost=lost,
        if_needed=more,
    )


def best_backup(snapshot: Snapshot) -> Backup | None:
    """The newest READY one of a cluster that is gone; else the newest that waits for its deletion."""
    for state in ("READY", "PENDING_DELETION"):
        found = [backup for backup in snapshot.known_backups if backup.state == state]
        if found:
            return max(found, key=lambda backup: backup.created_at)
    return None


def is_newer(created_at: object, backup: Backup) -> bool:
    """A key without a known date counts as one that the backup has: the proof will tell."""
    return created_at is not None and created_at > backup.created_at  # type: ignore[operator]


def _reconnecting(store: KeyStore) -> tuple[list[PlannedCall], tuple[PlannedCall, ...]]:
    """The store's calls that are needed for sure, and those only if a key fails."""
    target = (store.key_store_id,)
    both = (
        PlannedCall(Operation.DISCONNECT_KEY_STORE, target),
        PlannedCall(Operation.CONNECT_KEY_STORE, target),
    )
    if store.state in (StoreState.CONNECTED, StoreState.CONNECTING):
        return [], both
    if store.state is StoreState.DISCONNECTED:
        return [both[1]], both[:1]
    return list(both), ()


def _proofs(snapshot: Snapshot, lost: tuple[str, ...]) -> list[PlannedCall]:
    keys = (k.key_id for k in snapshot.keys if k.state in MAY_WORK and k.key_id not in lost)
    targets = tuple(sorted(keys))
    return [PlannedCall(Operation.PROVE_KEY, targets)] if targets else []


def _subnets(situation: Situation) -> tuple[tuple[str, str], ...]:
    """By zone: of the cluster, as it was last seen, or as the record of its deletion has them."""
    cluster = situation.snapshot.cluster or situation.case.last_cluster
    if cluster is not None and cluster.subnets:
        return cluster.subnets
    return next((a.subnets for a in reversed(situation.case.attempts) if a.subnets), ())


def _zones(situation: Situation) -> tuple[str, ...]:
    """Two zones that have a subnet, first those where HSMs ran."""
    cluster = situation.snapshot.cluster or situation.case.last_cluster
    mapped = [zone for zone, _ in _subnets(situation)]
    before = [zone for zone in (cluster.zones if cluster else ()) if zone in mapped]
    return tuple(dict.fromkeys((*before, *mapped)))[:2]


def made_cluster(context: PlanContext) -> Cluster | None:
    """The cluster that this case made, by its tag."""
    mine = (CASE_TAG, context.case.case_id)
    found = (c for c in context.snapshot.siblings if mine in c.tags and c.state not in GOING)
    return next(found, None)


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
        or Close(Outcome.RESCUED, _words(context))
    )


def _backup(context: PlanContext) -> Step | None:
    """It is there for good before anything is made from it."""
    target = context.plan.backup_id
    backup = next((b for b in context.snapshot.known_backups if b.backup_id == target), None)
    if backup is None:
        gone = Difference(f"Backup {target}", "was there", "is gone")
        return Ask((gone,))
    if backup.state == "PENDING_DELETION":
        if context.just_did(Operation.RESTORE_BACKUP, target):
            return Wait(SOON, "the backup is being restored")
        return Call(Operation.RESTORE_BACKUP, (target,), "taking the backup back from deletion")
    if not backup.is_ready:
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
    if home.state in ("CREATE_IN_PROGRESS", "INITIALIZE_IN_PROGRESS"):
        return Wait(MINUTE, "the new cluster is being created")
    return None


def _hsms(context: PlanContext, home: Cluster) -> Step | None:
    """One after the other, each bound to a zone of the plan; a DEGRADED one that we made is replaced."""
    for zone in context.plan.names(Operation.CREATE_HSM):
        hsms = [hsm for hsm in home.hsms if hsm.zone == zone_of(zone)]
        if any(hsm.state == "ACTIVE" for hsm in hsms):
            continue
        since = context.call_at(Operation.CREATE_HSM, zone)
        if any(hsm.state == "CREATE_IN_PROGRESS" for hsm in hsms):
            return Wait(under_way(since, context.now), "the HSMs are being created")
        if any(hsm.state == "DELETE_IN_PROGRESS" for hsm in hsms):
            return Wait(MINUTE, "the HSM that failed is being deleted")
        if hsms and context.tried(Operation.CREATE_HSM, zone):
            why = "replacing an HSM that did not come up"
            return Call(Operation.DELETE_HSM, (zone,), why, to_cluster=home.cluster_id)
        if context.just_did(Operation.CREATE_HSM, zone):
            return Wait(SOON, "the HSMs are being created")
        return Call(Operation.CREATE_HSM, (zone,), "creating the HSMs", to_cluster=home.cluster_id)
    if home.state not in ("ACTIVE", "DEGRADED"):
        return Wait(MINUTE, f"the cluster becomes active (it is {home.state})")
    return None


def _store(context: PlanContext, home: Cluster) -> Step | None:
    """On the cluster that has its keys, and connected; None once it is."""
    store = context.store
    assert store is not None, "a store that is gone is a difference, found before"
    target = store.key_store_id
    if store.cluster_id != home.cluster_id:
        if context.just_did(Operation.UPDATE_KEY_STORE, target):
            return Wait(SOON, "KMS takes in the new cluster")
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
                ("Find out what AWS’s words mean for this key.", "Then press Try again."),
            )
    unknown = unproved(context.plan, context.case, context.snapshot)
    due = [key_id for key_id in unknown if key_id in wanted - denied]
    if due:
        return Call(Operation.PROVE_KEY, tuple(due), "making sure that each key works again")
    keys = (key for key in context.snapshot.keys if key.key_id in wanted)
    if any(key.state is KeyState.UNAVAILABLE for key in keys):
        return Wait(SOON, "KMS is bringing the keys back")
    return None


def _words(context: PlanContext) -> str:
    number = len(context.plan.names(Operation.PROVE_KEY))
    which = "The enabled key works" if number == 1 else f"The {number} enabled keys work"
    checked = f"{which} again: each was used once to check." if number else ""
    names = {key.key_id: key.name for key in context.plan.basis.keys}
    lost = ", ".join(names.get(key_id, key_id) for key_id in context.plan.lost)
    gone = f" Made after the backup, and lost: {lost}." if lost else ""
    return f"{checked or 'The key store is connected again.'}{gone}"

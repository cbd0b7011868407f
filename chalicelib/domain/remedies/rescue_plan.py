"""The plan of a rescue: what is missing, from which backup, in which zones, and what can't come back."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.remedies.planning import plan_of
from chalicelib.domain.remedies.repoint import MAY_WORK
from chalicelib.domain.rules.outage import Outage, outage_in
from chalicelib.domain.rules.password import PERSON_ONLY
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import (
    ATTACHED,
    Backup,
    KeyStore,
    Snapshot,
    StoreState,
)


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    snapshot = situation.snapshot
    store, outage = snapshot.holder, outage_in(situation.case, snapshot)
    if store is None or outage is None:
        return "Rescue is not needed: the key store serves its keys."
    if store.error in PERSON_ONLY and outage is not Outage.CLUSTER_GONE:
        return "Rescue is not possible yet: no AWS call can set this password in the cluster."
    if rescue_subnets.needs_new_cluster(snapshot, store):
        return _with_a_new_cluster(situation, store)
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
    """In the subnets of the old one; if those can't tell or don't do, people choose."""
    snapshot = situation.snapshot
    backup = best_backup(snapshot)
    if backup is None:
        return "Rescue is not possible: no backup of the cluster is left."
    places, zones = rescue_subnets.serving(situation.case, snapshot), _zones(situation)
    if len(zones) < 2 and not rescue_subnets.is_choice(snapshot.room):
        return _no_place(snapshot)
    lost = tuple(sorted(k.key_id for k in snapshot.keys if is_newer(k.created_at, backup)))
    calls = [*_new_cluster_calls(backup, store), *_proofs(snapshot, lost)]
    known = situation.case.last_cluster
    found = replace(
        plan_of(Remedy.RESCUE, situation, store=store, calls=calls),
        backup_id=backup.backup_id,
        mode=backup.mode or (known.mode if known else "") or "FIPS",
        lost=lost,
        if_needed=(PlannedCall(Operation.DISCONNECT_KEY_STORE, (store.key_store_id,)),),
    )
    if len(zones) < 2:
        return found
    return rescue_subnets.with_subnets(found, places, first=zones)


def _no_place(snapshot: Snapshot) -> str:
    if snapshot.room is None or snapshot.room.subnets is None:
        return (
            "Rescue is not possible: a new cluster is needed, and Unlatch does not know in which "
            "subnets it could be. Allow the role unlatch-reader ec2:DescribeSubnets, then check "
            "again: approvers can then choose them."
        )
    return (
        "Rescue is not possible: a new cluster is needed, and no VPC has subnets in two zones with "
        f"{rescue_subnets.NEEDED} free addresses each. Free some, then check again."
    )


def _new_cluster_calls(backup: Backup, store: KeyStore) -> list[PlannedCall]:
    """The backup first, then the cluster, whose HSMs come with its subnets, and only then the store."""
    target, calls = (store.key_store_id,), list[PlannedCall]()
    if not backup.is_ready:
        calls.append(PlannedCall(Operation.RESTORE_BACKUP, (backup.backup_id,)))
    if not backup.never_expires:
        calls.append(PlannedCall(Operation.KEEP_BACKUP, (backup.backup_id,)))
    calls.append(PlannedCall(Operation.CREATE_CLUSTER, (backup.backup_id,)))
    if store.state is not StoreState.DISCONNECTED:
        calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, target))
    calls.append(PlannedCall(Operation.UPDATE_KEY_STORE, target))
    return [*calls, PlannedCall(Operation.CONNECT_KEY_STORE, target)]


def best_backup(snapshot: Snapshot) -> Backup | None:
    """The newest READY one of a cluster that is gone; else the newest that waits for its deletion."""
    for state in (BackupState.READY, BackupState.PENDING_DELETION):
        found = [backup for backup in snapshot.known_backups if backup.state is state]
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
    if store.state in ATTACHED:
        return [], both
    if store.state is StoreState.DISCONNECTED:
        return [both[1]], both[:1]
    return list(both), ()


def _proofs(snapshot: Snapshot, lost: tuple[str, ...]) -> list[PlannedCall]:
    keys = (k.key_id for k in snapshot.keys if k.state in MAY_WORK and k.key_id not in lost)
    targets = tuple(sorted(keys))
    return [PlannedCall(Operation.PROVE_KEY, targets)] if targets else []


def _zones(situation: Situation) -> tuple[str, ...]:
    """Two zones with a subnet that can take an HSM, first those where HSMs ran."""
    case, snapshot = situation.case, situation.snapshot
    cluster = snapshot.cluster or case.last_cluster
    mapped = [zone for zone, _ in rescue_subnets.serving(case, snapshot)]
    before = [zone for zone in (cluster.zones if cluster else ()) if zone in mapped]
    return tuple(dict.fromkeys((*before, *mapped)))[:2]

"""Takes a snapshot into the case: since when the cluster is gone, the HSMs quiet, the keys soaking."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.case import CallRecord, CallStatus, Case
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.remedies import repoint
from chalicelib.domain.remedies.scene import zone_of
from chalicelib.domain.snapshot import KeyStore, Snapshot, StoreState


def looked_at(case: Case, snapshot: Snapshot, now: datetime) -> Case:
    """The case with this snapshot; a time that began earlier stays, one that no longer holds goes."""
    case = replace(case, calls=tuple(_answered(call, case, snapshot) for call in case.calls))
    plan = case.plan
    holder = snapshot.key_store(plan.key_store_id if plan else None) or snapshot.holder
    soaking = plan and holder and _is_soaking(plan, holder, case=case, snapshot=snapshot)
    quiet = plan and (
        holder is None
        or holder.state is StoreState.DISCONNECTED
        or holder.cluster_id == plan.target_cluster_id
    )
    return replace(
        case,
        snapshot=snapshot,
        last_cluster=snapshot.cluster or case.last_cluster,
        gone_since=(case.gone_since or now) if is_gone(case, snapshot) else None,
        quiet_since=(case.quiet_since or now) if quiet else None,
        soaking_since=(case.soaking_since or now) if soaking else None,
    )


def _answered(call: CallRecord, case: Case, snapshot: Snapshot) -> CallRecord:
    """A DeleteHsm whose answer was lost is done once an HSM of its zone is seen to be gone.

    HSMs are bound by zone: left open, the call would be repeated on one that comes later.
    """
    plan = case.plan or case.last_plan
    lost = call.operation is Operation.DELETE_HSM and call.status is CallStatus.INTENT
    if not lost or plan is None or call.plan_hash != plan.plan_hash or snapshot.cluster is None:
        return call
    zone = zone_of(call.target)
    done = sum(
        c.operation is Operation.DELETE_HSM
        and c.plan_hash == plan.plan_hash
        and c.status is CallStatus.DONE
        and zone_of(c.target) == zone
        for c in case.calls
    )
    fewer = snapshot.cluster.zones.count(zone) < plan.basis.zones.count(zone) - done
    landed = fewer or _went(case.snapshot, snapshot, zone)
    return replace(call, status=CallStatus.DONE) if landed else call


def _went(before: Snapshot | None, now: Snapshot, zone: str) -> bool:
    """An HSM of the zone that the last look showed alive is not so any more, whoever else came."""
    alive = {hsm.hsm_id for hsm in now.live_hsms}
    seen = before.live_hsms if before else ()
    return any(hsm.zone == zone and hsm.hsm_id not in alive for hsm in seen)


def is_gone(case: Case, snapshot: Snapshot) -> bool:
    """The cluster is gone for sure; before our first mutation also: nothing holds it any more."""
    if snapshot.unread:
        return False
    if snapshot.cluster is None:
        return True
    going = snapshot.cluster.state in ("DELETE_IN_PROGRESS", "DELETED")
    free = snapshot.holder is None and not snapshot.cluster.hsms and not going
    return free and not case.has_begun


def _is_soaking(plan: Plan, store: KeyStore, *, case: Case, snapshot: Snapshot) -> bool:
    return (
        plan.remedy is Remedy.REPOINT
        and store.cluster_id == plan.target_cluster_id
        and store.state is StoreState.CONNECTED
        and not repoint.unproved(plan, case, snapshot)
    )

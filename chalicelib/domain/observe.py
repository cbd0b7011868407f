"""Takes a snapshot into the case: since when things are missing, the HSMs quiet, the keys soaking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.remedies import repoint, rescue_subnets
from chalicelib.domain.rules.gone import is_gone, until_sure
from chalicelib.domain.rules.waiting import may_wait
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Cluster, KeyStore, Seen, Snapshot, StoreState
from chalicelib.domain.state.zones import zone_labels, zone_of


def observe(case: Case, snapshot: Snapshot, now: datetime) -> Case:
    """The case with this snapshot; a time that began earlier stays, one that no longer holds goes."""
    missing, since = _missed(case, snapshot, now)
    case = replace(
        case,
        calls=tuple(_answered(call, case, snapshot) for call in case.calls),
        missing=missing,
        missing_since=since,
        snapshot=snapshot,
        last_cluster=snapshot.cluster or case.last_cluster,
        seen=seen_in(case, (snapshot.cluster,), snapshot.key_stores),
    )
    # What only this look lacks may be there: nothing that began has ended.
    return case if until_sure(case, now) else _timed(case, snapshot, now)


def _timed(case: Case, snapshot: Snapshot, now: datetime) -> Case:
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
        quiet_since=(case.quiet_since or now) if quiet else None,
        soaking_since=(case.soaking_since or now) if soaking else None,
        watches=may_wait(case, snapshot),
    )


def seen_in(case: Case, clusters: Iterable[Cluster | None], stores: Iterable[KeyStore]) -> Seen:
    """What a sweep compares of this case, out of all that a place has."""
    plan = case.current_plan
    named = plan.key_store_id if plan else None
    mine = [s for s in stores if s.cluster_id == case.cluster_id or s.key_store_id == named]
    store = min(mine, key=lambda s: (s.key_store_id != named, s.key_store_id), default=None)
    cluster = next((c for c in clusters if c and c.cluster_id == case.cluster_id), None)
    return Seen(
        store_state=store.state if store else None,
        store_cluster=store.cluster_id if store else "",
        zones=cluster.zones if cluster else (),
        cluster_state=cluster.state if cluster else None,
    )


def _missed(case: Case, snapshot: Snapshot, now: datetime) -> tuple[str, datetime | None]:
    """What is missing, and since when the very same is. A look that is not whole tells nothing."""
    if snapshot.unread:
        return case.missing, case.missing_since
    names = sorted(set(_missing(case, snapshot)))
    # A digest, as thousands of keys may go in one day.
    missing = (
        hashlib.sha256("\n".join(names).encode(errors="surrogatepass")).hexdigest() if names else ""
    )
    since = case.missing_since if missing == case.missing else now
    return missing, since if missing else None


def _missing(case: Case, snapshot: Snapshot) -> Iterator[str]:
    """What the plans of the case, or the record of how all was before, name and the look lacks."""
    if is_gone(case, snapshot):
        yield case.cluster_id
    stores = {store.key_store_id for store in snapshot.key_stores}
    keys = {key.key_id for key in snapshot.keys}
    siblings = {cluster.cluster_id for cluster in snapshot.siblings}
    hsms = zone_labels(hsm.zone for hsm in snapshot.cluster.hsms) if snapshot.cluster else ()
    backups = {backup.backup_id for backup in snapshot.known_backups}
    for plan in _plans(case):
        yield from {plan.key_store_id or "", plan.backup_id} - stores - backups - {""}
        yield from rescue_subnets.unseen(plan, snapshot)
        yield from {key.key_id for key in plan.basis.keys} - keys
        if snapshot.cluster is not None:
            yield from {plan.target_cluster_id} - siblings - {""}
            yield from set(zone_labels(plan.basis.zones)) - set(hsms)
    if case.before is not None:
        yield from {key.key_id for key in case.before.keys} - keys


def _plans(case: Case) -> Iterable[Plan]:
    """The plan in force or being undone; else those on offer."""
    plan = case.plan or (case.last_plan if case.ending else None)
    return (plan,) if plan else case.offers


def _answered(call: CallRecord, case: Case, snapshot: Snapshot) -> CallRecord:
    """A DeleteHsm whose answer was lost is done once an HSM of its zone is seen to be gone.

    HSMs are bound by zone: left open, the call would be repeated on one that comes later.
    """
    plan = case.current_plan
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


def _is_soaking(plan: Plan, store: KeyStore, *, case: Case, snapshot: Snapshot) -> bool:
    return (
        plan.remedy is Remedy.REPOINT
        and store.cluster_id == plan.target_cluster_id
        and store.state is StoreState.CONNECTED
        and not repoint.unproved(plan, case, snapshot)
    )

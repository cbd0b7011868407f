"""The way back from a rescue: what it made goes again, unless the key store uses it by now."""

from __future__ import annotations

from chalicelib.domain.remedies import rescue
from chalicelib.domain.rules.polling import MINUTE
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Call, Move, Wait
from chalicelib.domain.state.case import Before, CallStatus
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import ATTACHED, Cluster, Hsm, KeyStore, StoreState
from chalicelib.domain.state.zones import zone_of

WHY = "removing what the rescue made"


def made(context: PlanContext) -> Move | None:
    """Rescue only: the cluster that it made, or its HSMs in the old one, as long as nothing uses them."""
    plan, before = context.plan, context.case.before
    if plan.remedy is not Remedy.RESCUE or before is None:
        return None
    return _new_cluster(context) if plan.backup_id else _new_hsms(context, before)


def is_used(store: KeyStore | None, before: Before) -> bool:
    """HSMs in the old cluster serve a store that is connected, and one that the way back connects."""
    if store is None:
        return False
    return store.state is StoreState.CONNECTED or before.store_state in ATTACHED


def goes_back(store: KeyStore, cluster: Cluster | None) -> bool:
    """From the new cluster to the old one: only a store whose keys fail there, if the old one takes it."""
    return store.state not in ATTACHED and cluster is not None and cluster.can_take_keys


def hsms_stay(context: PlanContext) -> bool:
    """HSMs that the rescue made in the old cluster are still there."""
    plan, before = context.plan, context.case.before
    if plan.remedy is not Remedy.RESCUE or plan.backup_id or before is None:
        return False
    return any(_ours(context, before, zone) for zone in plan.names(Operation.CREATE_HSM))


def cluster_stays(context: PlanContext) -> str:
    """The id of the cluster that the rescue made, if it is still there."""
    home = rescue.made_cluster(context) if context.plan.remedy is Remedy.RESCUE else None
    return home.cluster_id if home else ""


def _new_cluster(context: PlanContext) -> Move | None:
    home, store = rescue.made_cluster(context), context.store
    if home is None:
        call = context.case.call(Operation.CREATE_CLUSTER, context.plan.backup_id)
        if call is None or call.status is CallStatus.REFUSED:
            return None
        if context.now - call.at < rescue.LOOKED_FOR:
            return Wait(MINUTE, "finding out whether AWS made the cluster")
        return None
    if store is not None and store.cluster_id == home.cluster_id:
        return None
    where = home.cluster_id
    for hsm in home.live_hsms:
        if _is_busy(context, hsm, hsm.zone):
            return Wait(MINUTE, WHY)
        return Call(Operation.DELETE_HSM, (hsm.zone,), WHY, to_cluster=where)
    if home.hsms or home.state is ClusterState.CREATE_IN_PROGRESS or _is_coming(context, home):
        return Wait(MINUTE, WHY)
    if context.just_did(Operation.DELETE_CLUSTER, where):
        return Wait(MINUTE, WHY)
    return Call(Operation.DELETE_CLUSTER, (where,), WHY, to_cluster=where)


def _new_hsms(context: PlanContext, before: Before) -> Move | None:
    """One after the other. An HSM that may be somebody else's is left."""
    cluster, store = context.snapshot.cluster, context.store
    if cluster is None or is_used(store, before):
        return None
    if store is not None and store.state is StoreState.CONNECTING:
        return Wait(MINUTE, "finding out whether the key store connects")
    for zone in context.plan.names(Operation.CREATE_HSM):
        for hsm in _ours(context, before, zone):
            if _is_busy(context, hsm, zone):
                return Wait(MINUTE, WHY)
            return Call(Operation.DELETE_HSM, (zone,), WHY)
    is_going = any(hsm.state is HsmState.DELETE_IN_PROGRESS for hsm in cluster.hsms)
    return Wait(MINUTE, WHY) if is_going or _is_coming(context, cluster) else None


def _is_busy(context: PlanContext, hsm: Hsm, zone: str) -> bool:
    """It comes, or was asked to go a moment ago. `zone` is as the plan names it."""
    return hsm.state is HsmState.CREATE_IN_PROGRESS or context.just_did(Operation.DELETE_HSM, zone)


def _ours(context: PlanContext, before: Before, zone: str) -> tuple[Hsm, ...]:
    """The HSM that this plan made in the zone: the only one, where none was before."""
    cluster, where = context.snapshot.cluster, zone_of(zone)
    live = [hsm for hsm in cluster.live_hsms if hsm.zone == where] if cluster else []
    is_one = len(live) == 1 and where not in before.zones
    return tuple(live) if is_one and context.tried(Operation.CREATE_HSM, zone) else ()


def _is_coming(context: PlanContext, home: Cluster) -> bool:
    """An HSM that was asked for a moment ago may not show yet."""
    there = {hsm.zone for hsm in home.hsms}
    return any(
        zone_of(zone) not in there
        and context.just_did(Operation.CREATE_HSM, zone)
        and not context.tried(Operation.DELETE_HSM, zone)
        for zone in context.plan.names(Operation.CREATE_HSM)
    )

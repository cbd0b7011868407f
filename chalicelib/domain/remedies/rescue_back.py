"""The way back from a rescue: what it made goes again, unless the key store uses it by now."""

from __future__ import annotations

from chalicelib.domain.remedies import rescue
from chalicelib.domain.rules.polling import MINUTE
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Call, Move, Wait
from chalicelib.domain.state.case import CallStatus
from chalicelib.domain.state.plan import Operation, Remedy


def made(context: PlanContext) -> Move | None:
    """Rescue only: the cluster that it made goes again, unless the key store is on it by now."""
    if context.plan.remedy is not Remedy.RESCUE or not context.plan.backup_id:
        return None
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
    why, where = "removing what the rescue made", home.cluster_id
    for hsm in home.live_hsms:
        if hsm.state == "CREATE_IN_PROGRESS" or context.just_did(Operation.DELETE_HSM, hsm.zone):
            return Wait(MINUTE, why)
        return Call(Operation.DELETE_HSM, (hsm.zone,), why, to_cluster=where)
    if home.hsms or home.state == "CREATE_IN_PROGRESS":
        return Wait(MINUTE, why)
    if context.just_did(Operation.DELETE_CLUSTER, where):
        return Wait(MINUTE, why)
    return Call(Operation.DELETE_CLUSTER, (where,), why, to_cluster=where)


def hsms_stay(context: PlanContext) -> bool:
    is_rescue = context.plan.remedy is Remedy.RESCUE and not context.plan.backup_id
    return is_rescue and any(c.operation is Operation.CREATE_HSM for c in context.case.calls)

"""Park: disconnect the store and delete the HSMs, so that the cost stops and all keys are kept."""

from __future__ import annotations

from chalicelib.domain.remedies.planning import plan_of
from chalicelib.domain.remedies.steps import delete_hsms, disconnect, quiet
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Close, Step
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.plan import Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.domain.state.zones import zone_labels


def plan(situation: Situation) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    snapshot = situation.snapshot
    cluster, holder = snapshot.cluster, snapshot.holder
    if cluster is None or not cluster.live_hsms:
        return "Park is not needed: no HSM is left that costs anything."
    if going := len(snapshot.pending_keys):
        return (
            "Park is not possible: KMS deletes keys only while the store is connected, and "
            f"{going} of its keys {'is' if going == 1 else 'are'} waiting for deletion."
        )
    calls = []
    if holder and holder.state is not StoreState.DISCONNECTED:
        calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, (holder.key_store_id,)))
    calls.append(PlannedCall(Operation.DELETE_HSM, zone_labels(cluster.zones)))
    return plan_of(Remedy.PARK, situation, store=holder, calls=calls)


def next_step(context: PlanContext) -> Step:
    """Disconnect, wait, make sure that nobody else uses the HSMs, delete them."""
    return (
        disconnect(context)
        or quiet(context)
        or delete_hsms(context)
        or Close(
            Outcome.PARKED,
            "The key store is disconnected and the HSMs are deleted. "
            "The keys, the store and the cluster are all still there.",
        )
    )

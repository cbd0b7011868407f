"""Park: disconnect the store and delete the HSMs, so that the cost stops and all keys are kept."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.approval import terms
from chalicelib.domain.case import Case, Outcome
from chalicelib.domain.plan import Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies.scene import (
    Scene,
    basis_of,
    delete_hsms,
    disconnect,
    quiet,
    zone_labels,
)
from chalicelib.domain.snapshot import Snapshot, StoreState
from chalicelib.domain.step import Close, Step


def plan(snapshot: Snapshot, *, case: Case, policy: Policy, now: datetime) -> Plan | str:
    """The plan in this world, or the sentence that says why it is not possible."""
    cluster, holder = snapshot.cluster, snapshot.holder
    if cluster is None or not cluster.live_hsms:
        return "Park is not needed: no HSM is left that costs anything."
    if snapshot.pending_keys:
        return (
            "Park is not possible: KMS deletes keys only while the store is connected, and "
            f"{len(snapshot.pending_keys)} of its keys are waiting for deletion."
        )
    calls = []
    if holder and holder.state is not StoreState.DISCONNECTED:
        calls.append(PlannedCall(Operation.DISCONNECT_KEY_STORE, (holder.key_store_id,)))
    calls.append(PlannedCall(Operation.DELETE_HSM, zone_labels(cluster.zones)))
    return Plan(
        remedy=Remedy.PARK,
        account=snapshot.account,
        region=snapshot.region,
        cluster_id=snapshot.cluster_id,
        key_store_id=holder.key_store_id if holder else None,
        calls=tuple(calls),
        basis=basis_of(snapshot, policy=policy, now=now),
        terms=terms(Remedy.PARK, snapshot, case=case, policy=policy, now=now),
        after_click=case.reset_at_click,
    )


def next_step(scene: Scene) -> Step:
    """Disconnect, wait, make sure that nobody else uses the HSMs, delete them."""
    return (
        disconnect(scene)
        or quiet(scene)
        or delete_hsms(scene)
        or Close(
            Outcome.PARKED,
            "The key store is disconnected and the HSMs are deleted. "
            "The keys, the store and the cluster are all still there.",
        )
    )

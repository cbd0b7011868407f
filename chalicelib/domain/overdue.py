"""A transition of AWS's that takes far longer than usual. Decides nothing: the case goes on waiting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.simulation import Durations
from chalicelib.domain.state.case import CallStatus, Case
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation
from chalicelib.domain.state.snapshot import Cluster, Snapshot, StoreState

FAR_LONGER = 4
"""Times the usual."""
USUAL = Durations()
USUALLY = {
    Operation.DISCONNECT_KEY_STORE: USUAL.disconnect,
    Operation.CONNECT_KEY_STORE: USUAL.connect,
    Operation.CREATE_HSM: USUAL.create_hsm,
    Operation.DELETE_HSM: USUAL.delete_hsm,
    Operation.DELETE_CLUSTER: USUAL.delete_cluster,
}
"""The one place that knows how long each transition usually takes: for steps, buttons and this."""

BACK = {
    Operation.DISCONNECT_KEY_STORE: Operation.CONNECT_KEY_STORE,
    Operation.CONNECT_KEY_STORE: Operation.DISCONNECT_KEY_STORE,
    Operation.CREATE_HSM: Operation.DELETE_HSM,
    Operation.DELETE_HSM: Operation.CREATE_HSM,
}
"""A call that came later and leads the other way: what is under way then is not the earlier one."""


@dataclass(frozen=True)
class Overdue:
    """The call that began it, since when, how long it usually takes, and the cluster that it is about."""

    operation: Operation
    target: str
    since: datetime
    usual: timedelta
    request_id: str
    cluster_id: str


def overdue(case: Case, snapshot: Snapshot, now: datetime) -> Overdue | None:
    """The transition of ours that has taken four times its usual time; None if none has."""
    made_by_us = _made(case, snapshot)
    for operation in _under_way((*made_by_us, snapshot.cluster), snapshot):
        calls = (c for c in case.calls if c.operation is operation)
        made = [call for call in calls if call.status is not CallStatus.REFUSED]
        last = max(made, key=lambda call: call.at, default=None)
        usual = USUALLY[operation]
        if last and any(c.operation is BACK.get(operation) and c.at > last.at for c in case.calls):
            continue
        if last and now - last.at >= FAR_LONGER * usual:
            where = next((c.cluster_id for c in made_by_us if c.hsms), case.cluster_id)
            return Overdue(operation, last.target, last.at, usual, last.request_id, where)
    return None


def _made(case: Case, snapshot: Snapshot) -> tuple[Cluster, ...]:
    """Those that a rescue of this case has made: its HSMs come and go there."""
    return tuple(c for c in snapshot.siblings if (CASE_TAG, case.case_id) in c.tags)


def _under_way(clusters: Iterable[Cluster | None], snapshot: Snapshot) -> Iterator[Operation]:
    """What AWS shows as not finished, by the calls that lead there."""
    states = {store.state for store in snapshot.key_stores}
    hsms = {hsm.state for one in clusters if one for hsm in one.hsms}
    cluster = snapshot.cluster.state if snapshot.cluster else ""
    shown = (
        (StoreState.DISCONNECTING in states, Operation.DISCONNECT_KEY_STORE),
        (StoreState.CONNECTING in states, Operation.CONNECT_KEY_STORE),
        (HsmState.CREATE_IN_PROGRESS in hsms, Operation.CREATE_HSM),
        (HsmState.DELETE_IN_PROGRESS in hsms, Operation.DELETE_HSM),
        (cluster is ClusterState.DELETE_IN_PROGRESS, Operation.DELETE_CLUSTER),
    )
    return (operation for holds, operation in shown if holds)

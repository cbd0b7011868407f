"""What takes four times its usual time, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.overdue import USUALLY, overdue
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation
from chalicelib.domain.state.snapshot import Hsm, Snapshot, StoreState
from tests.domain.scenes import made
from tests.domain.worlds import NOW, OTHER_CLUSTER, case, cluster, sibling, store, world

O = Operation  # noqa: E741  # the table's rows stay on a line
DISCONNECTING = world(held=store(StoreState.DISCONNECTING))
CONNECTING = world(held=store(StoreState.CONNECTING))
SHOWN: dict[Operation, Snapshot] = {
    O.DISCONNECT_KEY_STORE: DISCONNECTING,
    O.CONNECT_KEY_STORE: CONNECTING,
    O.CREATE_HSM: world(
        cluster=replace(cluster(), hsms=(Hsm("h", HsmState.CREATE_IN_PROGRESS, "1a"),))
    ),
    O.DELETE_HSM: world(
        cluster=replace(cluster(), hsms=(Hsm("h", HsmState.DELETE_IN_PROGRESS, "1a"),))
    ),
    O.DELETE_CLUSTER: world(cluster=replace(cluster(), state=ClusterState.DELETE_IN_PROGRESS)),
}


def call(operation: Operation, ago: timedelta, **values: object) -> CallRecord:
    return replace(made(operation, ago=ago), request_id="request-1", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", SHOWN)
def test_four_times_the_usual_is_too_long(operation: Operation) -> None:
    late = 4 * USUALLY[operation]
    found = overdue(case(calls=(call(operation, late),)), SHOWN[operation], NOW)
    assert found
    assert (found.operation, found.since, found.request_id) == (operation, NOW - late, "request-1")
    assert found.usual == USUALLY[operation]
    soon = call(operation, late - timedelta(seconds=1))
    assert overdue(case(calls=(soon,)), SHOWN[operation], NOW) is None
    assert overdue(case(), SHOWN[operation], NOW) is None, "others began it: nobody knows when"
    assert overdue(case(calls=(call(operation, late),)), world(), NOW) is None, "it is done"
    refused = call(operation, late, status=CallStatus.REFUSED)
    assert overdue(case(calls=(refused,)), SHOWN[operation], NOW) is None


def test_only_the_last_call_counts_and_none_that_another_has_followed() -> None:
    late = 8 * USUALLY[O.DISCONNECT_KEY_STORE]
    calls = (call(O.DISCONNECT_KEY_STORE, late), call(O.CONNECT_KEY_STORE, late / 2))
    assert overdue(case(calls=calls), DISCONNECTING, NOW) is None
    again = (*calls, call(O.DISCONNECT_KEY_STORE, late / 8))
    assert overdue(case(calls=again), DISCONNECTING, NOW) is None
    assert overdue(case(), replace(world(), cluster=None), NOW) is None


def test_a_cluster_that_a_rescue_makes_is_waited_for_as_the_old_one_is() -> None:
    late = 4 * USUALLY[O.CREATE_HSM]
    coming = (Hsm("h", HsmState.CREATE_IN_PROGRESS, "1a"),)
    new = replace(sibling(), hsms=coming, tags=((CASE_TAG, "case-1"),))
    lost = replace(world(siblings=(new,)), cluster=None)
    found = overdue(case(calls=(call(O.CREATE_HSM, late),)), lost, NOW)
    assert found
    assert (found.operation, found.cluster_id) == (O.CREATE_HSM, OTHER_CLUSTER)
    others = replace(lost, siblings=(replace(new, tags=()),))
    assert overdue(case(calls=(call(O.CREATE_HSM, late),)), others, NOW) is None

"""Keys whose deletion Unlatch scheduled are never left alone: destroy refuses while one may wait."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.state.case import CallRecord, CallStatus, Case, Outcome, Phase
from chalicelib.domain.state.plan import Operation
from ops.destroy import _refuse_waiting_keys
from ops.errors import OperatorError
from ops.exits import Exit
from tests.ops.office import CLUSTER, HUB, REGION, START

SCHEDULED, CANCELLED = Operation.SCHEDULE_KEY_DELETION, Operation.CANCEL_KEY_DELETION
CASE = Case("case-a", HUB, REGION, CLUSTER, START)


def call(operation: Operation, at: datetime, status: CallStatus = CallStatus.DONE) -> CallRecord:
    return CallRecord(operation, "key-1", at, status, "hash")


def refused(case: Case, days: int) -> OperatorError | None:
    """So many days after the case was opened."""
    try:
        _refuse_waiting_keys([case], START + timedelta(days=days))
    except OperatorError as trouble:
        return trouble
    return None


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.CLOSED])
@pytest.mark.parametrize("status", [CallStatus.DONE, CallStatus.INTENT])
def test_a_key_that_may_wait_stops_it_whatever_the_case_says(
    phase: Phase, status: CallStatus
) -> None:
    case = replace(CASE, phase=phase, calls=(call(SCHEDULED, START, status),))
    said = refused(case, days=0)
    assert said is not None
    assert said.code is Exit.DECLINED
    assert "case-a (until Thu 02 Apr 2026" in said.reason
    assert refused(case, days=30)
    assert not refused(case, days=32), "KMS makes a key wait 30 days at most"


def test_what_was_refused_or_brought_back_does_not_wait() -> None:
    later = START + timedelta(hours=1)
    back = (call(SCHEDULED, START), call(CANCELLED, later))
    assert not refused(replace(CASE, calls=back), days=1)
    assert not refused(replace(CASE, calls=(call(SCHEDULED, START, CallStatus.REFUSED),)), days=1)
    assert not refused(CASE, days=1)


def test_a_retired_cluster_has_no_key_left() -> None:
    case = replace(CASE, outcome=Outcome.RETIRED, calls=(call(SCHEDULED, START),))
    assert not refused(case, days=1)

"""How a case ends when its cluster is gone, or nothing holds it any more. Decides nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.rules.step import Close
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Snapshot


def closed_by(case: Case, end: Close, now: datetime) -> Case:
    """The case as it is after this end."""
    return replace(
        case,
        phase=Phase.CLOSED,
        outcome=end.outcome,
        reason=end.reason,
        advice=end.advice,
        closed_at=now,
        waiting_for="",
    )


NO_SUCH = Close(Outcome.EXPLAINED, "There is no such cluster, and no key store or backup of one.")
"""Of what somebody asked for by hand; they alone are told."""


def finished(case: Case) -> Close | None:
    """The cluster is gone and the last call was ours."""
    plan = case.current_plan
    if plan is None or not case.tried(Operation.DELETE_CLUSTER, case.cluster_id):
        return None
    outcome = Outcome.RETIRED if plan.remedy is Remedy.RETIRE else Outcome.REPOINTED
    return Close(outcome, "The cluster is deleted. AWS was read again to make sure.")


def others_did(case: Case, snapshot: Snapshot) -> Close:
    if snapshot.cluster is None:
        more = "What Unlatch had changed before stays." if case.has_begun else ""
        reason = f"Somebody else deleted the cluster. {more or 'Unlatch has nothing left to do.'}"
        return Close(Outcome.RESOLVED, reason)
    if snapshot.cluster.hsms:
        words = "No key store uses the cluster any more: it is free for a new one."
        return Close(Outcome.RESOLVED, words)
    return Close(
        Outcome.RESOLVED,
        "Nothing holds the cluster any more: no key store and no HSM is left. It can be deleted now.",
    )

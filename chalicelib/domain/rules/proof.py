"""What a proof on the other cluster says of a key: that it does not work there, or nothing. Makes no calls."""

from __future__ import annotations

from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation, Plan


def was_denied(call: CallRecord) -> bool:
    """The policy of the key or of our role stands in the way; that says nothing of the other cluster."""
    return call.operation is Operation.PROVE_KEY and call.denied


def failed_proof(plan: Plan, case: Case) -> CallRecord | None:
    """The proof that brings the store back: AWS used the key there, in vain."""
    refused = (
        call
        for call in case.calls
        if call.operation is Operation.PROVE_KEY and call.status is CallStatus.REFUSED
    )
    ours = (call for call in refused if call.plan_hash == plan.plan_hash)
    return next((call for call in ours if not was_denied(call)), None)

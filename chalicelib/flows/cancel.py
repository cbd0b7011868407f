"""A cancel asked for from a shell, signed: who, whether possible, record it, wake the case. Slack is not needed."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.rules import step_up
from chalicelib.domain.rules.clicks import is_asked_already, not_possible
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.failures import RequestError
from chalicelib.flows.record import record_and_wake
from chalicelib.flows.signed import Said, answered, case_to_cancel, on_newest, why_not
from chalicelib.ports import Ports, Signed, SignedCancel


def cancel(ports: Ports, identify: Callable[[Signed], str], posted: bytes) -> Said:
    """`identify` gives the ARN that STS vouches for, or raises Refused. Nothing is done in AWS here."""

    def do() -> Said:
        if not step_up.cancelling_roles(ports.policy):
            raise RequestError(
                409, "Nobody may cancel from a shell: OPERATOR_ROLES and STEP_UP_ROLES are empty."
            )
        signed = case_to_cancel(posted)
        arn = identify(signed)
        if not step_up.may_cancel(arn, ports.policy):
            raise RequestError(
                403, f"{arn} may not cancel: its role is not in OPERATOR_ROLES or STEP_UP_ROLES."
            )
        return on_newest(ports, signed.case_id, lambda case: _asked(ports, case, signed, arn))

    return answered(ports, do, refusals="ClicksRefused")


def _asked(ports: Ports, case: Case, signed: SignedCancel, arn: str) -> Said:
    click = Click(Act.CANCEL, arn, ports.clock(), reason=signed.reason)
    said = Said(
        200,
        f"{arn} asked to cancel {case.case_id}. "
        "The bot stops at once, and puts back what can be put back.",
    )
    reason = not_possible(case, Act.CANCEL)
    if reason and not is_asked_already(case, click):
        raise RequestError(409, why_not(reason, case))
    record_and_wake(ports, case, click)
    ports.log("cancel asked for", case_id=case.case_id, by=arn)
    return said

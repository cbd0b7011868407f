"""A plan confirmed by a signed-in AWS principal: who, whether possible, record it, wake the case."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.rules import step_up
from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan
from chalicelib.failures import RequestError
from chalicelib.flows.record import record_and_wake
from chalicelib.flows.signed import Said, answered, on_newest, plan_to_confirm, why_not
from chalicelib.ports import Ports, Signed, SignedPlan


def confirm(ports: Ports, identify: Callable[[Signed], str], posted: bytes) -> Said:
    """`identify` gives the ARN that STS vouches for, or raises Refused. Nothing is done in AWS here."""

    def do() -> Said:
        if not ports.policy.step_up_roles:
            raise RequestError(409, "No plan needs a confirmation here: STEP_UP_ROLES is empty.")
        signed = plan_to_confirm(posted)
        arn = identify(signed)
        if not step_up.may_confirm(arn, ports.policy):
            raise RequestError(403, f"{arn} may not confirm: its role is not in STEP_UP_ROLES.")
        return on_newest(ports, signed.case_id, lambda case: _confirmed(ports, case, signed, arn))

    return answered(ports, do, refusals="ConfirmationsRefused")


def _confirmed(ports: Ports, case: Case, signed: SignedPlan, arn: str) -> Said:
    plan = _plan(case, signed)
    before = _confirmed_by(ports, case, plan, arn)
    if before:
        return Said(200, f"This plan is confirmed already, by {before}. It counts once.")
    click = Click(Act.CONFIRM, arn, ports.clock(), remedy=plan.remedy, plan_hash=plan.plan_hash)
    record_and_wake(ports, case, click)
    ports.count("Confirmations", 1)
    ports.log("plan confirmed", case_id=case.case_id, by=arn, plan_hash=plan.plan_hash)
    return Said(200, f"{arn} confirmed the plan to {plan.remedy} {case.cluster_id}.")


def _plan(case: Case, signed: SignedPlan) -> Plan:
    """The plan that is offered now, and that needs a confirmation."""
    offers = (offer for offer in case.offers if offer.plan_hash == signed.plan_hash)
    plan = next(offers, None)
    reason = not_possible(case, Act.CONFIRM, plan.remedy if plan else None)
    if plan is None and not case.is_closed:
        raise RequestError(
            409, "This plan is not offered any more. Look at the case, and run the command again."
        )
    if reason:
        raise RequestError(409, why_not(reason, case))
    assert plan is not None, "a closed case offers nothing, which is a reason"
    if not plan.terms.step_up:
        raise RequestError(409, "This plan needs no confirmation.")
    return plan


def _confirmed_by(ports: Ports, case: Case, plan: Plan, arn: str) -> str:
    """Who did before; one is enough, and sessions of a role could be many."""
    if step_up.made_the_call(arn, case):
        raise RequestError(
            403, f"{arn} may not confirm: it may be who made the delete that failed."
        )
    situation = last_seen(case, policy=ports.policy, now=ports.clock())
    given = step_up.confirmations(plan, case.current_clicks, situation)
    return next((c.by for c in given), "")

"""The last word before a call: only what the plan names, and nothing final behind a closed check."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.remedies.steps import held_by_aws
from chalicelib.domain.rules.gates import hard_gates
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Ask, Call, Step
from chalicelib.domain.state.case import Difference
from chalicelib.domain.state.plan import IRREVERSIBLE, Operation

NO_RETURN = frozenset({Operation.DELETE_KEY_STORE, Operation.DELETE_CLUSTER})


def check_preconditions(step: Step, context: PlanContext) -> Step:
    """The step itself, or the question that it needs first."""
    if not isinstance(step, Call):
        return step
    asked = _strange(step, context) or _unsafe(step, context) or _stale(step, context)
    return asked or held_by_aws(step, context)


def _strange(step: Call, context: PlanContext) -> Ask | None:
    strange = set(step.targets) - set(context.plan.names(step.operation))
    if not strange:
        return None
    what = f"{step.operation.split(':')[1]} on {min(strange)}"
    return Ask(differences=(Difference(what, "not in the plan", "needed now"),))


def _unsafe(step: Call, context: PlanContext) -> Ask | None:
    """Before a store is deleted its disconnect is final: a key that was not seen would be orphaned."""
    plan = context.plan
    orphans = plan.remedy.deletes_keys and step.operation is Operation.DISCONNECT_KEY_STORE
    if step.operation not in IRREVERSIBLE and not orphans:
        return None
    gates = hard_gates(plan.remedy, context)
    return Ask(gates=gates) if gates else None


def _stale(step: Call, context: PlanContext) -> Ask | None:
    """If the setting asks for it: one fresh yes before a point of no return that comes late."""
    hours = context.plan.terms.go_again_after
    if not hours or step.operation not in NO_RETURN or not context.case.approved:
        return None
    last = max(click.at for click in context.case.approved)
    if context.now - last < timedelta(hours=hours):
        return None
    older = Difference("Last approval", f"{hours} h old at most", "older")
    return Ask(differences=(older,), once_more=context.case.plan_is_under_way)

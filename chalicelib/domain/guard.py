"""The last word before a call: only what the plan names, and nothing final behind a closed check."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.case import Difference
from chalicelib.domain.gates import hard_gates
from chalicelib.domain.plan import IRREVERSIBLE, Operation, Remedy
from chalicelib.domain.remedies.scene import Scene, held_by_aws
from chalicelib.domain.step import Ask, Call, Step

NO_RETURN = frozenset({Operation.DELETE_KEY_STORE, Operation.DELETE_CLUSTER})


def guarded(step: Step, scene: Scene) -> Step:
    """The step itself, or the question that it needs first."""
    if not isinstance(step, Call):
        return step
    asked = _strange(step, scene) or _unsafe(step, scene) or _stale(step, scene)
    return asked or held_by_aws(step, scene)


def _strange(step: Call, scene: Scene) -> Ask | None:
    strange = set(step.targets) - set(scene.plan.names(step.operation))
    if not strange:
        return None
    what = f"{step.operation.split(':')[1]} on {min(strange)}"
    return Ask(differences=(Difference(what, "not in the plan", "needed now"),))


def _unsafe(step: Call, scene: Scene) -> Ask | None:
    """Retire's disconnect counts as final: a key that could not be seen would be orphaned by it."""
    plan = scene.plan
    orphans = plan.remedy is Remedy.RETIRE and step.operation is Operation.DISCONNECT_KEY_STORE
    if step.operation not in IRREVERSIBLE and not orphans:
        return None
    gates = hard_gates(plan.remedy, scene.snapshot, policy=scene.policy, now=scene.now)
    return Ask(gates=gates) if gates else None


def _stale(step: Call, scene: Scene) -> Ask | None:
    """Where the setting asks for it: one fresh yes before a point of no return that comes late."""
    hours = scene.plan.terms.go_again_after
    if not hours or step.operation not in NO_RETURN or not scene.case.approved:
        return None
    last = max(click.at for click in scene.case.approved)
    if scene.now - last < timedelta(hours=hours):
        return None
    older = Difference("Last approval", f"{hours} h old at most", "older")
    return Ask(differences=(older,), once_more=scene.case.plan_is_under_way)

"""What AWS hides of a plan under way. What can't be seen is not gone: the plan waits, and stays approved."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan
from chalicelib.domain.state.snapshot import KeyState, LastUse, Snapshot


def hidden(case: Case, snapshot: Snapshot) -> str:
    """The first thing that a plan under way has to see and that AWS refused to tell; "" where none is.

    Its approvals stand meanwhile, its keys stay watched, and cancel works.
    """
    if case.plan is None or not case.plan_has_begun or case.ending is not None:
        return ""
    return next(iter((*snapshot.unread, *_keys(case.plan, snapshot))), "")


def _keys(plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    """Keys that the approvers saw, and that AWS does not show or tell the use of now."""
    basis = {key.key_id: key for key in plan.basis.keys if key.state is not KeyState.UNKNOWN}
    for key in snapshot.keys:
        before = basis.get(key.key_id)
        if before is None:
            continue
        if key.unread:
            yield f"{key.name}: {key.unread}"
        elif key.is_live and key.last_use == LastUse() and not before.in_use:
            yield f"{key.name}: kms:GetKeyLastUsage was refused"

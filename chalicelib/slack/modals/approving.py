"""What the next approval of a plan does, and who gave one so far. Counts for the words alone, and judges nothing."""

from __future__ import annotations

from chalicelib.domain.rules.approval import approved
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import count, escape, listing, people, person

ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
DELETED = {"DeleteCluster": "the cluster", "DeleteHsm": "the last HSM"}


def is_last(shown: Shown, plan: Plan) -> bool:
    """Only the last one who is missing makes the plan begin."""
    missing = plan.terms.people - len(approved(plan, shown.case))
    return shown.case.plan is not None or missing <= 1


def start(shown: Shown, plan: Plan) -> str:
    """What comes before the first step."""
    need = count(plan.terms.people, "person", "people")
    return "Now" if is_last(shown, plan) else f"Once {need} have approved"


def last(plan: Plan) -> str:
    """“the third approval”."""
    need = plan.terms.people
    return f"the {ORDINALS[need] if need < len(ORDINALS) else 'last'} approval"


def needs(case: Case, plan: Plan) -> str:
    """Who has approved, how many must and why: below the inputs, as mrkdwn."""
    if case.plan:
        return "Needs one fresh yes: the plan stands as it was approved"
    so_far = listing((person(click.by) for click in approved(plan, case)), nothing="nobody")
    why = f" {escape('; '.join(plan.terms.reasons))}" if plan.terms.reasons else ""
    return (
        f"Approved so far: {so_far} · Needs {people(plan.terms.people)}{why}{_who_may(case, plan)}"
    )


def _who_may(case: Case, plan: Plan) -> str:
    """Whoever cut the keys off may approve a rescue, as it deletes nothing."""
    told = (a.operation for a in case.attempts if a.trigger.is_outage)
    what = [DELETED[operation] for operation in told if operation in DELETED]
    if plan.remedy is not Remedy.RESCUE or not what:
        return ""
    who = "who may be" if plan.terms.people == 1 else "one of whom may be"
    return f", {who} the one who deleted {what[-1]}"

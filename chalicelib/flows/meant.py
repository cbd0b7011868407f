"""What a click would record if whoever made it may, or what keeps it from that. Pure: asks nobody, writes nothing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from chalicelib.answers import Answer, CanNot, FieldError, PlanChanged, Private, WrongId
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.clicks import ended_just_now, not_possible
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.ports import Interaction

DAYS = re.compile(r"([1-9][0-9]{0,2})d")
LONGEST_KEEP = 365
UNKNOWN_BUTTON = (
    "Unlatch does not know what this button does. Nothing was changed. "
    "Please use the buttons of the newest message."
)


def meant_by(clicked: Interaction, act: Act, case: Case, *, now: datetime) -> Answer | Click:
    """The click, or why it can't be. A look still lacks the dialog that it opens."""
    remedy, by = remedy_of(clicked), clicked.user_id
    why = ended_just_now(case, act, by=by) or not_possible(case, act, remedy, by=by)
    if why:
        return CanNot(why, case)
    match act:
        case Act.APPROVE:
            return _yes(clicked, case, remedy, now)
        case Act.KEEP:
            return _keep(clicked, now)
    return Click(act, by, now)


def offered(case: Case, click: Click) -> Plan | None:
    """The plan that this yes is to."""
    offers = (plan for plan in case.offers if plan.plan_hash == click.plan_hash)
    return next(offers, None) if click.act is Act.APPROVE else None


def remedy_of(clicked: Interaction) -> Remedy | None:
    word = clicked.remedy if clicked.kind == "submission" else clicked.action
    return Remedy(word) if word in {str(remedy) for remedy in Remedy} else None


def _yes(clicked: Interaction, case: Case, remedy: Remedy | None, now: datetime) -> Answer | Click:
    """One person's yes to one plan hash."""
    values = clicked.values
    typed = values.get("cluster_id", "").strip()
    # A rescue deletes nothing, and whoever reads it was woken: it has no id to type.
    if remedy is not Remedy.RESCUE and typed.lower() != case.cluster_id.lower():
        return WrongId(typed, case)
    offers = (plan for plan in case.offers if plan.remedy is remedy)
    seen = next((plan for plan in offers if plan.plan_hash == clicked.plan_hash), None)
    if seen is None:
        return PlanChanged(case, remedy) if remedy else Private(UNKNOWN_BUTTON)
    plan = _targeted(case, seen, values.get("target", ""))
    if plan is None:
        return FieldError("target", "This cluster can’t take the key store now.")
    lacking = _lacking(plan, clicked)
    if lacking:
        return lacking
    if clicked.user_id in {click.by for click in approval.approved(plan, case)}:
        return Private("You approved this already. It counts once.")
    return Click(
        Act.APPROVE,
        clicked.user_id,
        now,
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        reason=values["reason"].strip()[:500],
        override=plan.terms.override and "in_use" in values.get("override", "").split(","),
        target=plan.target_cluster_id,
    )


def _lacking(plan: Plan, clicked: Interaction) -> FieldError | None:
    if not approval.is_reason(clicked.values.get("reason", "")):
        return FieldError("reason", "Please give a reason. Everybody in the thread will see it.")
    if plan.terms.override and "in_use" not in clicked.values.get("override", "").split(","):
        return FieldError("override", "Tick this box to say that you know what will fail.")
    if plan.unproven and clicked.values.get("unproven", "") != "unproven":
        return FieldError(
            "unproven", "Tick this box to say that you know which keys can’t be checked."
        )
    return None


def _targeted(case: Case, seen: Plan, target: str) -> Plan | None:
    """The plan for the chosen cluster; the one that was shown if none was chosen."""
    if not target or target == seen.target_cluster_id:
        return seen
    offers = (p for p in case.offers if p.remedy is seen.remedy)
    return next((p for p in offers if p.target_cluster_id == target), None)


def _keep(clicked: Interaction, now: datetime) -> Answer | Click:
    values = clicked.values
    if not approval.is_reason(values.get("reason", "")):
        return FieldError("reason", "Please give a reason.")
    days = DAYS.fullmatch(values.get("for", ""))
    if not days or int(days[1]) > LONGEST_KEEP:
        return FieldError("for", f"Choose 1 to {LONGEST_KEEP} days, like 30d.")
    return Click(
        Act.KEEP,
        clicked.user_id,
        now,
        remedy=Remedy.KEEP,
        reason=values["reason"].strip()[:500],
        owner=values.get("owner") or clicked.user_id,
        keep_until=now + timedelta(days=int(days[1])),
    )

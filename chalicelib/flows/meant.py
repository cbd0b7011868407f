"""What a click would record if whoever made it may, or what keeps it from that. Pure: asks nobody, writes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from chalicelib.answers import Answer, CanNot, FieldError, PlanChanged, Private, WrongId
from chalicelib.domain.remedies import rescue_subnets
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
    if click.act is not Act.APPROVE:
        return None
    offers = [plan for plan in case.offers if plan.remedy is click.remedy]
    found = (plan for plan in offers if plan.plan_hash == click.plan_hash)
    return next(found, None) or rescue_subnets.chosen_by(click, offers)


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
    plan = _targeted(case, seen, values)
    if isinstance(plan, FieldError):
        return plan
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
        target=plan.target_cluster_id or _chosen(plan, seen, values),
    )


def _chosen(plan: Plan, seen: Plan, values: Mapping[str, str]) -> str:
    """Of a rescue in other subnets than it was offered in: those, so that each turn can tell the plan."""
    if plan is seen:
        return ""
    return rescue_subnets.written(rescue_subnets.read_choice(values.get("subnets", "")))


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


def _targeted(case: Case, seen: Plan, values: Mapping[str, str]) -> Plan | FieldError:
    """The plan for the chosen cluster or subnets; the one that was shown if none was chosen."""
    target = values.get("target", "")
    if not target or target == seen.target_cluster_id:
        return _placed(seen, values.get("subnets", ""))
    offers = (p for p in case.offers if p.remedy is seen.remedy)
    found = next((p for p in offers if p.target_cluster_id == target), None)
    return found or FieldError("target", "This cluster can’t take the key store now.")


def _placed(plan: Plan, ticked: str) -> Plan | FieldError:
    """The rescue in the subnets that were ticked. A turn judges them by what AWS shows then."""
    if not plan.backup_id or not (ticked or plan.lacks_choice):
        return plan
    if flaw := rescue_subnets.flaw(ticked):
        return FieldError("subnets", flaw)
    return rescue_subnets.with_subnets(plan, rescue_subnets.read_choice(ticked))


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

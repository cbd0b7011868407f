"""The plans that a case offers: kept fresh, kept still while people approve, renewed when asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules import approval
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Ask
from chalicelib.domain.state.case import Case, Difference, Phase
from chalicelib.domain.state.click import LETS_BEGIN, Act
from chalicelib.domain.state.plan import Plan


def deadline(situation: Situation) -> datetime | None:
    """Until when people may decide; None while keys that the case scheduled wait: so long it lives."""
    if situation.case.watches or situation.case.is_down:
        return None
    return situation.now + timedelta(hours=situation.policy.expiry_hours)


def request_reapproval(situation: Situation, step: Ask) -> Case:
    """The approvals are void; the case waits for people with fresh plans and the difference shown."""
    why = step.differences or tuple(Difference(g.check, "held", g.found) for g in step.gates)
    case = replace(
        situation.case,
        phase=Phase.WAITING,
        plan=None,
        approved=(),
        confirmed=(),
        waiting_for="",
    )
    return _void(situation.with_case(case), why)


def asked_once_more(situation: Situation, plan: Plan, step: Ask) -> Case:
    """The plan and its approvals stand; it waits for one fresh yes, and reminds once a day."""
    case, now = situation.case, situation.now
    is_asking = case.phase is Phase.WAITING and case.offers == (plan,)
    if is_asking and case.expires_at and now < case.expires_at:
        return case
    return replace(
        case,
        phase=Phase.WAITING,
        waiting_for="",
        offers=(plan,),
        differences=step.differences,
        expires_at=now + timedelta(hours=situation.policy.expiry_hours),
        round=case.round if is_asking else case.round + 1,
        reset_at_click=case.reset_at_click if is_asking else len(case.clicks),
        reminded=False,
    )


def apply_reconfirmation(situation: Situation, plan: Plan) -> Case:
    """A fresh yes to the plan under way takes the place of the same person's old one, or stands beside."""
    case = situation.case
    fresh = approval.live(plan, case.current_clicks, situation, begun=True)
    if not fresh:
        return case
    again = {click.by for click in fresh}
    kept = (click for click in case.approved if click.by not in again)
    return replace(case, approved=(*kept, *fresh), differences=())


def _void(situation: Situation, why: tuple[Difference, ...]) -> Case:
    case = situation.case
    case = replace(
        case,
        differences=why,
        expires_at=deadline(situation),
        round=case.round + 1,
        reset_at_click=len(case.clicks),
        reminded=False,
        quorums=approval.quorums(situation),
    )
    return replace(case, offers=all_plans(situation.with_case(case)))


def _impossible(plan: Plan) -> tuple[Difference, ...]:
    return (Difference(plan.remedy.capitalize(), "possible", "not possible any more"),)


def _chosen(case: Case) -> list[Plan]:
    """Rescues in subnets that people chose as they approved, the last choice first: others see that one."""
    yes = (click for click in reversed(case.current_clicks) if click.act is Act.APPROVE)
    found = [plan for click in yes if (plan := rescue_subnets.chosen_by(click, case.offers))]
    return [plan for plan in dict.fromkeys(found) if approval.approved(plan, case)]


def fresh_offers(situation: Situation) -> tuple[Case, tuple[Difference, ...]]:
    """Offers for this world. One that people approved stands as long as nothing that matters changed.

    Where something did, all approvals are void, and the differences say why.
    """
    case = replace(situation.case, quorums=approval.quorums(situation))
    situation = situation.with_case(case)
    hashes = {c.plan_hash for c in case.current_clicks if c.act in LETS_BEGIN}
    chosen = _chosen(case)
    approved = {
        (plan.remedy, plan.target_cluster_id): plan
        for plan in case.offers
        if plan.plan_hash in hashes and plan not in chosen
    }
    offers: list[Plan] = []
    void: tuple[Difference, ...] = ()
    for plan in all_plans(situation):
        old = approved.pop((plan.remedy, plan.target_cluster_id), None)
        differences = changes(situation.on(old)) if old else ()
        void += differences
        offers.append(old if old and not differences else plan)
    possible = {plan.remedy for plan in offers}
    for old in (*chosen, *approved.values()):
        is_one = old in chosen and old.remedy in possible
        void += changes(situation.on(old)) or (() if is_one else _impossible(old))
    if void:
        void = tuple(dict.fromkeys(void))
        return _void(situation, void), void
    return replace(case, offers=(*chosen, *offers)), ()

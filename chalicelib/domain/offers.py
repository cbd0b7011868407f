"""The plans that a case offers: kept fresh, kept still while people approve, renewed when asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import approval
from chalicelib.domain.approval import Person
from chalicelib.domain.case import LETS_BEGIN, Case, Difference, Phase
from chalicelib.domain.changes import changes
from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.plan import Plan
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies.scene import Scene
from chalicelib.domain.snapshot import Snapshot
from chalicelib.domain.step import Ask


def deadline(case: Case, policy: Policy, now: datetime) -> datetime | None:
    """Until when people may decide; None while keys that the case scheduled wait: so long it lives."""
    return None if case.watches else now + timedelta(hours=policy.expiry_hours)


def asked_again(
    case: Case, snapshot: Snapshot, *, policy: Policy, now: datetime, step: Ask
) -> Case:
    """The approvals are void; the case waits for people with fresh plans and the difference shown."""
    why = step.differences or tuple(Difference(g.check, "held", g.found) for g in step.gates)
    case = replace(case, phase=Phase.WAITING, plan=None, approved=(), confirmed=(), waiting_for="")
    return _void(case, snapshot, policy=policy, now=now, why=why)


def asked_once_more(case: Case, plan: Plan, *, policy: Policy, now: datetime, step: Ask) -> Case:
    """The plan and its approvals stand; it waits for one fresh yes, and reminds once a day."""
    is_asking = case.phase is Phase.WAITING and case.offers == (plan,)
    if is_asking and case.expires_at and now < case.expires_at:
        return case
    return replace(
        case,
        phase=Phase.WAITING,
        waiting_for="",
        offers=(plan,),
        differences=step.differences,
        expires_at=now + timedelta(hours=policy.expiry_hours),
        round=case.round if is_asking else case.round + 1,
        reset_at_click=case.reset_at_click if is_asking else len(case.clicks),
        reminded=False,
    )


def said_once_more(
    case: Case, plan: Plan, *, people: Mapping[str, Person], policy: Policy, now: datetime
) -> Case:
    """A fresh yes to the plan under way takes the place of the same person's old one, or stands beside."""
    since = case.current_clicks
    fresh = approval.live(plan, since, people=people, case=case, policy=policy, now=now, begun=True)
    if not fresh:
        return case
    again = {click.by for click in fresh}
    kept = (click for click in case.approved if click.by not in again)
    return replace(case, approved=(*kept, *fresh), differences=())


def _void(
    case: Case,
    snapshot: Snapshot,
    *,
    policy: Policy,
    now: datetime,
    why: tuple[Difference, ...],
) -> Case:
    case = replace(
        case,
        differences=why,
        expires_at=deadline(case, policy, now),
        round=case.round + 1,
        reset_at_click=len(case.clicks),
        reminded=False,
        quorums=approval.quorums(snapshot, case=case, policy=policy),
    )
    return replace(case, offers=all_plans(snapshot, case=case, policy=policy, now=now))


def fresh_offers(
    case: Case, snapshot: Snapshot, *, policy: Policy, now: datetime
) -> tuple[Case, tuple[Difference, ...]]:
    """Offers for this world. One that people approved stands as long as nothing that matters changed.

    Where something did, all approvals are void, and the differences say why.
    """
    case = replace(case, quorums=approval.quorums(snapshot, case=case, policy=policy))
    hashes = {c.plan_hash for c in case.current_clicks if c.act in LETS_BEGIN}
    approved = {
        (plan.remedy, plan.target_cluster_id): plan
        for plan in case.offers
        if plan.plan_hash in hashes
    }
    offers: list[Plan] = []
    void: tuple[Difference, ...] = ()
    for plan in all_plans(snapshot, case=case, policy=policy, now=now):
        old = approved.pop((plan.remedy, plan.target_cluster_id), None)
        differences = changes(Scene(old, case, snapshot, policy, now)) if old else ()
        void += differences
        offers.append(old if old and not differences else plan)
    for old in approved.values():
        why = changes(Scene(old, case, snapshot, policy, now))
        void += why or (Difference(old.remedy.capitalize(), "possible", "not possible any more"),)
    if void:
        void = tuple(dict.fromkeys(void))
        return _void(case, snapshot, policy=policy, now=now, why=void), void
    return replace(case, offers=tuple(offers)), ()

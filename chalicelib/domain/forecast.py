"""What will happen if this plan is approved now: decide, run over a model of the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.decide import decide
from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Ask, Call, Close
from chalicelib.domain.simulation import Durations, SimulatedAws
from chalicelib.domain.state.case import CallRecord, CallStatus, Case, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Plan

MOST_TURNS = 2_000
USUAL = Durations()
NOBODY = "forecast"
"""Stands in for the team, the people and their reason."""


@dataclass(frozen=True)
class Foreseen:
    """One AWS call, on one target, and when."""

    at: datetime
    operation: Operation
    target: str


@dataclass(frozen=True)
class Forecast:
    """`end` is None if the plan would not run to its end by itself; `why` says so.

    `lapses`: the approvals would be too old before anything could be called.
    """

    calls: tuple[Foreseen, ...]
    end: datetime | None
    why: str
    lapses: bool = False


def forecast(plan: Plan, situation: Situation, *, durations: Durations = USUAL) -> Forecast:
    """The calls of this plan with their times, if people approve it now and nobody interferes."""
    plan = rescue_subnets.likely(plan, situation.snapshot.room)
    policy, plan = _simply(situation.policy, plan)
    now = situation.now
    names = [f"{NOBODY} {number}" for number in range(plan.terms.people)]
    people = {name: Person(name, NOBODY, is_approver=True) for name in names}
    case = _approved(situation.case, plan, names=names, now=now)
    model = SimulatedAws(situation.snapshot, durations)
    calls: list[Foreseen] = []
    for _ in range(MOST_TURNS):
        decision = decide(Situation(case, model.at(now), people, policy, now))
        case, step = decision.case, decision.step
        if isinstance(step, Close):
            return Forecast(tuple(calls), now, step.reason)
        if isinstance(step, Ask):
            late = now - situation.now >= timedelta(hours=policy.expiry_hours)
            return Forecast(tuple(calls), None, _question(step), lapses=late and not calls)
        if isinstance(step, Call):
            calls += [Foreseen(now, step.operation, target) for target in step.targets]
            case = _made(case, plan, step, model=model, now=now)
        if case.plan_has_begun and situation.snapshot.unread:
            break  # nobody foresees when AWS can be read again: the plan waits for that
        now += timedelta(seconds=1 if isinstance(step, Call) else step.seconds)
    return Forecast(tuple(calls), None, "The plan takes longer than can be foreseen.")


def _question(step: Ask) -> str:
    what = [d.what for d in step.differences] + [g.check for g in step.gates]
    return f"Unlatch asks again: {'; '.join(what) or 'the watch over the disabled keys is over'}"


def _simply(policy: Policy, plan: Plan) -> tuple[Policy, Plan]:
    """The same for real, without the confirmation, whoever may approve."""
    anybody = replace(policy, approvers=(NOBODY,), team_ids=(NOBODY,))
    terms = replace(plan.terms, dry_run=False, step_up=False)
    return replace(anybody, dry_run=False, step_up_roles=()), replace(plan, terms=terms)


def _made(case: Case, plan: Plan, step: Call, *, model: SimulatedAws, now: datetime) -> Case:
    """The calls of this step, made in the model and remembered as accepted."""
    for target in step.targets:
        model.call(step, target, now)
        record = CallRecord(step.operation, target, now, CallStatus.DONE, plan.plan_hash)
        case = case.with_call(record)
    return case


def _approved(case: Case, plan: Plan, *, names: Sequence[str], now: datetime) -> Case:
    """The case as if these people had just approved the plan, for real."""
    clicks = tuple(
        Click(
            Act.APPROVE,
            name,
            now,
            plan_hash=plan.plan_hash,
            reason=NOBODY,
            override=plan.terms.override,
        )
        for name in names
    )
    return replace(
        case,
        phase=Phase.RUNNING,
        plan=plan,
        approved=clicks,
        clicks=clicks,
        expires_at=None,
        reset_at_click=0,
        ending=None,
    )

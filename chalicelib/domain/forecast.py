"""What will happen if this plan is approved now: decide, run over a model of the world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.approval import Person
from chalicelib.domain.case import Act, CallRecord, CallStatus, Case, Click, Phase
from chalicelib.domain.decide import decide
from chalicelib.domain.model import Durations, Model
from chalicelib.domain.plan import Operation, Plan
from chalicelib.domain.policy import Policy
from chalicelib.domain.snapshot import Snapshot
from chalicelib.domain.step import Ask, Call, Close

MOST_TURNS = 2_000
USUAL = Durations()
TEAM = "forecast"


@dataclass(frozen=True)
class Foreseen:
    """One AWS call, on one target, and when."""

    at: datetime
    operation: Operation
    target: str


@dataclass(frozen=True)
class Forecast:
    """`end` is None where the plan would not run to its end by itself; `why` says so."""

    calls: tuple[Foreseen, ...]
    end: datetime | None
    why: str


def forecast(
    plan: Plan,
    snapshot: Snapshot,
    *,
    case: Case,
    policy: Policy,
    now: datetime,
    durations: Durations = USUAL,
) -> Forecast:
    """The calls of this plan with their times, if people approve it now and nobody interferes."""
    policy = replace(policy, dry_run=False, approvers=(TEAM,), team_ids=(TEAM,), step_up_roles=())
    case, people = _approved(case, plan, now)
    model = Model(snapshot, durations)
    calls: list[Foreseen] = []
    for _ in range(MOST_TURNS):
        decision = decide(case, model.at(now), people=people, policy=policy, now=now)
        case, step = decision.case, decision.step
        if isinstance(step, Close):
            return Forecast(tuple(calls), now, step.reason)
        if isinstance(step, Ask):
            return Forecast(tuple(calls), None, _question(step))
        if isinstance(step, Call):
            calls += [Foreseen(now, step.operation, target) for target in step.targets]
            case = _done(case, step, model=model, now=now)
        now += timedelta(seconds=1 if isinstance(step, Call) else step.seconds)
    return Forecast(tuple(calls), None, "The plan takes longer than can be foreseen.")


def _question(step: Ask) -> str:
    what = [d.what for d in step.differences] + [g.check for g in step.gates]
    return f"Unlatch asks again: {'; '.join(what) or 'the watch over the disabled keys is over'}"


def _done(case: Case, step: Call, *, model: Model, now: datetime) -> Case:
    """The calls of this step, made in the model and remembered as accepted."""
    assert case.plan is not None, "a call has a plan"
    for target in step.targets:
        model.call(step, target, now)
        plan_hash = case.plan.plan_hash
        record = CallRecord(step.operation, target, now, CallStatus.DONE, plan_hash)
        case = case.with_call(record)
    return case


def _approved(case: Case, plan: Plan, now: datetime) -> tuple[Case, dict[str, Person]]:
    """The case as if enough people had just approved the plan, for real."""
    plan = replace(plan, terms=replace(plan.terms, dry_run=False, step_up=False))
    people = {
        name: Person(name, TEAM, name=name, is_approver=True)
        for name in (f"forecast {i}" for i in range(plan.terms.people))
    }
    said = Click(
        Act.APPROVE,
        "",
        now,
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        reason="forecast",
        override=plan.terms.override,
    )
    clicks = tuple(replace(said, by=name) for name in people)
    return _running(case, plan, clicks), people


def _running(case: Case, plan: Plan, clicks: tuple[Click, ...]) -> Case:
    return replace(
        case,
        phase=Phase.RUNNING,
        plan=plan,
        last_plan=plan,
        approved=clicks,
        clicks=clicks,
        expires_at=None,
        reset_at_click=0,
        ending=None,
        keep=None,
    )

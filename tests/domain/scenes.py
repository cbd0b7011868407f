"""Scenes for the tests of single steps: an approved plan, calls of ours, and the world as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Step, Wait
from chalicelib.domain.state.case import CallRecord, CallStatus
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Snapshot
from tests.domain.worlds import HOURS, NOW, POLICY, STORE, case, situation

JUST = timedelta(minutes=1)
"""So lately that AWS may still show how it was before."""


AGED = timedelta(minutes=20)
"""So long that the time until the next look tells since when something has been under way."""
AGED_SECONDS = 100
Told = Step | str | None


def told(step: Step | None) -> Told:
    """The step itself; of a wait only what it waits for, as test_polling.py knows the times."""
    if not isinstance(step, Wait):
        return step
    assert step.seconds >= 1
    return step.why


def made(
    operation: Operation,
    target: str = STORE,
    *,
    ago: timedelta = HOURS,
    status: CallStatus = CallStatus.DONE,
    plan_hash: str = "",
) -> CallRecord:
    """A call of ours; without a hash, one that the scene's own plan made."""
    return CallRecord(operation, target, NOW - ago, status, plan_hash)


def offer(remedy: Remedy, snapshot: Snapshot, *, policy: Policy = POLICY) -> Plan:
    """The plan of this remedy in this world."""
    plans = all_plans(situation(snapshot, policy=policy))
    return next(plan for plan in plans if plan.remedy is remedy)


def scene(
    remedy: Remedy,
    snapshot: Snapshot,
    *calls: CallRecord,
    basis: Snapshot | None = None,
    policy: Policy = POLICY,
    now: datetime = NOW,
    **case_values: object,
) -> PlanContext:
    """The plan of this remedy, approved in `basis` (else in this very world), after these calls."""
    plan = offer(remedy, basis or snapshot, policy=policy)
    own = tuple(c if c.plan_hash else replace(c, plan_hash=plan.plan_hash) for c in calls)
    known: dict[str, Any] = {"plan": plan, "last_plan": plan, "calls": own}
    now_is = situation(snapshot, case=case(**known | case_values), policy=policy, now=now)
    return now_is.on(plan)

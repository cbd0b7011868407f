"""The only entry to a case's message: picks the state, never raises, and marks a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from chalicelib.domain.diagnosis import Cause, cause_of
from chalicelib.domain.forecast import Forecast
from chalicelib.domain.rules.approval import leading_offer
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.slack.messages import (
    approvals,
    changed,
    closed,
    expired,
    facts,
    kept,
    key_used,
    new,
    once_more,
    outage,
    parked,
    parts,
    released,
    repointed,
    rescued,
    retired,
    running,
    stopped,
    too_risky,
    waiting_keys,
)
from chalicelib.slack.messages.blocks import MOST_BLOCKS
from chalicelib.slack.messages.names import NO_NAMES, Names
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Message, marked

__all__ = ["Message", "render"]

NO_FORECASTS: Mapping[str, Forecast] = MappingProxyType({})
ENDINGS = {
    Outcome.RETIRED: retired.message,
    Outcome.RELEASED: released.message,
    Outcome.RESCUED: rescued.message,
    Outcome.PARKED: parked.message,
    Outcome.REPOINTED: repointed.message,
    Outcome.KEPT: kept.message,
    Outcome.STOPPED: stopped.message,
    Outcome.EXPIRED: expired.message,
}


def render(
    case: Case,
    *,
    policy: Policy,
    now: datetime,
    version: int,
    forecasts: Mapping[str, Forecast] = NO_FORECASTS,
    stage: str = "",
    names: Names = NO_NAMES,
) -> Message:
    """The case's message as it should stand now. `forecasts` by plan hash or remedy."""
    shown = Shown(case, policy, now, version, forecasts, stage, names)
    match case.phase:
        case Phase.CLOSED:
            message = ENDINGS.get(case.outcome or Outcome.RESOLVED, closed.message)(shown)
        case Phase.RUNNING:
            message = _running(shown)
        case _:
            message = _waiting(shown)
    blocks = list(message.blocks)
    blocks.insert(1, parts.place(shown))
    if case.has_begun and case.snapshot and case.snapshot.unread:
        blocks.insert(2, parts.hidden(case.snapshot.unread))
    if facts.is_dry_run(case, policy):
        blocks.insert(2, parts.dry_run())
    return Message(marked(parts.told_where(shown, message.text)), tuple(blocks[:MOST_BLOCKS]))


def _running(shown: Shown) -> Message:
    """Under way; while keys wait for their deletion, that is what matters."""
    case, plan = shown.case, shown.case.plan
    retiring = plan is not None and plan.remedy.deletes_keys and case.ending is None
    if not retiring or case.snapshot is None:
        return running.message(shown)
    end = facts.keys_end(case)
    disabled = any(case.did(Operation.DISABLE_KEY, key.key_id) for key in facts.keys(case))
    if case.key_uses and (end or disabled):
        return key_used.message(shown, end)
    if end and not case.snapshot.live_keys:
        return waiting_keys.message(shown, end)
    return running.message(shown)


def _waiting(shown: Shown) -> Message:
    """For people to decide: what they have begun comes before what they could begin."""
    case = shown.case
    if case.snapshot is None:
        return new.message(shown)
    if case.plan and case.differences:
        return once_more.message(shown, case.plan)
    begun = leading_offer(shown.situation)
    gates = {way.remedy: way.gates for way in shown.ways}
    if begun:
        plan, clicks = begun
        if gates.get(plan.remedy):
            return too_risky.message(shown, gates[plan.remedy], begun)
        return approvals.message(shown, plan, clicks)
    if case.differences and not outage.is_one(shown):
        return changed.message(shown)
    knows_why = cause_of(case.snapshot) is not Cause.INCOMPLETE
    if gates.get(Remedy.RETIRE) and knows_why and not outage.is_one(shown):
        return too_risky.message(shown, gates[Remedy.RETIRE])
    return new.message(shown)

"""What the log says of a turn: what people and AWS did since the last one, and what was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.decide import Decision
from chalicelib.domain.diagnosis import cause_of
from chalicelib.domain.forecast import forecast
from chalicelib.domain.overdue import overdue
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.sessions import why_quiet
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.rules.step import Ask, Call, Close
from chalicelib.domain.rules.waiting import gone_keys, our_keys
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.trigger import Trigger
from chalicelib.ports import Ports

LAST_CALL = timedelta(hours=24, minutes=1)
HURTS_OTHERS = (Operation.DELETE_KEY_STORE, Operation.DELETE_HSM)
"""What comes after the quiet time."""


def hear_uses(case: Case, now: datetime) -> tuple[Case, list[Entry]]:
    """Failed uses of the keys that arrived since the last turn."""
    said = [
        entry(
            Kind.KEY_USED,
            now,
            who=use.who,
            key=use.key_id,
            operation=use.operation,
            event_id=use.event_id,
            used_at=use.at.isoformat(),
        )
        for use in case.key_uses[case.uses_seen :]
    ]
    return replace(case, uses_seen=len(case.key_uses)), said


def opened(case: Case, now: datetime) -> list[Entry]:
    """The first entry of a log, which says whose it is; () in all but the first turn."""
    first = case.attempts[0]
    said = entry(
        Kind.OPENED,
        now,
        case_id=case.case_id,
        account=case.account,
        region=case.region,
        cluster=case.cluster_id,
        event_id=first.event_id,
        by=first.caller.words,
        tool=first.caller.tool,
        error_code=first.error_code,
        trigger=first.trigger,
        operation=first.operation,
        name=first.name,
    )
    return [] if case.log_length else [said]


def hear_attempts(ports: Ports, case: Case, now: datetime) -> tuple[Case, list[Entry]]:
    """Further failed calls since the last turn; on the first turn, who made the first one."""
    if case.turns == 0 and case.requester:
        case = replace(case, requester_id=ports.people.find(case.requester))
    said = [
        entry(Kind.ATTEMPT, now, event_id=a.event_id, by=a.caller.words, tool=a.caller.tool)
        for a in case.attempts[case.attempts_seen :]
    ]
    return replace(case, attempts_seen=max(len(case.attempts), 1)), said


def said(before: Case, decision: Decision, ports: Ports, now: datetime) -> list[Entry]:
    """What the log says of this decision."""
    case, step = decision.case, decision.step
    said = []
    if before.turns == 1 and case.snapshot:
        snapshot = case.snapshot
        counts = {"keys": len(snapshot.keys), "seen": snapshot.keys_seen}
        blocked = case.trigger in (Trigger.DELETE_BLOCKED, Trigger.SCAN)
        cause = cause_of(snapshot) if blocked else ""
        said.append(entry(Kind.READ, now, **counts, cause=cause))
    if case.plan and case.plan is not before.plan:
        said.append(_began(case, case.plan, now))
    if case.reset_at_click != before.reset_at_click and not before.keep:
        why = "; ".join(f"{d.what}: {d.before} → {d.now}" for d in case.differences)
        kind = Kind.ONCE_MORE if case.plan else Kind.VOIDED
        said.append(entry(kind, now, why=why or "the watch is over"))
    if isinstance(step, Call) and (found := _why_quiet(case, step)):
        said.append(entry(Kind.QUIET, now, found=found))
    if before.keep and not case.keep:
        said.append(entry(Kind.LAPSED, now))
    gone = gone_keys(before, case.snapshot) if before.watches and case.snapshot else ()
    if gone and not case.watches:
        said.append(entry(Kind.KEYS_GONE, now, count=len(gone)))
    if isinstance(step, Close) and not before.is_closed:
        said += _dry_run(case, ports, now) if step.outcome is Outcome.EXPLAINED else []
        said.append(entry(Kind.CLOSED, now, outcome=step.outcome, reason=step.reason))
    return said


def _began(case: Case, plan: Plan, now: datetime) -> Entry:
    """With all that the approvals were for, so that the log alone shows whether they were enough."""
    return entry(
        Kind.BEGAN,
        now,
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        by=" ".join(click.by for click in case.approved),
        account=plan.account,
        region=plan.region,
        cluster=plan.cluster_id,
        round=case.round,
        people=plan.terms.people,
        step_up="yes" if plan.terms.step_up else "",
    )


def _why_quiet(case: Case, step: Call) -> str:
    """Just before the first call that would hurt other programs: what was counted of them."""
    plan, world = case.plan, case.snapshot
    if step.operation not in HURTS_OTHERS or plan is None or world is None or plan.terms.override:
        return ""
    made = (c for c in case.calls if c.operation in HURTS_OTHERS)
    return "" if any(c.plan_hash == plan.plan_hash for c in made) else why_quiet(world)


def reminded(decision: Decision, policy: Policy, now: datetime) -> tuple[Decision, list[Entry]]:
    """One reminder before a case lapses, and a last call a day before keys of ours go."""
    case = decision.case
    last = _last_call(case, now)
    is_coming_back = case.ending is not None and not case.is_closed
    if last and not is_coming_back:
        said = entry(Kind.REMINDED, now, what="keys", until=last.isoformat())
        return replace(decision, case=replace(case, called_until=last)), [said]
    soon = timedelta(hours=policy.remind_hours)
    undecided = isinstance(decision.step, Ask) and soon and not case.reminded
    if undecided and case.expires_at and case.expires_at - now <= soon:
        what = "once more" if case.plan else "decide"
        said = entry(Kind.REMINDED, now, what=what, until=case.expires_at.isoformat())
        return replace(decision, case=replace(case, reminded=True)), [said]
    return decision, []


def late(decision: Decision, now: datetime) -> tuple[Decision, list[Entry]]:
    """Told once of each transition that takes far longer than usual."""
    case = decision.case
    found = overdue(case, case.snapshot, now) if case.snapshot else None
    if found is None or case.is_closed or case.overdue_told == found.since:
        return decision, []
    told = entry(
        Kind.OVERDUE,
        now,
        operation=found.operation,
        target=found.target,
        since=found.since.isoformat(),
        usual_minutes=int(found.usual.total_seconds() // 60),
        request_id=found.request_id,
    )
    return replace(decision, case=replace(case, overdue_told=found.since)), [told]


def _last_call(case: Case, now: datetime) -> datetime | None:
    """When those keys are gone that nobody was called for yet and that go within a day."""
    keys = our_keys(case, case.snapshot) if case.snapshot else ()
    dates = [key.deletion_date for key in keys if key.deletion_date]
    due = [date for date in dates if not case.called_until or date > case.called_until]
    first = min(due, default=None)
    if first is None or first - now > LAST_CALL:
        return None
    return max(date for date in due if date - first <= LAST_CALL)


def _dry_run(case: Case, ports: Ports, now: datetime) -> list[Entry]:
    """What the approved plan would have done, call by call, with its times."""
    if case.plan is None or case.snapshot is None:
        return []
    foreseen = forecast(case.plan, last_seen(case, policy=ports.policy, now=now))
    return [
        entry(Kind.DRY_RUN, now, operation=call.operation, target=call.target, due=call.at)
        for call in foreseen.calls
    ]

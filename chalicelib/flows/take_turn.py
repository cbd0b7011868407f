"""One turn: load the case, look at AWS, decide, do at most one thing, record it, show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.case import Act, Case, Click, Outcome, Phase
from chalicelib.domain.clicks import take_in
from chalicelib.domain.decide import HOUR, Decision, decide
from chalicelib.domain.forecast import forecast
from chalicelib.domain.log import Entry, Kind, entry
from chalicelib.domain.plan import Operation
from chalicelib.domain.snapshot import Snapshot
from chalicelib.domain.step import Ask, Call, Close, Wait
from chalicelib.flows.perform import perform, resaved
from chalicelib.ports import Conflict, GiveUp, Ports, TryLater

TURNS_A_RUN = 1_500
"""A run has at most 25,000 history events, about 12 a turn; then a successor takes over."""
FROZEN_SECONDS = 300
SLOW_STARTERS = frozenset(
    {Operation.CONNECT_KEY_STORE, Operation.DISCONNECT_KEY_STORE, Operation.DELETE_CLUSTER}
)


@dataclass(frozen=True)
class Turn:
    """What the state machine reads: whether to end, how long to park, and at which version."""

    finished: bool
    wait_seconds: int
    version: int


def take_turn(ports: Ports, case_id: str, generation: int) -> Turn:
    """Safe to repeat and to kill at any line. A turn of an old generation does nothing and ends."""
    for _ in range(5):
        case = ports.cases.load(case_id)
        if case.generation != generation:
            return Turn(True, 1, case.version)
        try:
            return _turn(ports, case)
        except Conflict:
            continue
    return Turn(False, 1, case.version)


def _turn(ports: Ports, case: Case) -> Turn:
    now = ports.clock()
    may_exist = case.turns > 0
    case, forged = _without_forged(ports, case)
    looks = [click for click in case.new_clicks if click.act is Act.LOOK and click.view_id]
    case, heard = take_in(case, now)
    case, used = _hear_uses(case, now)
    entries = [*forged, *heard, *used]
    case = replace(case, turns=case.turns + 1)
    if not case.message.ts:
        # The time to decide counts from the message: nobody can answer what was never asked.
        case = replace(case, expires_at=None)
    if case.is_closed and case.outcome is not Outcome.KEPT:
        return _end_of_turn(ports, resaved(ports, case, lambda c: _like(c, case), entries), 1)
    try:
        snapshot = _look(ports, case, now)
    except TryLater as trouble:
        ports.log("AWS can’t be read now", reason=trouble.reason, case_id=case.case_id)
        return Turn(False, 30, case.version)
    people = ports.people.fetch(_deciders(case))
    decision = decide(case, snapshot, people=people, policy=ports.policy, now=now)
    entries += _said(case, decision, ports, now)
    case, seconds = _do(ports, decision, entries)
    for click in looks:
        ports.gateway.fill(case, click, now=now)
    return _end_of_turn(ports, case, seconds, may_exist=may_exist)


def _do(ports: Ports, decision: Decision, entries: Sequence[Entry]) -> tuple[Case, int]:
    """The step done and recorded; the seconds until the next look."""
    case, step = decision.case, decision.step
    now = ports.clock()
    match step:
        case Call() if brake := ports.cases.frozen():
            why = f"all changes are frozen: {brake}"
            # Nothing was done yet, so there is nothing that cancel would have to restore.
            held = replace(case, waiting_for=why, before=case.before if case.calls else None)
            return ports.cases.save(held, entries), FROZEN_SECONDS
        case Call():
            try:
                case = perform(ports, case, step, entries)
            except GiveUp as stop:
                return _stopped(ports, ports.cases.load(case.case_id), stop, decision), 1
            return case, 15 if step.operation in SLOW_STARTERS else 1
        case Wait():
            return ports.cases.save(case, entries), step.seconds
        case Ask():
            return ports.cases.save(case, entries), _patience(ports, case, now)
        case Close():
            ports.count(f"CasesClosed_{step.outcome}", 1)
            return ports.cases.save(case, entries), 1


def _stopped(ports: Ports, case: Case, stop: GiveUp, decision: Decision) -> Case:
    """Only a person can help: the case closes as stopped, with what to do."""
    now = ports.clock()
    closed = entry(Kind.CLOSED, now, outcome=Outcome.STOPPED, reason=stop.reason)
    ports.count("CasesClosed_stopped", 1)
    return resaved(
        ports,
        case,
        lambda current: replace(
            current,
            phase=Phase.CLOSED,
            outcome=Outcome.STOPPED,
            reason=stop.reason,
            advice=stop.advice,
            closed_at=now,
            waiting_for="",
            snapshot=decision.case.snapshot,
        ),
        [closed],
    )


def _end_of_turn(ports: Ports, case: Case, seconds: int, *, may_exist: bool = True) -> Turn:
    """Shows the case, and says when to come back. Slack's troubles never hold up the work."""
    entries: Sequence[Entry] = ()
    if case.log_length > case.message.thread_lines:
        entries = ports.cases.entries(case.case_id)[case.message.thread_lines :]
    message = ports.gateway.show(case, entries, now=ports.clock(), may_exist=may_exist)
    if message != case.message:
        case = resaved(ports, case, lambda current: replace(current, message=message))
    over = case.is_closed and case.outcome is not Outcome.KEPT
    if message.is_behind:
        seconds = min(seconds, 60) if not over else 300
    if case.turns % TURNS_A_RUN == 0:
        return _hand_over(ports, case)
    return Turn(over and not message.is_behind, max(seconds, 1), case.version)


def _hand_over(ports: Ports, case: Case) -> Turn:
    """This run nears the engine's limit: a successor of the next generation goes on."""
    generation = ports.cases.next_generation(case)
    ports.runs.start(case.case_id, generation)
    return Turn(True, 1, case.version)


def _patience(ports: Ports, case: Case, now: datetime) -> int:
    """A case that waits for people looks at AWS hourly, and wakes for its reminder and its end."""
    left = HOUR
    if case.expires_at:
        expiry = int((case.expires_at - now).total_seconds()) + 1
        reminder = expiry - ports.policy.remind_hours * HOUR
        left = min(left, *(seconds for seconds in (expiry, reminder) if seconds > 0))
    return max(left, 1)


def _look(ports: Ports, case: Case, now: datetime) -> Snapshot:
    """The world; where the reader role can't even be assumed, a snapshot that says so."""
    try:
        return ports.inventory.snapshot(case, now=now)
    except GiveUp as refused:
        return Snapshot(
            now, case.account, case.region, case.cluster_id, None, unread=(refused.reason,)
        )


def _deciders(case: Case) -> list[str]:
    clicks = (*case.approved, *case.clicks[case.reset_at_click :])
    return sorted({click.by for click in clicks if click.act is Act.APPROVE})


def _without_forged(ports: Ports, case: Case) -> tuple[Case, list[Entry]]:
    """Approvals whose seal KMS does not confirm are taken out, logged and alarmed."""
    known: dict[Click, Click] = {}

    def checked(click: Click) -> Click:
        if click.act is not Act.APPROVE:
            return click
        if click not in known:
            holds = ports.seal.holds(click.sealed_text(case.case_id), click.seal)
            known[click] = click if holds else replace(click, act=Act.LOOK)
        return known[click]

    relevant = case.clicks[case.reset_at_click :]
    clicks = (*case.clicks[: case.reset_at_click], *map(checked, relevant))
    approved = tuple(c for c in map(checked, case.approved) if c.act is Act.APPROVE)
    forged = [old for old, new in known.items() if old is not new]
    fresh = [click for click in forged if click in case.new_clicks]
    if forged:
        ports.count("SealRefused", len(forged))
        ports.log("forged approval", case_id=case.case_id, by=forged[0].by)
    entries = [entry(Kind.FORGED, ports.clock(), by=click.by) for click in fresh]
    return replace(case, clicks=clicks, approved=approved), entries


def _hear_uses(case: Case, now: datetime) -> tuple[Case, list[Entry]]:
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


def _said(before: Case, decision: Decision, ports: Ports, now: datetime) -> list[Entry]:
    """What the log says of this decision."""
    case, step = decision.case, decision.step
    said = []
    if before.turns == 1 and case.snapshot:
        snapshot = case.snapshot
        said.append(entry(Kind.READ, now, keys=len(snapshot.keys), seen=snapshot.keys_seen))
    if case.plan and case.plan is not before.plan:
        by = " ".join(click.by for click in case.approved)
        plan = case.plan
        said.append(entry(Kind.BEGAN, now, remedy=plan.remedy, plan_hash=plan.plan_hash, by=by))
    if case.reset_at_click != before.reset_at_click and not before.keep:
        why = "; ".join(f"{d.what}: {d.before} → {d.now}" for d in case.differences)
        said.append(entry(Kind.VOIDED, now, why=why or "the watch is over"))
    if before.keep and not case.keep:
        said.append(entry(Kind.LAPSED, now))
    if isinstance(step, Close):
        said += _dry_run(case, ports, now) if step.outcome is Outcome.EXPLAINED else []
        said.append(entry(Kind.CLOSED, now, outcome=step.outcome, reason=step.reason))
    return said


def _dry_run(case: Case, ports: Ports, now: datetime) -> list[Entry]:
    """What the approved plan would have done, call by call, with its times."""
    if case.plan is None or case.snapshot is None:
        return []
    foreseen = forecast(case.plan, case.snapshot, case=case, policy=ports.policy, now=now)
    return [
        entry(Kind.DRY_RUN, now, operation=call.operation, target=call.target, due=call.at)
        for call in foreseen.calls
    ]


def _like(stored: Case, case: Case) -> Case:
    """A closed case after a turn that only heard clicks."""
    return replace(stored, clicks_seen=case.clicks_seen, uses_seen=case.uses_seen, turns=case.turns)

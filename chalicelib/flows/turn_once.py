"""What a turn does with its case: look at AWS, decide, do at most one thing, record it, show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from chalicelib.domain.decide import HOUR, Decision, decide
from chalicelib.domain.rules.clicks import apply_clicks
from chalicelib.domain.rules.gone import is_about_nothing
from chalicelib.domain.rules.notices import noticed, still_off
from chalicelib.domain.rules.polling import MINUTE
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.rules.unreadable import remembered
from chalicelib.domain.rules.waiting import our_keys, until_next
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.plan import LOOK_AGAIN_BEFORE, Operation
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.audit_entries import hear_attempts, hear_uses, late, opened, reminded, said
from chalicelib.flows.batch import perform_many
from chalicelib.flows.owners import with_owners
from chalicelib.flows.perform import frozen, left_to_wait, perform, save_with_retry
from chalicelib.flows.routing import for_case, tagged
from chalicelib.flows.snapshot_cache import keep_look, last_look, may_be_enough
from chalicelib.flows.turn_ports import TurnPorts
from chalicelib.flows.unanswered import given_up

FROZEN_SECONDS = 300
SOON_AGAIN = 2 * MINUTE
UNREAD_SECONDS = 60
SLOW_STARTERS = frozenset(
    {Operation.CONNECT_KEY_STORE, Operation.DISCONNECT_KEY_STORE, Operation.DELETE_CLUSTER}
)


def turn_once(ports: TurnPorts, case: Case) -> tuple[Case, int]:
    """The case after this turn; the seconds until the next. What AWS can't do now comes later."""
    try:
        case = tagged(ports, case)
        there = for_case(ports, case)
        if not case.message.ts:  # else there may be nothing new to show
            there.aside(partial(there.gateway.prepare, case))  # while AWS is read
        return _decided(there, case)
    except TemporaryError as trouble:
        ports.log("AWS can’t now", reason=trouble.reason, case_id=case.case_id)
        ports.count("ReadsTriedAgain", 1)
        case = ports.cases.load(case.case_id)
        # Counted as a turn, so that a run that can't read for days hands over in time.
        more = replace(case, turns=case.turns + 1)
        entries = [*opened(case, ports.clock()), *_forged(ports)]
        if over := given_up(ports, more, entries, trouble):
            return _shown(ports, over, 1)
        return ports.cases.save(more, entries), UNREAD_SECONDS
    except PermanentError as stop:
        ports = for_case(ports, case)
        return _told(ports, _stopped(ports, ports.cases.load(case.case_id), stop), ports.clock())


def _decided(ports: TurnPorts, case: Case) -> tuple[Case, int]:
    now = ports.clock()
    may_exist = case.turns > 0
    forged = _forged(ports)
    looks = [click for click in case.new_clicks if click.act is Act.LOOK and click.view_id]
    asked = may_be_enough(case)
    case, heard = apply_clicks(case, now)
    case, used = hear_uses(case, now)
    case, tried = hear_attempts(ports, case, now)
    entries = [*opened(case, now), *forged, *tried, *heard, *used]
    case = replace(case, turns=case.turns + 1)
    if not case.message.ts:
        # The time to decide counts from the message: nobody can answer what was never asked.
        case = replace(case, expires_at=None)
    if case.is_over:
        return _told(ports, save_with_retry(ports, case, lambda c: _like(c, case), entries), now)
    decision = _decision(ports, case, now, on_last_look=asked)
    entries += said(case, decision, ports, now)
    if isinstance(decision.step, Close) and not case.is_closed:
        _count_end(ports, decision.case, decision.step.outcome)
    ports.count("KeysUsedWhileGoing", _painful(decision.case, used))
    decision, more = _reminded(ports, decision, now)
    entries += more
    case, seconds = _do(ports, decision, entries)
    for click in looks:
        ports.gateway.fill(case, click, now=now)
    shown = _shown(ports, case, seconds, may_exist=may_exist)
    if heard:
        ports.changed()
    return shown


def _painful(case: Case, used: Sequence[Entry]) -> int:
    """How many of these uses a cancel would still help. Of an outage, or of a key that is back, none."""
    return sum(still_off(case, item["key"]) for item in used)


def _reminded(ports: TurnPorts, decision: Decision, now: datetime) -> tuple[Decision, list[Entry]]:
    """With what time alone brings: reminders, the last call, and steps that take far too long."""
    decision, reminders = reminded(decision, ports.policy, now)
    decision, overdue = late(decision, now)
    ports.count("StepsOverdue", len(overdue))
    ports.count("CasesUnanswered", sum(item["what"] != "keys" for item in reminders))
    return decision, [*reminders, *overdue]


def _told(ports: TurnPorts, case: Case, now: datetime) -> tuple[Case, int]:
    """The end of a case, shown late: by AWS as it is now, as no look is kept. What can't be read waits."""
    try:
        seen = remembered(case, _look(ports, case, now))
    except TemporaryError as trouble:
        ports.log("AWS can’t now", reason=trouble.reason, case_id=case.case_id)
        behind = replace(case.message, is_behind=True)
        return save_with_retry(ports, case, lambda c: replace(c, message=behind)), UNREAD_SECONDS
    return _shown(ports, replace(case, snapshot=seen), 1)


def _decision(ports: TurnPorts, case: Case, now: datetime, *, on_last_look: bool) -> Decision:
    """On a fresh look; on the last one if that, too, leads to no more than asking people."""
    people = ports.people.fetch(_deciders(case))

    def on(look: Snapshot) -> Decision:
        return decide(Situation(case, look, people, ports.policy, now))

    last = last_look(ports, case, now) if on_last_look else None
    if last is not None:
        shown = on(last)
        if isinstance(shown.step, Ask):
            return shown
    seen = _look(ports, case, now)
    decision = on(seen)
    if isinstance(decision.step, Ask):
        keep_look(ports, case, seen)
    if isinstance(decision.step, Call) and decision.step.operation in LOOK_AGAIN_BEFORE:
        return on(_seen(seen, lambda: ports.inventory.look_again(decision.case, seen)))
    return decision


def _do(ports: TurnPorts, decision: Decision, entries: Sequence[Entry]) -> tuple[Case, int]:
    """The step done and recorded; the seconds until the next look."""
    case, step = with_owners(ports, decision.case), decision.step
    now = ports.clock()
    match step:
        case Call() if brake := frozen(ports, case):
            why = f"all changes are frozen: {brake}"
            # Nothing was done yet, so there is nothing that cancel would have to restore.
            held = replace(case, waiting_for=why, before=case.before if case.calls else None)
            return ports.cases.save(held, entries), FROZEN_SECONDS
        case Call() if seconds := left_to_wait(case, step, now):
            return ports.cases.save(case, entries), seconds
        case Call():
            try:
                act = perform if len(step.targets) == 1 else perform_many
                case = act(ports, case, step, entries)
            except PermanentError as stop:
                stored = ports.cases.load(case.case_id)
                return _stopped(ports, replace(stored, snapshot=case.snapshot), stop), 1
            usual = MINUTE if step.operation in SLOW_STARTERS else 1
            return case, left_to_wait(case, step, ports.clock()) or usual
        case Wait():
            return ports.cases.save(case, entries), step.seconds
        case Ask():
            return ports.cases.save(case, entries), _patience(ports, case, now)
        case Close():
            return ports.cases.save(case, entries), 1


def _stopped(ports: TurnPorts, case: Case, stop: PermanentError) -> Case:
    """Only a person can help: the case closes as stopped, with what to do."""
    now = ports.clock()
    closed = entry(Kind.CLOSED, now, outcome=Outcome.STOPPED, reason=stop.reason)
    _count_end(ports, case, Outcome.STOPPED)
    return save_with_retry(
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
            # What had been done by then is looked at once more, so that the message is true.
            watches=bool(current.calls),
        ),
        [closed],
    )


def _count_end(ports: TurnPorts, case: Case, outcome: Outcome) -> None:
    ports.count(f"CasesClosed_{outcome}", 1)
    ports.count("SecondsToClose", _age(ports, case))


def _age(ports: TurnPorts, case: Case) -> int:
    return max(int((ports.clock() - case.opened_at).total_seconds()), 1)


def _shown(
    ports: TurnPorts, case: Case, seconds: int, *, may_exist: bool = True
) -> tuple[Case, int]:
    """The case, shown; when to come back. Slack's troubles never hold up the work."""
    if is_about_nothing(case):
        ports.gateway.tell_askers(case)
        return case, seconds
    case = _noticed(ports, case)
    entries: Sequence[Entry] = ()
    if case.log_length > case.message.thread_lines:
        entries = ports.cases.entries(case.case_id)[case.message.thread_lines :]
    message = ports.gateway.show(case, entries, now=ports.clock(), may_exist=may_exist)
    if message.ts and case.message == SlackMessage():
        ports.count("SecondsToMessage", _age(ports, case))
    if message != case.message:
        case = save_with_retry(ports, case, lambda current: replace(current, message=message))
    if message.is_behind:
        seconds = message.wait(HOUR if case.is_over else seconds)
    return case, seconds


def _noticed(ports: TurnPorts, case: Case) -> Case:
    """What people must hear of is recorded before it is said: a crash neither loses nor doubles it."""
    told = noticed(case, ports.clock()).message.notices
    if told == case.message.notices:
        return case
    return save_with_retry(
        ports, case, lambda now: replace(now, message=replace(now.message, notices=told))
    )


def _is_going(case: Case) -> bool:
    """Its cluster is on its way out: what that means is known once it is gone."""
    cluster = case.snapshot.cluster if case.snapshot else None
    return cluster is not None and cluster.state is ClusterState.DELETE_IN_PROGRESS


def _patience(ports: TurnPorts, case: Case, now: datetime) -> int:
    """A case that waits for people looks at AWS hourly, and wakes for its reminder and its end."""
    left = SOON_AGAIN if _is_going(case) else HOUR
    going = our_keys(case, case.snapshot) if case.snapshot else ()
    if going:
        left = min(left, until_next(going, now))
    if case.expires_at:
        expiry = int((case.expires_at - now).total_seconds()) + 1
        reminder = expiry - ports.policy.remind_hours * HOUR
        left = min(left, *(seconds for seconds in (expiry, reminder) if seconds > 0))
    return max(left, 1)


def _look(ports: TurnPorts, case: Case, now: datetime) -> Snapshot:
    nothing = Snapshot(now, case.account, case.region, case.cluster_id, None)
    return _seen(nothing, lambda: ports.inventory.snapshot(case, now=now))


def _seen(before: Snapshot, look: Callable[[], Snapshot]) -> Snapshot:
    """The world; if the reader role can't even be assumed, what is known, and that it is not all."""
    try:
        return look()
    except PermanentError as refused:
        return replace(before, unread=(*before.unread, refused.reason))


def _deciders(case: Case) -> list[str]:
    clicks = (*case.approved, *case.current_clicks)
    return sorted({click.by for click in clicks if click.act is Act.APPROVE})


def _forged(ports: TurnPorts) -> list[Entry]:
    """Inbox entries whose seal KMS does not confirm were not counted; the next save removes them."""
    claimed = ports.cases.unsealed
    if claimed:
        ports.count("SealRefused", len(claimed))
        ports.log("forged entries in the inbox", by=claimed[0])
    return [entry(Kind.FORGED, ports.clock(), by=by) for by in claimed]


def _like(stored: Case, case: Case) -> Case:
    """A closed case after a turn that only heard clicks."""
    return replace(
        stored,
        clicks_seen=case.clicks_seen,
        uses_seen=case.uses_seen,
        attempts_seen=case.attempts_seen,
        turns=case.turns,
    )

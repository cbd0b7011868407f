"""What a click may ask for in a case as it stands, and what it does to it once recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.proof import failed_proof
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import CallRecord, CallStatus, Case, Outcome, Phase
from chalicelib.domain.state.click import LETS_BEGIN, Act, Click
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import ATTACHED, StoreState

MOST_BYTES = 150_000
"""Of clicks: a DynamoDB item holds 400 kB, and what stops a case must always find room in it."""
A_CLICK = 300
"""Bytes, beside its reason."""
ENDINGS = frozenset({Act.REJECT, Act.CANCEL, Act.UNDO})
UNDOABLE = frozenset({Outcome.PARKED, Outcome.REPOINTED, Outcome.KEPT, Outcome.STOPPED})
KINDS = {
    Act.APPROVE: Kind.APPROVED,
    Act.WITHDRAW: Kind.WITHDRAWN,
    Act.CONFIRM: Kind.CONFIRMED,
}
HALF_DONE = frozenset({Outcome.EXPIRED, Outcome.EXPLAINED, Outcome.RESOLVED})


class Obstacle(StrEnum):
    """Why something can't be done in a case as it stands."""

    ON_HOLD = "on hold"
    """The case's record can't be trusted."""
    TOO_MANY_CLICKS = "too many clicks"
    BEGUN_NO_WITHDRAWAL = "begun, so approvals stay"
    BEGUN_NO_REJECT = "begun, so closing would leave it half done"
    DECIDED_BY_YOU = "decided by the same person"
    DECIDED = "decided just before"
    ENDED = "ended just before"
    NOT_OFFERED = "not offered"
    NOTHING_TO_UNDO = "nothing to undo"
    ASKED_ALREADY = "asked for already"
    EXPIRED = "closed, as nobody decided"
    CLOSED_BY = "closed by somebody"
    OVER = "over"


@dataclass(frozen=True)
class NotPossible:
    """`by`: who was first, if somebody is known. `remedy`: what is not offered."""

    obstacle: Obstacle
    by: str = ""
    remedy: Remedy | None = None


def not_possible(
    case: Case, act: Act, remedy: Remedy | None = None, *, by: str = ""
) -> NotPossible | None:
    """Why `by` can't do this in the case as it stands; None if it can be done."""
    if case.on_hold_since:
        return NotPossible(Obstacle.ON_HOLD)
    if act not in ENDINGS and _is_full(case, act):
        return NotPossible(Obstacle.TOO_MANY_CLICKS)
    if act is Act.REFRESH:
        return None if not case.is_closed or case.outcome is Outcome.STOPPED else _over(case)
    if act is Act.UNDO or act is Act.CANCEL:
        return _no_way_back(case, act)
    if case.is_closed:
        return _over(case)
    if act is Act.WITHDRAW and case.plan_has_begun:
        return NotPossible(Obstacle.BEGUN_NO_WITHDRAWAL)
    if act is Act.REJECT and case.has_begun:
        return NotPossible(Obstacle.BEGUN_NO_REJECT)
    if act in (Act.LOOK, Act.APPROVE, Act.KEEP, Act.CONFIRM) and case.phase is Phase.RUNNING:
        last = case.approved[-1].by if case.approved else ""
        mine = bool(last) and last == by
        return NotPossible(Obstacle.DECIDED_BY_YOU if mine else Obstacle.DECIDED, last)
    needs_offer = act in LETS_BEGIN or (act is Act.KEEP and case.plan is not None)
    if needs_offer and case.offer(remedy) is None:
        return NotPossible(Obstacle.NOT_OFFERED, remedy=remedy)
    return None


def ended_just_now(case: Case, act: Act, *, by: str) -> NotPossible | None:
    """An ending that no turn has heard yet counts already: whoever comes after it is told.

    Who asked for it may click again: the first time may have died before it woke the run.
    """
    if case.is_closed or act in (Act.REFRESH, Act.WITHDRAW):
        return None
    ending = next((click for click in case.new_clicks if click.act in ENDINGS), None)
    if ending is None or (ending.by == by and act in ENDINGS):
        return None
    return NotPossible(Obstacle.ENDED, ending.by)


def _is_full(case: Case, act: Act) -> bool:
    """What takes an approval back, or looks again, has as much room once more."""
    most = MOST_BYTES * (2 if act in (Act.WITHDRAW, Act.REFRESH) else 1)
    return (
        sum(A_CLICK + len(click.reason.encode(errors="replace")) for click in case.clicks) >= most
    )


def is_asked_already(case: Case, click: Click) -> bool:
    """The click would say again what no turn has heard yet, or only that AWS be read again.

    It wakes the case and is not kept, so that nobody fills a case by pressing a button.
    """
    if click.act is Act.REFRESH:
        same = any(known.act is Act.REFRESH for known in case.new_clicks)
        return same or not case.is_closed
    return click.act in ENDINGS and any(
        known.act is click.act and known.by == click.by for known in case.new_clicks
    )


def _no_way_back(case: Case, act: Act) -> NotPossible | None:
    if case.is_closed:
        return None if can_go_back(case) else _over(case)
    if act is Act.UNDO and not case.has_begun:
        return NotPossible(Obstacle.NOTHING_TO_UNDO)
    if case.ending is not None:
        return NotPossible(Obstacle.ASKED_ALREADY, case.ending.by)
    return None


def _over(case: Case) -> NotPossible:
    if case.outcome is Outcome.EXPIRED:
        return NotPossible(Obstacle.EXPIRED)
    if case.outcome in (Outcome.REJECTED, Outcome.CANCELLED) and case.ending:
        return NotPossible(Obstacle.CLOSED_BY, case.ending.by)
    return NotPossible(Obstacle.OVER)


def reopens(case: Case, act: Act) -> bool:
    """The click needs a new run: the case is closed, and this takes it up again."""
    if not case.is_over:
        return False
    if act is Act.REFRESH:
        return case.outcome is Outcome.STOPPED
    return act in (Act.UNDO, Act.CANCEL) and can_go_back(case)


def can_go_back(case: Case) -> bool:
    """Undo takes this closed case up again. Also if it ended half done, with our changes left."""
    half_done = case.has_begun and case.outcome in HALF_DONE
    return case.outcome in UNDOABLE or half_done


def record_ends(case: Case, policy: Policy) -> datetime | None:
    """When the record of this case may go; None: never, or not while it may still go on."""
    may_go_on = not case.is_over or bool(case.new_clicks) or can_go_back(case)
    if may_go_on or not policy.keep_closed_days or case.closed_at is None:
        return None
    return case.closed_at + timedelta(days=policy.keep_closed_days)


def apply_clicks(case: Case, now: datetime) -> tuple[Case, tuple[Entry, ...]]:
    """The case with its new clicks heard, and what the log says of them."""
    entries: list[Entry] = []
    for click in case.new_clicks:
        case, said = _apply(case, click, now)
        entries += said
    return replace(case, clicks_seen=len(case.clicks)), tuple(entries)


def _apply(case: Case, click: Click, now: datetime) -> tuple[Case, list[Entry]]:
    match click.act:
        case Act.APPROVE | Act.WITHDRAW | Act.CONFIRM:
            return case, [
                entry(
                    KINDS[click.act],
                    now,
                    by=click.by,
                    remedy=click.remedy,
                    plan_hash=click.plan_hash,
                    reason=click.reason,
                    override="yes" if click.override else "",
                    again="yes" if case.plan else "",
                    clicked_at=click.at.isoformat(),
                    round=click.round,
                )
            ]
        case Act.KEEP:
            until = click.keep_until.isoformat() if click.keep_until else ""
            words = {"by": click.by, "owner": click.owner, "until": until, "reason": click.reason}
            return case, [entry(Kind.KEPT, now, **words)]
        case Act.REJECT | Act.CANCEL | Act.UNDO:
            return _turn_back(case, click, now)
        case Act.REFRESH if case.outcome is Outcome.STOPPED:
            return reopened(case), [entry(Kind.REOPENED, now, by=click.by)]
    return case, []


def _turn_back(case: Case, click: Click, now: datetime) -> tuple[Case, list[Entry]]:
    if case.ending is not None and not case.is_closed:
        return case, []
    if click.act is Act.REJECT and (case.has_begun or case.is_closed):
        return case, []
    if case.is_closed and not can_go_back(case):
        return case, []
    back = replace(reopened(case) if case.is_closed else case, ending=click, keep=None)
    return back, [entry(Kind.ASKED_BACK, now, by=click.by, act=click.act, reason=click.reason)]


def reopened(case: Case) -> Case:
    """A closed case taken up again: refusals by AWS are forgotten, all else is remembered.

    An undo that stopped stays an undo: trying again must never go on with what was cancelled. So does
    the way back of a store whose key fails on the other cluster.
    """
    stays = _that_sent_it_back(case)
    forgotten = _moved_both_ways(case) if stays is None else None
    return replace(
        case,
        phase=Phase.RUNNING if case.has_begun else Phase.WAITING,
        outcome=None,
        reason="",
        advice=(),
        closed_at=None,
        missing="",
        missing_since=None,
        calls=tuple(
            c
            for c in case.calls
            if (c.status is not CallStatus.REFUSED or c is stays) and c is not forgotten
        ),
        expires_at=None if case.plan is None else case.expires_at,
    )


def _moved_both_ways(case: Case) -> CallRecord | None:
    """The move that we took back as a key failed on the other cluster: it may be made anew."""
    plan, seen, before = case.plan, case.seen, case.before
    if plan is None or seen is None or before is None or not plan.key_store_id:
        return None
    is_back = seen.store_cluster == before.cluster_id and failed_proof(plan, case) is not None
    return case.call(Operation.UPDATE_KEY_STORE, plan.key_store_id) if is_back else None


def _that_sent_it_back(case: Case) -> CallRecord | None:
    """The proof that failed on the other cluster, while the store is not back as it was and could be."""
    plan, seen, before, own = case.plan, case.seen, case.before, case.last_cluster
    if plan is None or seen is None or before is None:
        return None
    if seen.store_cluster != before.cluster_id:
        is_due = own is not None and own.can_take_keys
    else:
        was_connected = before.store_state in ATTACHED
        is_due = was_connected and seen.store_state != StoreState.CONNECTED
    return failed_proof(plan, case) if is_due else None

"""Closed cases that live on: kept until a date, or watching keys that wait. Makes no calls."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.observe import observe
from chalicelib.domain.remedies import keep
from chalicelib.domain.rules.gone import until_sure
from chalicelib.domain.rules.outage import has_too_few_hsms, serves
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Close, Decision, Wait
from chalicelib.domain.rules.waiting import our_keys, until_next
from chalicelib.domain.state.case import Case, Keep, Outcome, Phase
from chalicelib.domain.state.snapshot import Snapshot

HOUR = 60 * 60
LONGEST_SLEEP = 30 * 24 * HOUR


def asleep(situation: Situation, kept: Keep) -> Decision:
    """A kept case sleeps until its date, or until a key of ours is about to go."""
    case, now = situation.case, situation.now
    if not keep.lapsed(kept, now):
        left = min(int((kept.until - now).total_seconds()) + 1, LONGEST_SLEEP)
        going = our_keys(case, situation.snapshot)
        if going:
            left = min(left, until_next(going, now))
        closed = replace(
            case, phase=Phase.CLOSED, outcome=Outcome.KEPT, reason=kept.reason, keep=kept
        )
        return Decision(closed, Wait(left, "kept as it is"))
    back = replace(
        case,
        phase=Phase.WAITING,
        outcome=None,
        reason="",
        keep=None,
        closed_at=None,
        expires_at=None,
        round=case.round + 1,
        reset_at_click=len(case.clicks),
        reminded=False,
    )
    return Decision(back, Wait(1, "the keep has lapsed"))


def closed(situation: Situation) -> Decision:
    """The case stays closed as it is, and looks on as long as a key that it scheduled waits."""
    case, snapshot, now = situation.case, situation.snapshot, situation.now
    if not case.is_over:
        case = observe(case, snapshot, now)
        if unsure := until_sure(case, now):
            return Decision(case, unsure)
    if case.watches:
        going = our_keys(case, snapshot)
        seconds = until_next(going, now) if going else HOUR  # else AWS hides what waits
        return Decision(case, Wait(seconds, "the keys that wait are watched"))
    if case.is_down and case.outcome is Outcome.STOPPED and not snapshot.unread:
        return _until_they_work(case, snapshot)
    return Decision(case, Close(case.outcome or Outcome.STOPPED, case.reason, case.advice))


def _until_they_work(case: Case, snapshot: Snapshot) -> Decision:
    """Only a person can help, and once somebody has, nobody needs to say so."""
    if not serves(case, snapshot):
        return Decision(case, Wait(HOUR, "a person has to help"))
    over = replace(case, is_down=False)
    if has_too_few_hsms(case, snapshot):
        return Decision(over, Close(Outcome.STOPPED, case.reason, case.advice))
    end = Close(
        Outcome.RESOLVED, "The key store is connected again. Unlatch has not checked its keys."
    )
    return Decision(replace(over, outcome=end.outcome, reason=end.reason, advice=()), end)

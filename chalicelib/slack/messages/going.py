"""Keys that go because a case scheduled their deletion: which, when, who failed since; and that they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.rules.waiting import gone_keys
from chalicelib.domain.state.case import CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import Piece, bold, cell, date, note, table, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    Block,
    caller,
    clean,
    count,
    listing,
    the,
    upper_first,
    utc,
)

MOST_NAMES = 3
MOST_ROWS = 20
HEADS = ("Key", "Now", "What happens to it")
WATCHED = "As long as a key waits, this case stays open, and Unlatch watches who tries to use it."


def named(case: Case, key_ids: Sequence[str]) -> str:
    """A few by their names, many as a number."""
    if len(key_ids) > MOST_NAMES:
        return the(len(key_ids), "key")
    return listing(facts.key_name(case, key_id) for key_id in key_ids)


def when(going: Sequence[Key], shape: str = DAY_AND_TIME) -> list[Piece]:
    """“ on 9 Mar, 03:09 UTC”, or between which two dates."""
    dates = sorted(key.deletion_date for key in going if key.deletion_date)
    if not dates:
        return []
    if dates[-1] - dates[0] < timedelta(hours=1):
        return [text(" on "), date(dates[-1], shape)]
    return [text(" between "), date(dates[0], shape), text(" and "), date(dates[-1], shape)]


def day(going: Sequence[Key]) -> str:
    """“ on 9 Mar”, of the first, for a notification."""
    first = min((key.deletion_date for key in going if key.deletion_date), default=None)
    return f" on {utc(first, DAY)}" if first else ""


def still_going(case: Case) -> list[Piece]:
    """A deletion that we scheduled goes on by itself, also while Unlatch waits or has closed."""
    lost = gone_keys(case, case.snapshot) if case.snapshot else ()
    words = until_cancelled(case)
    if lost and case.store:
        who = named(case, lost)
        words.append(bold(f" KMS has deleted {who}; nobody can bring {_them(lost)} back."))
    return words


def until_cancelled(case: Case) -> list[Piece]:
    """Which keys go and when; () once none waits for us."""
    going = returning_keys(case)
    if not going:
        return []
    who = named(case, [key.key_id for key in going])
    words = bold(f" Unless somebody cancels, {who} will be deleted")
    return [words, *when(going), text("."), *last_use(case)]


def _them(lost: Sequence[str]) -> str:
    return "it" if len(lost) == 1 else "them"


def last_use(case: Case) -> list[Piece]:
    """Somebody has failed meanwhile because of that."""
    if not case.key_uses:
        return []
    last = max(case.key_uses, key=lambda use: use.at)
    words = f" {caller(last.who)} tried to use one"
    return [bold(words), text(", "), date(last.at), text(", and failed.")]


def unused(case: Case) -> str:
    """Said while nobody has failed."""
    begin = facts.keys_begin(case)
    return f" since {utc(begin, DAY)}" if begin else ""


def each_key(shown: Shown) -> list[Block]:
    """What each key is now, and what becomes of it."""
    case = shown.case
    found = facts.keys(case)
    ours = {key.key_id for key in returning_keys(case)}
    first = sorted(found, key=lambda key: (key.key_id not in ours, key.name))
    rows = [_row(case, key, ours=key.key_id in ours) for key in first[:MOST_ROWS]]
    if not rows:
        return []
    more = len(first) - len(rows)
    rest = [note(f"{count(more, 'more key')}.")] if more else []
    return [table(f"keys:{shown.version}", HEADS, rows, wrapped=3), *rest]


def _row(case: Case, key: Key, *, ours: bool) -> list[Block]:
    now = "Waiting for deletion" if ours else upper_first(facts.KEY_WORDS[key.state])
    return [
        cell(clean(key.name), strong=ours),
        cell(now),
        cell(_fate(case, key, ours), strong=ours),
    ]


def _fate(case: Case, key: Key, ours: bool) -> str:
    if ours or not key.is_live:
        when = f" on {utc(key.deletion_date)}" if key.deletion_date else ""
        return f"Will be deleted{when}{'' if ours else '; somebody else scheduled that'}"
    call = case.call(Operation.SCHEDULE_KEY_DELETION, key.key_id)
    if call and call.status is CallStatus.REFUSED:
        return "Nothing: AWS refused"
    return "Nothing"

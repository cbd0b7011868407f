"""A retirement that waits for its keys to be gone: since when, until when, and that it can be cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import buttons, facts, going, parts, progress
from chalicelib.slack.messages.blocks import (
    HOURGLASS,
    actions,
    bold,
    header,
    marked_note,
    says,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, Block, Message, count, money, the, token, utc


def _back(ours: Sequence[Key]) -> str:
    if len(ours) == 1:
        return "the key comes back as it was"
    return "the keys come back as they were"


def message(shown: Shown, end: datetime) -> Message:
    case = shown.case
    ours = returning_keys(case)
    since, can_cancel = since_when(shown), bool(ours)
    which = (
        going.named(case, [k.key_id for k in ours]) if ours else the(len(facts.keys(case)), "key")
    )
    whose = facts.store_name(case) or shown.cluster
    way_back = (
        f"You can still cancel; then {_back(ours)}."
        if can_cancel
        else "Unlatch did not schedule this, so it can’t cancel it. You can stop what comes after."
    )
    keys = count(len(ours) or len(facts.keys(case)), "key")
    return Message(
        f"{keys} of {shown.cluster} will be deleted on {utc(end, DAY)}. "
        f"Nobody has tried to use {'it' if keys.startswith('1 ') else 'them'}{since}.{' You can still cancel.' if can_cancel else ''}",
        (
            header(f"{keys} of {shown.cluster} will be deleted on {utc(end, DAY)}", HOURGLASS),
            says(
                bold(f"Nobody has tried to use {which} of {whose}{since}."),
                text(f"\n{way_back}"),
            ),
            *progress.block(shown),
            cost(shown, end),
            *actions(f"act:{shown.version}", [*buttons.take_back(shown), *buttons.go_back(shown)]),
            parts.decided(case, shown.cluster),
        ),
    )


def since_when(shown: Shown) -> str:
    """“ since 2 Mar”, our first call. No count of days: the message stands for days as it is."""
    begin = facts.keys_begin(shown.case)
    return f" since {utc(begin, DAY)}" if begin else ""


def cost(shown: Shown, end: datetime) -> Block:
    case = shown.case
    days = max(0.0, (end - shown.now) / timedelta(days=1))
    number = facts.hsms(case)
    words = f"Until then {the(number, 'HSM')} must run: about " + money(
        days * facts.daily(case, shown.policy)
    )
    seen = f" · Last looked {token(case.snapshot.at)}" if case.snapshot else ""
    return marked_note(f"{words} more{seen}")

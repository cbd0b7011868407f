"""A rescue under way: which keys still fail, and when the usual times bring them back. Promises nothing that is late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.domain.overdue import USUAL, USUALLY
from chalicelib.domain.progress import Milestone, Standing
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.slack.messages import facts, outage
from chalicelib.slack.messages.blocks import Piece, bold, date, marked_note, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import TIME, Block, all_of, marked, token, upper_first

TAKES = {**USUALLY, Operation.CREATE_CLUSTER: USUAL.create_cluster}
AHEAD = (Standing.NOW, Standing.NEXT)


def failing(shown: Shown) -> str:
    """“All 3 keys still fail.”; "" as soon as they don’t fail any more."""
    number, store = len(facts.keys(shown.case)), shown.case.store
    is_off = store is not None and store.state is not StoreState.CONNECTED
    if not number or not (is_off or outage.found(shown)):
        return ""
    return f"{upper_first(all_of(number, 'key'))} still {'fails' if number == 1 else 'fail'}."


def fails(shown: Shown, milestones: Sequence[Milestone]) -> list[Piece]:
    plan, number, words = shown.case.current_plan, len(facts.keys(shown.case)), failing(shown)
    if plan is None or not words:
        return []
    told = [bold(words), text(" ")]
    back, end = number - len(plan.lost), usual_end(shown, milestones)
    if end is None or back < 1:
        return told
    them = f"{back:,} of them" if back < number else "they" if number > 1 else "it"
    work = f"By the usual times {them} {'works' if back == 1 else 'work'} again at about "
    return [*told, text(work), date(end, TIME), text(". ")]


def usual_end(shown: Shown, milestones: Sequence[Milestone]) -> datetime | None:
    """Counted from our last call, so that it stays the same; None once that is over."""
    takes = (TAKES.get(m.operation) for m in milestones if m.operation and m.standing in AHEAD)
    calls = [call.at for call in shown.case.calls]
    if not calls:
        return None
    end = max(calls) + sum(filter(None, takes), timedelta())
    return end if end > shown.now else None


def since(shown: Shown) -> list[Block]:
    """The key store, and since when its keys fail: below the plan."""
    name, begin = facts.store_name(shown.case), facts.failing_since(shown.case)
    words = [f"Key store {name}"] if name else []
    words += [f"keys have failed since {token(begin)}"] if begin else []
    return [marked_note(marked(upper_first(" · ".join(words))))] if words else []

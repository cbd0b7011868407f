"""The quiet endings: closed by a person, cancelled or undone, solved by others, nothing to do."""

from __future__ import annotations

from chalicelib.domain.progress import milestones
from chalicelib.domain.recovery import is_whole
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.click import Act
from chalicelib.slack.messages import expired, facts, going, parts
from chalicelib.slack.messages.blocks import (
    CHECK_MARK,
    Piece,
    actions,
    bold,
    date,
    header,
    items,
    line,
    rich,
    says,
    text,
    user,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.steps import title as title_of
from chalicelib.slack.messages.text import Block, Message, clean


def message(shown: Shown) -> Message:
    match shown.case.outcome:
        case Outcome.RESOLVED:
            return resolved(shown)
        case Outcome.EXPLAINED:
            return explained(shown)
        case Outcome.CANCELLED if shown.case.has_begun:
            return taken_back(shown)
    return untouched(shown)


def untouched(shown: Shown) -> Message:
    """Rejected, or cancelled before anything began."""
    return Message(
        f"Closed: {shown.cluster} stays as it is. Nothing was changed.",
        (
            header(f"Closed: {shown.cluster} stays as it is"),
            says(
                *_by(shown, "closed this case"),
                *expired.still_there(shown),
                text(" "),
                bold("Nothing was changed."),
                text("\n"),
                *parts.start_again(shown.case),
            ),
            parts.decided(shown.case),
        ),
    )


def taken_back(shown: Shown) -> Message:
    """Cancelled or undone: what is back, and what is not."""
    case = shown.case
    undone = case.ending is not None and case.ending.act is Act.UNDO
    word = "Undone" if undone else "Cancelled"
    whole = is_whole(case)
    title = f"{word}: {shown.cluster} is back as it was"
    if not whole:
        title = f"{word}: not all of {shown.cluster} came back"
    return Message(
        f"{title}.{'' if whole else ' What is missing is in the message.'}",
        (
            header(title, CHECK_MARK if whole else ""),
            says(
                *_by(shown, "undid this" if undone else "cancelled"),
                bold(clean(case.reason, 600) if case.reason else "Nothing more happens."),
                *parts.read_again(case),
                text(f"\n{facts.as_it_is(case)} {facts.cost_line(case, shown.policy)}"),
            ),
            says(*parts.start_again(case)),
            parts.decided(case),
        ),
    )


def resolved(shown: Shown) -> Message:
    """Others did it: the cluster is gone, or can be deleted now."""
    case = shown.case
    gone = case.snapshot is None or case.snapshot.cluster is None
    title = f"Solved by somebody else: {shown.cluster} is {'gone' if gone else 'free'}"
    if case.trigger.is_outage:
        title = f"Key store of {shown.cluster} is up again"
        gone = True
    more = "" if gone else "Unlatch doesn’t delete it: whoever wanted it gone can try again. "
    changed = "" if case.has_begun else "Unlatch changed nothing."
    free = "" if gone else " It can be deleted now."
    return Message(
        f"{title}. {changed}{free}".strip(),
        (
            header(title, CHECK_MARK),
            says(
                text(
                    f"{clean(case.reason, 600) if case.reason else 'Nothing is left to do.'} {more}"
                ),
                *([bold(changed)] if changed else []),
                *going.until_cancelled(case),
                *parts.read_again(case),
                *_failed_until(shown),
            ),
            *actions(f"act:{shown.version}", expired.half_done(shown)),
            parts.tried_by(shown),
            parts.decided(case),
        ),
    )


def _failed_until(shown: Shown) -> list[Piece]:
    """Of an outage that is over: how long it was, and what it leaves."""
    case, begin = shown.case, facts.failing_since(shown.case)
    if begin is None or case.closed_at is None or not case.trigger.is_outage:
        return []
    failed = [text(" The keys failed from "), date(begin), text(" until "), date(case.closed_at)]
    return [*failed, text(". Databases that stopped don’t start by themselves.")]


def explained(shown: Shown) -> Message:
    """Nothing of ours to do; or the end of a dry run, with the steps that it played."""
    case = shown.case
    dry = facts.is_dry_run(case, shown.policy)
    title = f"Dry run ended: {shown.cluster} stays" if dry else f"Nothing to do for {shown.cluster}"
    return Message(
        f"{title}. Nothing was changed.",
        (
            header(title),
            says(
                text(clean(case.reason, 600) if case.reason else "Nothing is left to do."),
                *([] if "othing was changed" in case.reason else [bold(" Nothing was changed.")]),
            ),
            *(_would(shown) if dry else []),
            *actions(f"act:{shown.version}", expired.half_done(shown)),
            parts.tried_by(shown),
            parts.decided(case),
        ),
    )


def _would(shown: Shown) -> list[Block]:
    """The steps of the plan, in order."""
    plan = shown.case.current_plan
    if not plan or not plan.calls:
        return []
    listed = items("ordered", ([text(title_of(milestone, plan))] for milestone in milestones(plan)))
    return [rich(line(bold("For real, Unlatch would now")), listed)]


def _by(shown: Shown, did: str) -> list[Piece]:
    ending, when = shown.case.ending, shown.case.closed_at
    if ending is None:
        return []
    at = [text(" on "), date(when)] if when else []
    return [user(ending.by), text(f" {did}"), *at, text(".\n")]

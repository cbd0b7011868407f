"""A cluster that stays by decision: who decided, who looks after it, and when the question comes back."""

from __future__ import annotations

from chalicelib.domain.state.case import Keep
from chalicelib.slack.messages import buttons, facts, going, parts
from chalicelib.slack.messages.blocks import Piece, actions, bold, date, header, says, text, user
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, Block, Message, quoted, utc


def message(shown: Shown) -> Message:
    case, keep = shown.case, shown.case.keep
    until = f" until {utc(keep.until, DAY)}" if keep else ""
    changed = facts.as_it_is(case) if case.has_begun else "Nothing was changed."
    return Message(
        f"Kept: {shown.cluster} stays{until}. {changed}",
        (
            header(f"Kept: {shown.cluster} stays{until}"),
            says(
                *(_decision(keep) if keep else []),
                bold(changed),
                text(f" {facts.cost_line(case, shown.policy)}"),
                *going.still_going(case),
            ),
            *actions(f"act:{shown.version}", _end(shown)),
            parts.tried_by(shown),
            parts.decided(case),
        ),
    )


def _decision(keep: Keep) -> list[Piece]:
    reason = [text(f": {quoted(keep.reason)}")] if keep.reason.strip() else []
    after = [text(". "), user(keep.owner), text(" looks after it")] if keep.owner else []
    return [
        user(keep.by),
        text(" decided to keep it"),
        *reason,
        *after,
        text(".\nUntil "),
        date(keep.until, DAY),
        text(" Unlatch answers every failed delete with this; then it asks again. "),
    ]


def _end(shown: Shown) -> list[Block]:
    """Ends the decision; if a plan had begun, that brings back what it changed."""
    if shown.case.has_begun:
        return buttons.go_back(shown)
    return buttons.undo(
        shown,
        label="End this decision",
        title="End this decision?",
        words="The case closes. Nothing in AWS is changed. The next failed delete of this cluster "
        "opens a new case.",
        no="Go on keeping it",
    )

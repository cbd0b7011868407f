"""A case that some have approved and that waits for more: the way they chose comes first."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.case import Click
from chalicelib.domain.plan import Plan
from chalicelib.slack.messages import buttons, keytable, parts, ways
from chalicelib.slack.messages.blocks import (
    Piece,
    actions,
    bold,
    date,
    header,
    marked_note,
    note,
    says,
    section,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, count

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five")


def message(shown: Shown, plan: Plan, clicks: Sequence[Click]) -> Message:
    missing = plan.terms.people - len(clicks)
    words = wanted(missing)
    may = buttons.may_choose(shown.case, plan.remedy) and missing > 0
    button = buttons.choose(shown, plan.remedy, "Review and approve…") if may else None
    return Message(
        f"{words} to {plan.remedy} {shown.cluster}. {parts.nothing_done(shown)}",
        (
            header(f"{words} to {plan.remedy} {shown.cluster}"),
            says(*_so_far(shown, plan, clicks)),
            section(ways.describe(shown, plan, needs=False), button),
            *_reasons(plan),
            *keytable.keys(shown),
            *_other_ways(shown, plan),
            parts.tried_by(shown),
            parts.place(shown.case),
            parts.record(
                shown,
                approved=f"{len(clicks)} of {plan.terms.people}",
                but=[c.by for c in clicks],
            ),
            *actions(f"foot:{shown.version}", buttons.foot(shown)),
        ),
    )


def wanted(missing: int) -> str:
    """“One more approval”."""
    if missing <= 0:
        return "All have approved"
    number = NUMBERS[missing] if missing < len(NUMBERS) else str(missing)
    return f"{number} more approval{'s' if missing > 1 else ''}"


def _so_far(shown: Shown, plan: Plan, clicks: Sequence[Click]) -> list[Piece]:
    case, need = shown.case, plan.terms.people
    pieces = [bold(f"{len(clicks)} of {need}: "), *parts.approved_by(clicks)]
    if len(clicks) >= need:
        done = f"{parts.nothing_done(shown)} Unlatch reads AWS once more, then it begins."
        return [*pieces, text(done)]
    pieces.append(text(f"{parts.nothing_done(shown)} "))
    end, going = parts.lapse(case), parts.still_going(case)
    if case.expires_at is None:
        return [*pieces, text(f"If nobody else approves, this case closes and {end}."), *going]
    return [
        *pieces,
        text("If nobody else approves by "),
        date(case.expires_at),
        text(f", this case closes and {end}."),
        *going,
    ]


def _reasons(plan: Plan) -> list[Block]:
    """Why the plan needs so many."""
    if not plan.terms.reasons:
        return []
    return [note(f"Needs {count(plan.terms.people, 'person', 'people')} {plan.terms.reasons[-1]}.")]


def _other_ways(shown: Shown, plan: Plan) -> list[Block]:
    others = [way.remedy for way in ways.choices(shown) if way.remedy is not plan.remedy]
    if not others:
        return []
    words = "You can still choose another way. Approvals for one way don’t count for another."
    row: list[Block] = [buttons.choose(shown, remedy) for remedy in others]
    return [marked_note(words), *actions(f"other:{shown.version}", row)]

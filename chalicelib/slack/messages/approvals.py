"""A case that some have approved and that waits for more: the way they chose comes first."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.rules import step_up
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.slack.messages import buttons, going, keytable, parts, ways
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
from chalicelib.slack.messages.text import Block, Message, count, ident, spelled
from chalicelib.slack.messages.worst import worst


def message(shown: Shown, plan: Plan, clicks: Sequence[Click]) -> Message:
    missing = plan.terms.people - len(clicks)
    unconfirmed = _is_unconfirmed(shown, plan)
    words = wanted(missing, unconfirmed=unconfirmed)
    may = buttons.may_choose(shown.case, plan.remedy) and missing > 0
    button = buttons.choose(shown, plan.remedy, buttons.REVIEW) if may else None
    fact = f" {worst(shown).sentence}" if _is_bad(plan, missing) else ""
    what = f"{_asked(missing)} to {plan.remedy} {shown.cluster}"
    after = "" if missing > 0 else f" {_next(unconfirmed=unconfirmed)}"
    return Message(
        f"{what}.{fact}{after} {parts.nothing_done(shown)}",
        (
            header(f"{words} to {plan.remedy} {shown.cluster}"),
            says(*_so_far(shown, plan, clicks)),
            section(ways.describe(shown, plan, needs=False), button),
            *ways.stays_behind(plan),
            *_reasons(shown, plan, unconfirmed=unconfirmed),
            *keytable.keys(shown),
            *_other_ways(shown, plan),
            parts.tried_by(shown),
            *parts.owner(shown),
            _record(shown, plan, clicks),
            *actions(f"foot:{shown.version}", [*buttons.take_back(shown), *buttons.foot(shown)]),
        ),
    )


def _record(shown: Shown, plan: Plan, clicks: Sequence[Click]) -> Block:
    """Who has approved, and who still can."""
    by, missing = [click.by for click in clicks], plan.terms.people - len(clicks)
    return parts.record(shown, approved=by, missing=missing)


def _asked(missing: int) -> str:
    """“Two more people must approve”, in the notification."""
    if missing <= 0:
        return "All have approved"
    return f"{spelled(missing)} more {'person' if missing == 1 else 'people'} must approve"


def _next(*, unconfirmed: bool) -> str:
    if unconfirmed:
        return "One person must still confirm it in AWS."
    return "It begins after one more look at AWS."


def wanted(missing: int, *, unconfirmed: bool = False) -> str:
    """“One more approval”."""
    if missing <= 0:
        return "One confirmation in AWS" if unconfirmed else "All have approved"
    return f"{spelled(missing)} more approval{'s' if missing > 1 else ''}"


def _so_far(shown: Shown, plan: Plan, clicks: Sequence[Click]) -> list[Piece]:
    case, need = shown.case, plan.terms.people
    pieces = [bold(f"{len(clicks)} of {need}: "), *parts.approved_by(clicks)]
    if len(clicks) >= need and not _is_unconfirmed(shown, plan):
        done = f"{parts.nothing_done(shown)} Unlatch reads AWS once more, then it begins."
        return [*pieces, text(done)]
    who = _if_not(need - len(clicks))
    if _is_bad(plan, need - len(clicks)):
        pieces += [*worst(shown).pieces, text("\n")]
    pieces.append(text(f"{parts.nothing_done(shown)} "))
    going_on = going.still_going(case)
    if case.watches:
        return [*pieces, text(f"If {who}, nothing more is done."), *going_on]
    end = parts.lapse(case)
    if case.expires_at is None:
        return [*pieces, text(f"If {who}, this case closes and {end}."), *going_on]
    return [
        *pieces,
        text(f"If {who} by "),
        date(case.expires_at),
        text(f", this case closes and {end}."),
        *going_on,
    ]


def _is_bad(plan: Plan, missing: int) -> bool:
    """The worst fact stays until the last approval; keep and rescue break nothing."""
    return missing > 0 and plan.remedy not in (Remedy.KEEP, Remedy.RESCUE)


def _if_not(missing: int) -> str:
    """What brings the end, after “If”."""
    if missing > 1:
        return f"{missing} more people don’t approve"
    return "nobody else approves" if missing else "nobody confirms it in AWS"


def _is_unconfirmed(shown: Shown, plan: Plan) -> bool:
    return step_up.is_unconfirmed(plan, shown.case.current_clicks, shown.situation)


def _reasons(shown: Shown, plan: Plan, *, unconfirmed: bool) -> list[Block]:
    """Why the plan needs so many, and what it needs besides."""
    found = []
    if plan.terms.reasons:
        people = count(plan.terms.people, "person", "people")
        found.append(note(f"Needs {people} {plan.terms.reasons[-1]}."))
    if unconfirmed:
        case_id = ident(shown.case.case_id)
        command = f"unlatch approve {case_id} --plan {plan.plan_hash}{shown.option}"
        words = "One thing more: somebody signed in to AWS with a listed role must confirm"
        found.append(marked_note(f"{words}: `{command}`"))
    return found


def _other_ways(shown: Shown, plan: Plan) -> list[Block]:
    others = [way.remedy for way in ways.choices(shown) if way.remedy is not plan.remedy]
    if not others:
        return []
    words = "You can still choose another way. Approvals for one way don’t count for another."
    row: list[Block] = [buttons.choose(shown, remedy) for remedy in others]
    return [marked_note(words), *actions(f"other:{shown.version}", row)]

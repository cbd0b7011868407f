"""A case whose approvals no longer fit the world: the difference first, then all ways out again."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.rules.approval import folded
from chalicelib.domain.state.case import Case, Difference
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.snapshot import Key
from chalicelib.slack.messages import buttons, facts, going, parts, ways
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    actions,
    bold,
    cell,
    date,
    divider,
    header,
    note,
    says,
    table,
    text,
    user,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, PERSON, Block, Message, clean, count, the

MOST_ROWS = 20
HEADS = ("What", "When approved", "Now")
APPROVAL_OF = "Approval of "


def message(shown: Shown) -> Message:
    waiting = returning_keys(shown.case)
    return _keys_go(shown, waiting) if waiting else _plainly(shown)


def _plainly(shown: Shown) -> Message:
    return Message(
        f"{shown.cluster} has changed since it was approved. "
        f"{_first_words(shown)} Please decide again.",
        (
            header(f"{shown.cluster} has changed since the approvals", WARNING),
            says(*_why(shown)),
            *differences(shown.case, shown.case.differences, f"diff:{shown.version}"),
            divider(),
            *ways.sections(shown),
            parts.record(shown),
            *actions(f"foot:{shown.version}", buttons.foot(shown)),
        ),
    )


def _keys_go(shown: Shown, waiting: Sequence[Key]) -> Message:
    """Keys go on being deleted whatever people decide: that comes first, with its cancel."""
    case, keys = shown.case, count(len(waiting), "key")
    names = going.named(case, [key.key_id for key in waiting])
    return Message(
        f"Decide again about {shown.cluster}: something changed, and {keys} will still be "
        f"deleted{going.day(waiting)} unless somebody cancels.",
        (
            header(
                f"Decide again: {keys} of {shown.cluster} {_be(waiting)} being deleted", WARNING
            ),
            says(
                bold(f"Unless somebody cancels, {names} will be deleted"),
                *going.when(waiting),
                text(". That had begun before something changed."),
                *going.last_use(case),
                text(f"\nAll later steps are on hold. {facts.as_it_is(case)}"),
                *_no_longer(case),
            ),
            *actions(f"act:{shown.version}", buttons.go_back(shown, green=True)),
            *differences(case, case.differences, f"diff:{shown.version}"),
            *_or_nothing(shown, waiting, names),
        ),
    )


def _or_nothing(shown: Shown, waiting: Sequence[Key], names: str) -> list[Block]:
    """What silence brings, the ways out, and that the case watches until then."""
    case = shown.case
    unused = "" if case.key_uses else f"Nobody has tried to use them{going.unused(case)}. "
    return [
        says(
            text(f"If nobody decides, {names} will be deleted"),
            *going.when(waiting, DAY),
            text(f", and nothing else happens. {facts.cost_line(case, shown.policy)}"),
        ),
        divider(),
        *ways.sections(shown),
        note(f"{unused}Unlatch goes on watching; this case stays open until they are gone."),
        parts.record(shown),
        *actions(f"foot:{shown.version}", buttons.check_again(shown)),
    ]


def _be(waiting: Sequence[Key]) -> str:
    return "is still" if len(waiting) == 1 else "are still"


def _first_words(shown: Shown) -> str:
    return "Nothing was done." if not shown.case.has_begun else "Unlatch has stopped."


def _why(shown: Shown) -> list[Piece]:
    pieces = [bold(_first_words(shown))]
    if shown.case.has_begun:
        pieces.append(text(f" {parts.nothing_done(shown)}"))
    pieces += going.still_going(shown.case)
    return [*pieces, *_no_longer(shown.case), text(" Please look again and decide.")]


def _no_longer(case: Case) -> list[Piece]:
    void = void_approvals(case)
    if not void:
        return [text(" Earlier approvals no longer count.")]
    verb = "was" if len(void) == 1 else "were"
    end = "it no longer counts" if len(void) == 1 else "they no longer count"
    return [
        text(f" {the(len(void), 'approval').capitalize()} {verb} for how things were on "),
        date(max(click.at for click in void)),
        text(f", so {end}."),
    ]


def void_approvals(case: Case) -> list[Click]:
    """Those for the last plan that were given before the case asked again, one a person."""
    before = case.clicks[: case.reset_at_click]
    last = next((c for c in reversed(before) if c.act is Act.APPROVE), None)
    if last is None:
        return []
    return list(folded(before, last.plan_hash))


def differences(case: Case, found: Sequence[Difference], block_id: str) -> list[Block]:
    """What, before, now; the first 20 and how many more."""
    if not found:
        return []
    rows = [
        [
            _what(case, item),
            cell(clean(item.before, 100)),
            cell(clean(item.now, 160), strong=True),
        ]
        for item in found[:MOST_ROWS]
    ]
    blocks = [table(block_id, HEADS, rows, wrapped=3)]
    if len(found) > MOST_ROWS:
        blocks.append(note(f"{count(len(found) - MOST_ROWS, 'more difference')}."))
    return blocks


def _what(case: Case, item: Difference) -> Block:
    """A person is shown as a mention, everything else by its cleaned name."""
    who = item.what.removeprefix(APPROVAL_OF)
    if who != item.what and PERSON.fullmatch(who) and who in {c.by for c in case.clicks}:
        return says(bold(APPROVAL_OF), user(who))
    return cell(clean(item.what), strong=True)

"""A case whose retirement fails checks that nobody can override: each check, with what opens it."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.plan import Plan
from chalicelib.slack.messages import buttons, new, parts, ways
from chalicelib.slack.messages.blocks import (
    Piece,
    actions,
    bold,
    cell,
    divider,
    header,
    says,
    table,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import Block, Message, clean, count, listing, upper_first

HEADS = ("Check", "What we found", "What would help")


def message(
    shown: Shown, gates: Sequence[Gate], approved: tuple[Plan, tuple[Click, ...]] | None = None
) -> Message:
    verb = approved[0].remedy if approved else "retire"
    others = [upper_first(way.remedy.value) for way in ways.choices(shown)]
    possible = (
        ""
        if not others
        else f"{listing(others)} {'is' if len(others) == 1 else 'are'} still possible. "
    )
    return Message(
        f"Not done: {shown.cluster} is too risky to {verb} now: {count(len(gates), 'check')} failed. "
        f"{possible}{parts.nothing_done(shown)}",
        (
            header(f"Not done: too risky to {verb} {shown.cluster}"),
            says(*new.holds(shown), text("\n"), *_failed(gates, approved)),
            gate_table(gates, f"gates:{shown.version}"),
            says(
                text("What is not known counts as dangerous: deleted keys can’t be brought back.")
            ),
            says(*new.price_of_waiting(shown)),
            divider(),
            *ways.sections(shown, without_gates=True),
            *new.background(shown),
            *actions(f"foot:{shown.version}", buttons.foot(shown)),
        ),
    )


def _failed(gates: Sequence[Gate], approved: tuple[Plan, tuple[Click, ...]] | None) -> list[Piece]:
    number = len(gates)
    words = bold(f"{count(number, 'check')} failed.")
    passes = "it passes" if number == 1 else "all pass" if number > 2 else "both pass"
    if approved is None:
        return [words, text(f" Nobody can approve this until {passes}.")]
    plan, clicks = approved
    return [
        text(f"{len(clicks)} of {plan.terms.people} approved, but "),
        words,
        text(f" Nothing begins until {passes}."),
    ]


def gate_table(gates: Sequence[Gate], block_id: str) -> Block:
    rows = [
        [cell(clean(g.check, 100)), cell(clean(g.found, 300)), cell(clean(g.helps, 200))]
        for g in gates[:20]
    ]
    return table(block_id, HEADS, rows, wrapped=3)

"""Dialogs that decide nothing: loading, impossible, changed meanwhile, and errors beside a field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.state.case import Case, Difference
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import (
    bold,
    items,
    line,
    note,
    rich,
    says,
    section,
    text,
)
from chalicelib.slack.messages.text import Block, clean, count, cut
from chalicelib.slack.modals.shapes import alert, fit_for, metadata, modal

MOST_DIFFERENCES = 10


def loading(case: Case, remedy: Remedy) -> Block:
    """Opens at once; the next turn fills it with what AWS says then."""
    return modal(
        remedy.capitalize(),
        [section("Reading AWS again, a few seconds…")],
        callback_id="loading",
        metadata=metadata(case, remedy),
        close="Close",
    )


def impossible(case: Case, remedy: Remedy, reason: str, gates: Sequence[Gate]) -> Block:
    """Why it can't be decided now, and what would help; nothing to send."""
    blocks: list[Block] = []
    if not gates:
        blocks.append(
            says(text(clean(reason, 600) if reason.strip() else "This is not possible now."))
        )
    else:
        number = len(gates)
        passes = "it passes" if number == 1 else "all of them pass"
        lead = f"{count(number, 'check')} failed. Nobody can approve this until {passes}."
        blocks.append(says(bold(lead)))
        blocks.append(rich(*chain.from_iterable(_gate(gate) for gate in gates[:10])))
    blocks.append(section("Nothing was done, and nothing was counted."))
    return modal(
        remedy.capitalize(),
        blocks,
        callback_id="loading",
        metadata=metadata(case, remedy),
        close="Close",
    )


def said(words: str) -> Block:
    """A private answer in place of the dialog, if Slack takes it in no other way."""
    return modal("Answer", [section(words)], callback_id="loading", metadata="", close="Close")


def _gate(gate: Gate) -> list[Block]:
    lines = [
        [text(f"Found: {clean(gate.found, 300)}")],
        [text(f"What would help: {clean(gate.helps, 300)}")],
    ]
    return [line(bold(clean(gate.check, 100))), items("bullet", lines)]


def changed(case: Case, remedy: Remedy, differences: Sequence[Difference]) -> Block:
    """The world moved while the dialog was open: the difference, and nothing counted."""
    lines = [
        [bold(clean(item.what)), text(f": {clean(item.now, 160)} (was: {clean(item.before, 100)})")]
        for item in differences[:MOST_DIFFERENCES]
    ]
    blocks = [
        alert("Something changed while this was open. Your approval was not counted.", "warning")
    ]
    if lines:
        blocks.append(rich(line(bold("What is different")), items("bullet", lines)))
    if len(differences) > MOST_DIFFERENCES:
        blocks.append(note(f"{count(len(differences) - MOST_DIFFERENCES, 'more difference')}."))
    again = "Press Look again to see the new numbers and decide on them."
    done = "Nothing more was done." if case.has_begun else "Nothing has been changed by Unlatch."
    blocks.append(section(f"{done} {again}"))
    return modal(
        "Something changed",
        fit_for(case, blocks),
        callback_id="look_again",
        metadata=metadata(case, remedy),
        submit="Look again",
    )


def wrong_id(typed: str, case: Case) -> Block:
    """Both ids, so that the difference can be seen."""
    said = f"You typed {clean(typed)}." if typed.strip() else "You typed nothing."
    return field_error("cluster_id", f"{said} This case is about {facts.cluster(case)}.")


def field_error(block_id: str, sentence: str) -> Block:
    return {"response_action": "errors", "errors": {block_id: cut(sentence, 500)}}

"""A case whose record can't be trusted: says only what AWS shows, never the record. Has no buttons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import Key, Snapshot
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    bold,
    date,
    header,
    items,
    line,
    note,
    rich,
    says,
    text,
    typed,
)
from chalicelib.slack.messages.facts import KEY_WORDS
from chalicelib.slack.messages.text import TIME, Block, Message, clean, count, ident

MOST_COMMANDS = 20


def message(case: Case, world: Snapshot | None, *, stage: str) -> Message:
    """`world` is what AWS shows now; None if it could not be read, or nobody knows of which cluster."""
    cluster = ident(case.cluster_id)
    return Message(
        f"On hold: the record of {cluster} does not fit its seal. Unlatch does nothing with it. "
        "An operator is needed; the steps are in the message.",
        (
            header(f"On hold: the record of {cluster} can’t be trusted", WARNING),
            note(f"{ident(case.account)} · {ident(case.region)}"),
            says(
                bold("The stored record of this case does not fit its seal."),
                text(
                    " Unlatch does nothing with it. Somebody may have written to Unlatch’s table, or "
                    "the seal key was replaced. Nobody can approve or cancel here until an operator "
                    "has looked."
                ),
            ),
            *_world(world),
            _steps(case, world, stage),
            note(
                "Once the true record is back, the case goes on by itself. An alarm has gone out."
            ),
            note(f"`{ident(case.case_id)}`"),
        ),
    )


def _world(world: Snapshot | None) -> list[Block]:
    if world is None:
        return [says(bold("What AWS shows now"), text(" could not be read."))]
    facts = items("bullet", (list(pieces) for pieces in _facts(world)))
    return [rich(line(bold("What AWS shows now"), text(", read at "), date(world.at, TIME)), facts)]


def _facts(world: Snapshot) -> Iterator[list[Piece]]:
    going = world.pending_keys
    tally = Counter(KEY_WORDS[key.state] for key in world.keys)
    states = ", ".join(f"{number:,} {words}" for words, number in tally.most_common())
    if going:
        dates = [key.deletion_date for key in going if key.deletion_date]
        first = [text(", the first on "), date(min(dates))] if dates else []
        yield [bold(f"{count(len(going), 'key')} will be deleted"), *first, text(f". {states}")]
    else:
        yield [bold("No key is waiting for deletion."), text(f" {states}")]
    for store in world.key_stores:
        words = f", {store.state.lower()}; {count(len(world.live_hsms), 'HSM')}"
        yield [text("Key store "), bold(clean(store.name)), text(words)]
    if world.cluster is None:
        yield [text("The cluster is not there.")]
    yield from ([text(f"Not all could be read: {clean(what, 200)}")] for what in world.unread[:1])


def _steps(case: Case, world: Snapshot | None, stage: str) -> Block:
    """Numbered in words, so that they stay right in plainer blocks."""
    at = f" --stage {stage}"
    keep = _keep(case, world.pending_keys if world else ())
    steps = [
        (
            "Stop all changes of this stage.",
            [f'unlatch freeze{at} --reason "{case.case_id} does not fit its seal"'],
        ),
        *([("Keep the keys that are waiting, if they matter.", keep)] if keep else []),
        (
            "Find out who wrote to the table. CloudTrail’s data events show it, if you keep them.",
            [],
        ),
        (
            "See what the record says beside what AWS says, and decide which counts.",
            [f"unlatch trust {case.case_id}{at}"],
        ),
        ("Let changes go on.", [f"unlatch thaw{at}"]),
    ]
    found: list[Block] = [line(bold("What the operator does"))]
    for number, (words, commands) in enumerate(steps, start=1):
        found.append(line(bold(f"{number}. "), text(words)))
        found += [typed("\n".join(commands))] if commands else []
    return rich(*found)


def _keep(case: Case, keys: tuple[Key, ...]) -> list[str]:
    region = ident(case.region)
    return [
        f"aws kms cancel-key-deletion --region {region} --key-id {key.key_id}"
        for key in keys[:MOST_COMMANDS]
    ]

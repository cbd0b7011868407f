"""A key that is being deleted was used: who failed, and that cancelling brings the key back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from chalicelib.domain.recovery import disabled_keys, returning_keys
from chalicelib.domain.state.case import KeyUse
from chalicelib.slack.messages import buttons, facts, going, parts, progress
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    actions,
    bold,
    cell,
    date,
    header,
    note,
    says,
    table,
    text,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    TIME,
    Block,
    Message,
    caller,
    clean,
    count,
    times,
    utc,
)

MOST_ROWS = 10
HEADS = ("Who", "Key", "Tried to", "When")
VERBS = {
    "Decrypt": "decrypt",
    "Encrypt": "encrypt",
    "GenerateDataKey": "make a data key",
    "GenerateDataKeyWithoutPlaintext": "make a data key",
    "GenerateDataKeyPair": "make a key pair",
    "ReEncrypt": "re-encrypt",
    "CreateGrant": "make a grant",
    "DescribeKey": "look it up",
}
FRESH = timedelta(days=1)


def message(shown: Shown, end: datetime | None) -> Message:
    case = shown.case
    last = max(case.key_uses, key=lambda use: use.at)
    what, whole = "being deleted", "that is being deleted"
    if end is None:
        what, whole = "that was switched off", "that Unlatch switched off"
    after = "Cancel if the job matters."
    if this := [key for key in returning_keys(case) if key.key_id == last.key_id]:
        after = f"It will be deleted{going.day(this)} unless somebody cancels."
    when = "just used" if shown.now - last.at < FRESH else "used"
    title = f"{shown.cluster}: a key {what} was {when}"
    return Message(
        f"{shown.cluster}: a key {whole} was {when}, and the caller failed. {after}",
        (
            header(title, WARNING),
            says(*_who(shown, last), *_otherwise(shown, end)),
            *actions(f"act:{shown.version}", buttons.go_back(shown, green=True)),
            *uses(shown),
            *progress.block(shown),
            parts.decided(case, shown.cluster),
        ),
    )


def verb(operation: str) -> str:
    """An operation of KMS as people say it."""
    name = operation.rsplit(":", 1)[-1]
    return VERBS.get(name, f"call {clean(name, 40)}")


def _who(shown: Shown, last: KeyUse) -> list[Piece]:
    return [
        bold(caller(last.who)),
        text(f" tried to {verb(last.operation)} with "),
        bold(facts.key_name(shown.case, last.key_id)),
        *_when(shown, last),
        text(" and failed.\n"),
    ]


def _when(shown: Shown, last: KeyUse) -> list[Piece]:
    if shown.now - last.at < FRESH:
        return [text(" at "), date(last.at, TIME)]
    return [text(" on "), date(last.at)]


def _otherwise(shown: Shown, end: datetime | None) -> list[Piece]:
    """What cancelling does, and what happens if nobody acts."""
    if not returning_keys(shown.case) and not disabled_keys(shown.case):
        return [text("Unlatch did not schedule this deletion, so it can’t cancel it.")]
    pieces = [bold("If that job matters, cancel now."), text(" You can start again later.")]
    if end is None:
        goes = any(not key.is_live for key in facts.keys(shown.case))
        return pieces if goes else [*pieces, text(" No key is being deleted yet.")]
    who = going.named(shown.case, [key.key_id for key in returning_keys(shown.case)])
    return [
        *pieces,
        text(f"\nIf nobody cancels, {who} will be deleted on "),
        date(end),
        text(", and what they encrypted can never be read again."),
    ]


def uses(shown: Shown) -> list[Block]:
    """Uses of one kind in one row, the latest first."""
    uses = sorted(shown.case.key_uses, key=lambda use: use.at, reverse=True)
    tally = Counter((use.who, use.key_id, use.operation) for use in uses)
    latest = {(use.who, use.key_id, use.operation): use.at for use in reversed(uses)}
    rows = [
        [
            cell(clean(who)),
            cell(facts.key_name(shown.case, key_id)),
            cell(f"{verb(operation)}, {times(number)}"),
            cell(utc(latest[who, key_id, operation])),
        ]
        for (who, key_id, operation), number in tally.items()
    ]
    blocks = [table(f"uses:{shown.version}", HEADS, rows[:MOST_ROWS])]
    if len(rows) > MOST_ROWS:
        blocks.append(note(f"{count(len(rows) - MOST_ROWS, 'more caller')} or keys."))
    return blocks

"""A case whose record can't be trusted: says only what AWS shows, never the record. Has no buttons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.slack_message import Moment
from chalicelib.domain.state.snapshot import Key, Snapshot
from chalicelib.slack.messages import going
from chalicelib.slack.messages.blocks import (
    WARNING,
    Piece,
    bold,
    date,
    header,
    items,
    line,
    marked_note,
    note,
    rich,
    says,
    section,
    text,
    typed,
)
from chalicelib.slack.messages.facts import KEY_WORDS
from chalicelib.slack.messages.names import NO_NAMES, Names, mentions, whom
from chalicelib.slack.messages.text import (
    TIME,
    Block,
    Message,
    clean,
    count,
    ident,
    marked,
    utc,
)

MOST_COMMANDS = 20
STEPS = "Unlatch does nothing with it. An operator is needed; the steps are in the message."
WHY = (
    "Unlatch does nothing with it. Somebody may have written to Unlatch’s table, or the seal key was "
    "replaced. Nobody can approve or cancel here until an operator has looked."
)


@dataclass(frozen=True)
class Refused:
    """What is known besides AWS: since when the record is refused, and the digest that its run remembers."""

    since: datetime | None = None
    remembered: str = ""


def message(
    case: Case,
    world: Snapshot | None,
    refused: Refused,
    *,
    policy: Policy,
    stage: str,
    names: Names = NO_NAMES,
) -> Message:
    """`world` is what AWS shows now; None if it could not be read, or nobody knows of which cluster."""
    cluster, called = ident(case.cluster_id), _called(case, policy, names)
    summary = (
        f"On hold: the record of {cluster} in {names.there(case)}, does not fit its seal. {STEPS}"
    )
    tell = f"{called}: please tell" if called else "Please tell"
    return Message(
        marked(f"{called} {summary}".strip()),
        (
            header(f"On hold: the record of {cluster} can’t be trusted", WARNING),
            note(f"{names.account(case.account)} · {ident(case.region)}"),
            says(bold("The stored record of this case does not fit its seal."), text(f" {WHY}")),
            section(f"{tell} whoever runs Unlatch and whoever looks after security."),
            *_world(world),
            _steps(case, world, stage=stage, since=refused.since),
            note(f"Once the true record is back, the case goes on by itself. {_alarm(stage)}"),
            marked_note(_record(case, refused.remembered)),
        ),
    )


def _called(case: Case, policy: Policy, names: Names) -> str:
    setting, approvers = policy.mention, policy.approvers
    return " ".join(
        mentions(
            whom(case, Moment.STOPPED, setting=setting, approvers=approvers, owners=names.owners)
        )
    )


def _alarm(stage: str) -> str:
    return f"An alarm{f' (unlatch-{stage}-tampering)' if stage else ''} has gone out."


def _record(case: Case, remembered: str) -> str:
    fits = f" · Last record that fits: digest `{ident(remembered)[:12]}`" if remembered else ""
    return f"`{ident(case.case_id)}`{fits}"


def _world(world: Snapshot | None) -> list[Block]:
    if world is None:
        return [says(bold("What AWS shows now"), text(" could not be read."))]
    facts = items("bullet", (list(pieces) for pieces in _facts(world)))
    return [rich(line(bold("What AWS shows now"), text(", read at "), date(world.at, TIME)), facts)]


def _facts(world: Snapshot) -> Iterator[list[Piece]]:
    pending = world.pending_keys
    tally = Counter(KEY_WORDS[key.state] for key in world.keys)
    states = ", ".join(f"{number:,} {words}" for words, number in tally.most_common())
    keys = [text(f" {count(len(world.keys), 'key')}: {states}")] if states else []
    if pending:
        number = bold(f"{count(len(pending), 'key')} will be deleted")
        yield [number, *going.when(pending), text("."), *keys]
    else:
        yield [bold("No key is waiting for deletion."), *keys]
    for store in world.key_stores:
        words = f", {store.state.lower()}; {_hsms(world)}"
        yield [text("Key store "), bold(clean(store.name)), text(words)]
    if world.cluster is None:
        yield [text("The cluster is not there.")]
    yield from ([text(f"Not all could be read: {clean(what, 200)}")] for what in world.unread[:1])


def _hsms(world: Snapshot) -> str:
    hsms = world.live_hsms
    if not hsms:
        return "no HSM"
    active = sum(hsm.state is HsmState.ACTIVE for hsm in hsms)
    return f"{count(len(hsms), 'HSM')}, {'active' if active == len(hsms) else f'{active} active'}"


def _steps(case: Case, world: Snapshot | None, *, stage: str, since: datetime | None) -> Block:
    """Numbered in words, so that they stay right in plainer blocks."""
    at = f" --stage {stage}" if stage else ""
    noticed = f" before {utc(since)}, when Unlatch noticed" if since else ""
    keep = _keep(case, world.pending_keys if world else ())
    steps = [
        (
            "Stop all changes of this stage.",
            [f'unlatch freeze{at} --reason "{case.case_id} does not fit its seal"'],
        ),
        *([("Keep the keys that are waiting, if they matter.", keep)] if keep else []),
        (
            f"Find out who wrote to the table{noticed}. CloudTrail’s data events show it, if you keep them.",
            [],
        ),
        (
            "See what the record says beside what AWS says, and decide which counts. The reason goes into the log.",
            [f'unlatch trust {case.case_id}{at} --reason "WHY"'],
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

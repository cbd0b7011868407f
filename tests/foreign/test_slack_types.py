"""Every message and dialog, held by a TypeScript compiler against the types that Slack publishes.

The compiler knows fields and their types, and takes no other ones; lengths are tests/slack's business.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack import modals
from chalicelib.slack.messages.fallback import barest, plainer
from ops.probing import live
from tests.domain.worlds import POLICY
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import IN_USE, OLD, asked, changed, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Typed = tuple[str, str, Any]
"""A name, the type of Slack's that it has to be, and the value."""
Compile = Callable[[list[Typed]], list[str]]
HEAD = (
    'import type { KnownBlock, ModalView } from "@slack/types"; '
    'type Dialog = Omit<ModalView, "blocks"> & { blocks: KnownBlock[] };'
)
OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")


@pytest.fixture
def compiled(slack_types_home: Path, tmp_path: Path) -> Compile:
    """The compiler's complaints, each with the name of what it is about."""

    def run(values: list[Typed]) -> list[str]:
        file = slack_types_home / f"{tmp_path.name}.ts"
        lines = [HEAD]
        lines += [
            f"export const v{n}: {kind} = {json.dumps(v)};" for n, (_, kind, v) in enumerate(values)
        ]
        file.write_text("\n".join(lines), encoding="utf-8")
        command = ["node", "node_modules/typescript/bin/tsc", *OPTIONS, file.name]
        done = subprocess.run(
            command, cwd=slack_types_home, capture_output=True, text=True, check=False
        )
        file.unlink()
        return [_named(line, values) for line in done.stdout.splitlines() if "error TS" in line]

    return run


def _named(complaint: str, values: list[Typed]) -> str:
    place, _, said = complaint.partition(": ")
    line = int(place.rpartition("(")[2].partition(",")[0])
    return f"{values[line - 2][0]}: {said}"


def messages() -> Iterator[Typed]:
    for name, moment in MOMENTS.items():
        message = shown(moment())
        for form in (message, plainer(message), barest(message)):
            yield name, "KnownBlock[]", list(form.blocks)
    yield "doctor --live", "KnownBlock[]", live._blocks()


def dialogs() -> Iterator[Typed]:
    play = asked(IN_USE, OLD)
    for plan in play.case.offers:
        view = modals.decide(
            play.case, plan, policy=POLICY, now=play.now, forecast=None, count=1, user="U0123ABCD"
        )
        yield f"decide {plan.remedy}", "Dialog", view
    differing = changed().case
    gates = [Gate("No backup is ready", "why", "what helps")]
    yield "loading", "Dialog", modals.loading(play.case, Remedy.RETIRE)
    yield "impossible", "Dialog", modals.impossible(play.case, Remedy.PARK, "Not now.", gates)
    yield "changed", "Dialog", modals.changed(differing, Remedy.RETIRE, differing.differences)


def test_messages_are_of_slacks_types(compiled: Compile) -> None:
    assert compiled(list(messages())) == []


def test_dialogs_are_of_slacks_types(compiled: Compile) -> None:
    assert compiled(list(dialogs())) == []


def test_the_compiler_finds_a_field_that_slack_does_not_know(compiled: Compile) -> None:
    button: dict[str, Any] = {
        "type": "button",
        "action_id": "retire",
        "text": {"type": "plain_text", "text": "Retire"},
    }
    wrong = [{"type": "actions", "elements": [{**button, "style": "green"}]}]
    lacking = [{"type": "header", "text": {"type": "mrkdwn", "text": "*Done*"}}]
    unknown = [{"type": "divider", "colour": "red"}]
    right = [{"type": "actions", "elements": [{**button, "style": "danger"}]}]
    found = compiled([
        ("style", "KnownBlock[]", wrong),
        ("header", "KnownBlock[]", lacking),
        ("divider", "KnownBlock[]", unknown),
        ("right", "KnownBlock[]", right),
    ])  # fmt: skip
    assert {one.partition(":")[0] for one in found} == {"style", "header", "divider"}

"""Files a report and says what is in it. Knows the operator’s and the approvers’ names, to leave them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.command_context import CommandContext
from ops.console import GREEN, RED, YELLOW, count
from ops.hub import Hub
from ops.probing.assumptions import BY_ID, Probe
from ops.probing.report import Findings, Verdict, report_of, write

COLOURS = {Verdict.HELD: GREEN, Verdict.DIFFERS: RED, Verdict.NOT_TRIED: YELLOW}
WIDTH = max(map(len, BY_ID))


@dataclass(frozen=True)
class Filed:
    """Where the file for machines is, and how many assumptions differ."""

    machine: Path
    differing: int


def file_report(
    hub: Hub, context: CommandContext, seen: Findings, probe: Probe, *, folder: Path
) -> Filed:
    """Both files are written, and what they say is shown in short."""
    report = report_of(seen, probe, now=context.clock())
    machine, people = write(report, folder, known=set(_known(hub)))
    screen = context.screen
    for one in report.observations:
        if one.verdict is not Verdict.NOT_TRIED:
            mark = screen.painted(f"{one.verdict:8}", COLOURS[one.verdict])
            screen.line(f"{mark}{one.id:{WIDTH}} {one.says}")
    held = sum(one.verdict is Verdict.HELD for one in report.observations)
    differing = len(report.differing)
    screen.line(f"{count(held, 'assumption')} held, {differing} {differ(differing)}.")
    screen.line(f"The report is in {people} and {machine}.")
    if differing:
        screen.line(f"  → unlatch reality {machine} says what follows")
    return Filed(machine, differing)


def differ(number: int) -> str:
    return "differs" if number == 1 else "differ"


def _known(hub: Hub) -> Iterator[str]:
    settings = hub.settings
    yield from settings.approvers
    for arn, user in settings.people:
        yield from (user, arn.rsplit("/", 1)[-1])
    yield hub.caller.session_name
    yield hub.caller.email

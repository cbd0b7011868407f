"""Files a report and says what is in it. Knows the operator’s and the approvers’ names, to leave them out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ops.desk import Desk
from ops.hub import Hub
from ops.probing.assumptions import Probe
from ops.probing.report import Findings, Verdict, report_of, write
from ops.screen import count


def file_report(hub: Hub, desk: Desk, seen: Findings, probe: Probe, *, folder: Path) -> Path:
    """The path of the file for machines."""
    report = report_of(seen, probe, now=desk.clock())
    machine, people = write(report, folder, known=set(_known(hub)))
    screen = desk.screen
    for one in report.observations:
        if one.verdict is not Verdict.NOT_TRIED:
            screen.line(f"{one.verdict:8}{one.id:22} {one.says}")
    held = sum(one.verdict is Verdict.HELD for one in report.observations)
    differing = len(report.differing)
    screen.line(
        f"{count(held, 'assumption')} held, {differing} differ. Report: {people}, {machine}"
    )
    if differing:
        screen.line(f"  → unlatch reality {machine} says what follows")
    return machine


def _known(hub: Hub) -> Iterator[str]:
    settings = hub.settings
    yield from settings.approvers
    for arn, user in settings.people:
        yield from (user, arn.rsplit("/", 1)[-1])
    yield hub.caller.session_name
    yield hub.caller.email

"""`unlatch reality`: compare reports of `doctor --live` and `rehearse`, and logs of cases, with what is assumed. Calls nothing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ops.command_context import CommandContext
from ops.console import Console
from ops.errors import OperatorError
from ops.evidence import export
from ops.exits import Exit
from ops.probing.assumptions import ASSUMPTIONS, BY_ID
from ops.probing.filing import COLOURS, differ
from ops.probing.observed import report_on
from ops.probing.report import Observation, Report, Verdict, from_json, settings_to_change
from ops.verb import Options, Verb

ANY_WAY = "CONTRIBUTING.md says how to send a report that differs"


def run(options: Options, context: CommandContext) -> int:
    reports = [_read(Path(name)) for name in options.reports]
    found = merged(reports)
    show(found, context.screen)
    differing = [one for one in found if one.verdict is Verdict.DIFFERS]
    context.screen.answer(
        {
            "differs": [one.id for one in differing],
            "settings": settings_to_change(found),
            "assumptions": [
                {"id": one.id, "verdict": str(one.verdict), "says": one.says} for one in found
            ],
        }
    )
    return Exit.FOUND if differing else Exit.DONE


def _read(path: Path) -> Report:
    hint = "Give a .json file of unlatch doctor --live or unlatch rehearse, or what unlatch audit export wrote"
    try:
        text = path.read_text(encoding="utf-8")
        log = export.read(text)
        return report_on(log) if log.entries else from_json(json.loads(text))
    except OSError as error:
        raise OperatorError(
            f"{path} can’t be read: {error.strerror}.", hint, code=Exit.USAGE
        ) from error
    except ValueError as error:
        raise OperatorError(f"{path} is no report: {error}.", hint, code=Exit.USAGE) from error


def merged(reports: list[Report]) -> list[Observation]:
    """Of each assumption the worst that any report says; of an id that is not known here, nothing."""
    worst = (Verdict.NOT_TRIED, Verdict.HELD, Verdict.DIFFERS)
    best: dict[str, Observation] = {}
    for one in (said for report in reports for said in report.observations):
        before = best.get(one.id)
        if before is None or worst.index(one.verdict) > worst.index(before.verdict):
            best[one.id] = one
    unsaid = (
        Observation(one.id, Verdict.NOT_TRIED, "the report is older than this assumption")
        for one in ASSUMPTIONS
        if one.id not in best
    )
    return sorted(
        [*(one for one in best.values() if one.id in BY_ID), *unsaid],
        key=lambda one: list(BY_ID).index(one.id),
    )


def show(found: list[Observation], screen: Console) -> None:
    """A line for each, and below those that differ what was assumed and what follows."""
    width = max(len(one.id) for one in found)
    for one in found:
        mark = screen.painted(f"{one.verdict:10}", COLOURS[one.verdict])
        screen.line(f"{mark} {one.id:{width}}  {one.says}")
        if one.verdict is Verdict.DIFFERS:
            assumed = BY_ID[one.id]
            screen.line(f"{'':10}   assumed: {assumed.claim}")
            screen.line(f"{'':10}   so: {assumed.otherwise}")
    settings = settings_to_change(found)
    for name, value in settings.items():
        screen.line(f"  → set {name}={value}" if value else f"  → look at the setting {name}")
    held, differing, untried = (sum(one.verdict is each for one in found) for each in Verdict)
    screen.line(f"{held} held, {differing} {differ(differing)}, {untried} not tried.")
    if differing:
        screen.line(f"  → {ANY_WAY}")


VERB = Verb(
    "reality",
    run,
    about=__doc__,
    params=[click.Argument(["reports"], metavar="FILE...", nargs=-1, required=True)],
)

"""`unlatch forget CASE…`: removes the records of cases that are over, logs included. Touches none that is open, kept, or watches keys.

The settings’ KEEP_CLOSED_DAYS does the same by itself, for cases that can never go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from chalicelib.aws.store.expiry import expire
from chalicelib.aws.store.log import Log
from chalicelib.domain.rules.clicks import can_go_back
from chalicelib.domain.state.case import Case
from ops.cases import how_it_stands, read_on
from ops.command_context import CommandContext
from ops.console import GREEN, YELLOW, count, moment
from ops.errors import OperatorError
from ops.exits import Exit
from ops.hub import Hub, connect_to_stage
from ops.verb import Options, Verb, flag, option, place

REMAINS = (
    "backups of the table, for 35 days",
    "functions’ logs, for as long as the stack keeps them",
    "messages in Slack, and AWS’s own trail",
)
"""What this command does not reach."""


def run(options: Options, context: CommandContext) -> int:
    if bool(options.cases) == (options.closed_days is not None):
        raise click.UsageError("Say CASE, or --closed-days.", click.get_current_context())
    hub, screen = connect_to_stage(options, context.clock), context.screen
    cases = list(
        _named(hub, options.cases) if options.cases else _old(hub, options.closed_days, context)
    )
    for case in cases:
        head = f"log of {case.log_length}, last hash {case.log_head[:12]}"
        screen.line(f"{case.case_id}  {case.cluster_id}  {how_it_stands(case)}, {head}")
        if can_go_back(case):
            screen.line("  the way back by a button goes with it", colour=YELLOW)
    if not cases:
        screen.line("There is nothing to remove.")
    elif not options.yes:
        screen.line("To keep a log: unlatch audit export CASE. Its last hash anchors it.")
        context.confirm(f"Remove {count(len(cases), 'record')} for ever? Type yes:", option="--yes")
    now = context.clock()
    for case in cases:
        expire(hub.cases.writes, Log(hub.table), case, now)
    _tell(cases, now, context)
    return Exit.DONE


def _tell(cases: list[Case], now: datetime, context: CommandContext) -> None:
    if cases:
        gone = f"{count(len(cases), 'record')} gone; DynamoDB deletes the items within days."
        context.screen.line(gone, colour=GREEN)
        context.screen.title("What remains elsewhere")
        for line in REMAINS:
            context.screen.line(f"  {line}")
    forgotten = [{"case_id": case.case_id, "log_head": case.log_head} for case in cases]
    context.screen.answer({"forgotten": forgotten, "at": moment(now), "remains": REMAINS})


def _named(hub: Hub, case_ids: tuple[str, ...]) -> Iterator[Case]:
    """Each must be over; whoever names a case that could be undone gives that up."""
    for case_id in dict.fromkeys(case_ids):
        case = hub.case(case_id)
        if not _is_over(case):
            raise OperatorError(
                f"{case_id} is not over ({how_it_stands(case)}). Nothing was removed.",
                "Close or cancel it first",
                code=Exit.DECLINED,
            )
        yield case


def _old(hub: Hub, days: int, context: CommandContext) -> Iterator[Case]:
    """Cases that can never go on, closed so long ago."""
    before = hub.clock() - timedelta(days=days)
    for case in read_on(hub.cases.everything(), context):
        if _is_over(case) and not can_go_back(case) and case.closed_at and case.closed_at <= before:
            yield case


def _is_over(case: Case) -> bool:
    return case.is_over and not case.new_clicks


VERB = Verb(
    "forget",
    run,
    about=__doc__,
    params=[
        click.Argument(["cases"], nargs=-1, metavar="[CASE]..."),
        option(
            "--closed-days",
            type=click.IntRange(min=0),
            metavar="N",
            help="All that closed N days ago or more and can never go on (reads the whole table).",
        ),
        flag("--yes", "Don’t ask; for scripts."),
        *place(),
    ],
)

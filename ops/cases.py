"""`unlatch cases`: the open and kept cases, or all there ever were. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.domain.state.case import Case
from ops.command_context import CommandContext
from ops.console import YELLOW, count, moment
from ops.hub import Hub, connect_to_stage
from ops.verb import Options, Verb, flag, place


def run(options: Options, context: CommandContext) -> int:
    hub = connect_to_stage(options, context.clock)
    found = read_on(hub.cases.everything() if options.all else _open(hub), context)
    cases = sorted(found, key=lambda case: case.opened_at)
    frozen = hub.by_name.ports.brake.why()
    if frozen:
        context.screen.line(f"All changes are frozen: {frozen}", colour=YELLOW)
    for case in cases:
        context.screen.line(_line(case))
    if not cases:
        context.screen.line("No case is open." if not options.all else "There was no case yet.")
    context.screen.answer([_plain(case) for case in cases])
    return 0


def read_on(cases: Iterable[Case], context: CommandContext) -> Iterator[Case]:
    """The same, telling how far it has come: a whole table takes a while."""
    for number, case in enumerate(cases, start=1):
        context.screen.passing(f"{count(number, 'case')} read")
        yield case


def _open(hub: Hub) -> Iterator[Case]:
    for pointer in hub.cases.pointers():
        yield hub.cases.load(pointer.case_id)


def how_it_stands(case: Case) -> str:
    """`closed as retired`, `running: waiting until …`; words for one line."""
    if case.is_closed:
        return f"closed as {case.outcome}"
    return f"{case.phase}: {case.waiting_for}" if case.waiting_for else str(case.phase)


def _line(case: Case) -> str:
    where = f"{case.account} {case.region}"
    opened = moment(case.opened_at)
    return f"{case.case_id}  {case.cluster_id}  {where}  opened {opened}  {how_it_stands(case)}"


def _plain(case: Case) -> dict[str, Any]:
    plan = case.current_plan
    return {
        "case_id": case.case_id,
        "account": case.account,
        "region": case.region,
        "cluster_id": case.cluster_id,
        "opened_at": case.opened_at,
        "phase": case.phase,
        "outcome": case.outcome,
        "reason": case.reason,
        "waiting_for": case.waiting_for,
        "expires_at": case.expires_at,
        "closed_at": case.closed_at,
        "attempts": len(case.attempts),
        "remedy": plan.remedy if plan else None,
        "approved_by": [click.by for click in case.approved],
    }


VERB = Verb(
    "cases",
    run,
    about=__doc__,
    params=[flag("--all", "Closed ones too (reads the whole table)."), *place()],
)

"""`unlatch cancel CASE`: the brake without Slack. Asks for a cancel; the bot itself then carries it out."""

from __future__ import annotations

from chalicelib.domain.approval import is_reason
from chalicelib.domain.case import Act, Case, Click
from chalicelib.domain.clicks import not_possible, reopens
from chalicelib.failures import Conflict
from ops.desk import Desk
from ops.hub import Hub, connect, who
from ops.screen import GREEN, moment
from ops.trouble import Trouble
from ops.verb import Options, Verb, argument, option, place

TRIES = 5


def run(options: Options, desk: Desk) -> int:
    if not is_reason(options.reason):
        raise Trouble("The reason says nothing.", "Write why, for those who read the log.")
    hub = connect(options, desk.clock)
    by = who(hub.caller)
    for _ in range(TRIES):
        case = hub.case(options.case)
        if not_possible(case, Act.CANCEL):
            raise Trouble(_why_not(case))
        try:
            _record(hub, case, Click(Act.CANCEL, by, desk.clock(), reason=options.reason))
        except Conflict:
            continue
        desk.screen.line(
            f"{case.case_id}: {by} asked to cancel. The bot stops at once.", colour=GREEN
        )
        desk.screen.line(f"Follow it in Slack, or: unlatch cases --stage {hub.stage}")
        desk.screen.answer({"case_id": case.case_id, "cancel_asked_by": by})
        return 0
    raise Conflict(options.case)


def _why_not(case: Case) -> str:
    """In words for somebody who has no message before them and clicked nothing."""
    if case.is_closed:
        end = f"{case.outcome}, {moment(case.closed_at)}"
        by = f", by {case.ending.by}" if case.ending else ""
        return f"{case.case_id} is closed already ({end}{by}), and nothing can be brought back."
    if case.ending is not None:
        return f"{case.ending.by} asked to cancel {case.case_id} already. It is under way."
    return f"{case.case_id} holds too many clicks to take another one. To stop it: unlatch freeze"


def _record(hub: Hub, case: Case, click: Click) -> None:
    """As Slack’s buttons do it: the click, then the run is woken, or started again."""
    ports, anew = hub.by_name.ports, reopens(case, click.act)
    woken = ports.cases.record_click(case, click, reopen=anew)
    if anew:
        ports.runs.start(case.case_id, woken.generation)
    elif woken.token:
        ports.runs.wake(woken.token)


VERB = Verb(
    "cancel",
    run,
    about=f"{__doc__} Your AWS session’s name stands in the log as who asked. `unlatch cases` lists the ids.",
    params=[
        argument("case"),
        option("--reason", required=True, help="Why, for the log."),
        *place(),
    ],
)

"""`ops cancel CASE`: the brake without Slack. Asks for a cancel; the bot itself then carries it out."""

from __future__ import annotations

import argparse
import re
from typing import Any

from chalicelib.domain.approval import is_reason
from chalicelib.domain.case import Act, Case, Click
from chalicelib.domain.clicks import not_possible, reopens
from chalicelib.ports import Conflict
from ops.desk import Desk
from ops.hub import Hub, add_place, connect, who
from ops.screen import GREEN
from ops.trouble import Trouble

TRIES = 5
MENTION = re.compile(r"<@([^>]+)>")


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "cancel",
        help="stop a case and undo what can be undone, without Slack",
        description=f"{__doc__} Your AWS session’s name stands in the log as who asked.",
    )
    add_place(parser)
    parser.add_argument("case", metavar="CASE", help="a case id; `ops cases` lists them")
    parser.add_argument("--reason", required=True, help="why, for the log")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, desk: Desk) -> int:
    if not is_reason(options.reason):
        raise Trouble("The reason says nothing.", "Write why, for those who read the log.")
    hub = connect(options, desk.clock)
    by = who(hub.caller)
    for _ in range(TRIES):
        case = load(hub, options.case)
        reason = not_possible(case, Act.CANCEL)
        if reason:
            raise Trouble(MENTION.sub(r"\1", reason).replace("`", ""))
        try:
            _record(hub, case, Click(Act.CANCEL, by, desk.clock(), reason=options.reason))
        except Conflict:
            continue
        desk.screen.line(
            f"{case.case_id}: {by} asked to cancel. The bot stops at once.", colour=GREEN
        )
        desk.screen.line(f"Follow it in Slack, or: python -m ops cases --stage {hub.stage}")
        return 0
    raise Conflict(options.case)


def load(hub: Hub, case_id: str) -> Case:
    try:
        case: Case = hub.cases.load(case_id)
    except KeyError:
        raise Trouble(
            f"There is no case {case_id} in stage {hub.stage}.",
            f"python -m ops cases --stage {hub.stage} --all",
        ) from None
    return case


def _record(hub: Hub, case: Case, click: Click) -> None:
    """As Slack’s buttons do it: the click, then the run is woken, or started again."""
    ports, anew = hub.by_name.ports, reopens(case, click.act)
    woken = ports.cases.record_click(case, click, reopen=anew)
    if anew:
        ports.runs.start(case.case_id, woken.generation)
    elif woken.token:
        ports.runs.wake(woken.token)

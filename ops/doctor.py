"""`ops doctor`: one screen that says whether Unlatch can do its work, and what to do where not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ops.checks import chat, events, laptop, machinery, rights, roles
from ops.checks.finding import Check, Finding, asked
from ops.desk import Desk
from ops.hub import Hub, add_place, connect
from ops.screen import GREEN, RED, YELLOW, Screen, count

CHECKS: tuple[tuple[str, Check], ...] = (
    ("boto3", laptop.sdk),
    ("clock", laptop.clock),
    ("functions", machinery.functions),
    ("settings", machinery.settings),
    ("state machine", machinery.state_machine),
    ("table", machinery.table),
    ("brake", machinery.brake),
    ("seal key", machinery.seal_key),
    ("secrets", machinery.secrets),
    ("dead letters", machinery.dead_letters),
    ("trail", events.trails),
    ("rules", events.rules),
    ("reader", roles.readers),
    ("trust", roles.may_take_executor),
    ("rights", rights.of_acting_roles),
    ("slack token", chat.token),
    ("slack channel", chat.channel),
    ("approvers", chat.approvers),
)
MARKS = {True: ("ok", GREEN), False: ("WRONG", RED), None: ("unknown", YELLOW)}


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="find out whether everything is in place",
        description=f"{__doc__} It changes nothing, but lets the hourly sweep run once more.",
    )
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    if not options.json:
        desk.screen.title(f"Unlatch {hub.stage} in account {hub.account}, {hub.region}")
    found = []
    for finding in _findings(hub):
        found.append(finding)
        if not options.json:
            _show(finding, desk.screen)
    wrong = [finding for finding in found if finding.ok is False]
    if options.json:
        checks = [{"name": f.name, "ok": f.ok, "says": f.says, "do": f.do} for f in found]
        desk.screen.json({"ok": not wrong, "checks": checks})
    else:
        desk.screen.line(f"{count(len(wrong), 'thing')} to mend." if wrong else "All is well.")
    return 1 if wrong else 0


def _findings(hub: Hub) -> Iterator[Finding]:
    for name, check in CHECKS:
        yield from asked(name, check, hub)


def _show(finding: Finding, screen: Screen) -> None:
    word, colour = MARKS[finding.ok]
    mark = screen.painted(f"{word:8}", colour)
    screen.line(f"{mark}{finding.name:22} {finding.says}")
    if finding.do and finding.ok is not True:
        screen.line(f"{'':8}{'':22} → {finding.do}")

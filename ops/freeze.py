"""`ops freeze`: no case changes anything in AWS any more, until `ops thaw`. Cases go on looking and asking."""

from __future__ import annotations

import argparse
from typing import Any

from ops.desk import Desk
from ops.hub import Hub, add_place, connect, who
from ops.screen import YELLOW, moment

BRAKE = {"pk": "BRAKE", "sk": "BRAKE"}


def add(commands: Any) -> None:
    parser = commands.add_parser("freeze", help="stop all changes at once", description=__doc__)
    add_place(parser)
    parser.add_argument("--reason", required=True, help="why; every case shows it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    why = f"{options.reason} ({who(hub.caller)}, {moment(desk.clock())})"
    before = freeze(hub, why)
    if before:
        desk.screen.line(f"It was frozen already: {before}")
    desk.screen.line(f"Frozen: {why}", colour=YELLOW)
    desk.screen.line("A call that is on its way now still lands. No further one is made.")
    desk.screen.line(f"To go on: python -m ops thaw --stage {hub.stage}")
    return 0


def freeze(hub: Hub, why: str) -> str:
    """Why it was frozen before; "" where it was not."""
    old = hub.table.put_item(Item={**BRAKE, "why": why}, ReturnValues="ALL_OLD")
    return str(old.get("Attributes", {}).get("why", ""))

"""`ops thaw`: ends a freeze. What was approved before goes on, if the world is still as it was."""

from __future__ import annotations

import argparse
from typing import Any

from ops.desk import Desk
from ops.freeze import BRAKE
from ops.hub import add_place, connect
from ops.screen import GREEN


def add(commands: Any) -> None:
    parser = commands.add_parser("thaw", help="end a freeze", description=__doc__)
    add_place(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    old = hub.table.delete_item(Key=BRAKE, ReturnValues="ALL_OLD").get("Attributes")
    if not old:
        desk.screen.line("Nothing was frozen.")
        return 0
    desk.screen.line(f"Thawed. It was frozen: {old['why']}", colour=GREEN)
    desk.screen.line("Waiting cases go on within five minutes.")
    return 0

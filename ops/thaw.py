"""`unlatch thaw`: ends a freeze. What was approved before goes on, if the world is still as it was."""

from __future__ import annotations

from ops.desk import Desk
from ops.freeze import BRAKE
from ops.hub import connect
from ops.screen import GREEN
from ops.verb import Options, Verb, place


def run(options: Options, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    old = hub.table.delete_item(Key=BRAKE, ReturnValues="ALL_OLD").get("Attributes")
    if old:
        desk.screen.line(f"Thawed. It was frozen: {old['why']}", colour=GREEN)
        desk.screen.line("Waiting cases go on within five minutes.")
    else:
        desk.screen.line("Nothing was frozen.")
    desk.screen.answer({"was_frozen": old["why"] if old else None})
    return 0


VERB = Verb("thaw", run, about=__doc__, params=place())

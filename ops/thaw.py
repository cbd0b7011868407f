"""`unlatch thaw`: ends a freeze. What was approved before goes on, if the world is still as it was."""

from __future__ import annotations

from chalicelib.aws.brake import OFF
from ops.command_context import CommandContext
from ops.console import GREEN
from ops.freeze import reason_in_force, set_brake
from ops.hub import connect
from ops.verb import Options, Verb, place


def run(options: Options, context: CommandContext) -> int:
    hub = connect(options, context.clock)
    why = reason_in_force(hub)
    if why:
        set_brake(hub, OFF)
        context.screen.line(f"Thawed. It was frozen: {why}", colour=GREEN)
        context.screen.line("Waiting cases go on within five minutes.")
    else:
        context.screen.line("Nothing was frozen.")
    context.screen.answer({"was_frozen": why or None})
    return 0


VERB = Verb("thaw", run, about=__doc__, params=place())

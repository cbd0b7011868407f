"""`unlatch freeze`: no case changes anything in AWS any more, until `unlatch thaw`. Cases go on looking and asking."""

from __future__ import annotations

from ops.desk import Desk
from ops.hub import Hub, connect, who
from ops.screen import YELLOW, moment
from ops.verb import Options, Verb, option, place


def run(options: Options, desk: Desk) -> int:
    hub = connect(options, desk.clock)
    why = f"{options.reason} ({who(hub.caller)}, {moment(desk.clock())})"
    before = freeze(hub, why)
    if before:
        desk.screen.line(f"It is frozen already, and stays so: {before}", colour=YELLOW)
    else:
        desk.screen.line(f"Frozen: {why}", colour=YELLOW)
        desk.screen.line("A call that is on its way now still lands. No further one is made.")
    desk.screen.line(f"To go on: unlatch thaw --stage {hub.stage}")
    desk.screen.answer({"frozen": before or why, "was_frozen": bool(before)})
    return 0


def freeze(hub: Hub, why: str) -> str:
    """Why it was frozen before, which stays the reason; "" if it was not."""
    before = str(hub.by_name.ports.brake.why())
    if not before:
        set_brake(hub, why)
    return before


def set_brake(hub: Hub, value: str) -> None:
    name = hub.by_name.settings.brake_parameter
    hub.client("ssm").put_parameter(Name=name, Value=value[:4000], Type="String", Overwrite=True)


VERB = Verb(
    "freeze",
    run,
    about=__doc__,
    params=[option("--reason", required=True, help="Why; every case shows it."), *place()],
)

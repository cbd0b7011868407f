"""`unlatch freeze`: no case changes anything in AWS any more, until `unlatch thaw`. Cases go on looking and asking."""

from __future__ import annotations

from chalicelib.aws.errors import code_of
from ops.desk import Desk
from ops.hub import Hub, connect, who
from ops.screen import YELLOW, moment
from ops.verb import Options, Verb, option, place

BRAKE = {"pk": "BRAKE", "sk": "BRAKE"}


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
    try:
        hub.table.put_item(
            Item={**BRAKE, "why": why}, ConditionExpression="attribute_not_exists(pk)"
        )
    except Exception as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
        return str(hub.table.get_item(Key=BRAKE)["Item"]["why"])
    return ""


VERB = Verb(
    "freeze",
    run,
    about=__doc__,
    params=[option("--reason", required=True, help="Why; every case shows it."), *place()],
)

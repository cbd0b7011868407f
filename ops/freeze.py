"""`unlatch freeze`: no case changes anything in AWS any more, until `unlatch thaw`, but for a cancel or an undo. Cases go on looking and asking."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chalicelib.aws.brake import OFF
from chalicelib.aws.errors import DENIED, code_of
from ops.command_context import CommandContext
from ops.console import YELLOW, moment
from ops.hub import Hub, connect, who
from ops.verb import Options, Verb, option, place

MISSING = "its parameter is missing"
"""Turns take that for a freeze."""


def run(options: Options, context: CommandContext) -> int:
    hub = connect(options, context.clock)
    why = f"{options.reason} ({who(hub.caller)}, {moment(context.clock())})"
    before = freeze(hub, why)
    if before:
        context.screen.line(f"It is frozen already, and stays so: {before}", colour=YELLOW)
    else:
        context.screen.line(f"Frozen: {why}", colour=YELLOW)
        context.screen.line("A call that is on its way now still lands. No further one is made.")
    context.screen.line(f"To go on: unlatch thaw --stage {hub.stage}")
    context.screen.answer({"frozen": before or why, "was_frozen": bool(before)})
    return 0


def freeze(hub: Hub, why: str) -> str:
    """Why it was frozen before, which stays the reason; "" if it was not."""
    try:
        before = reason_in_force(hub)
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        before = ""  # who may write it but not read it can stop everything all the same
    if before not in ("", MISSING):
        return before
    set_brake(hub, why)
    return ""


def reason_in_force(hub: Hub) -> str:
    """What the parameter says, "" for nothing: unlike for turns, one that can't be read is no freeze."""
    try:
        found = hub.client("ssm").get_parameter(Name=hub.by_name.settings.brake_parameter)
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        hub.require_stage()
        return MISSING
    value = str(found["Parameter"]["Value"])
    return "" if value == OFF else value


def set_brake(hub: Hub, value: str) -> None:
    name = hub.by_name.settings.brake_parameter
    hub.client("ssm").put_parameter(Name=name, Value=value[:4000], Type="String", Overwrite=True)


VERB = Verb(
    "freeze",
    run,
    about=__doc__,
    params=[option("--reason", required=True, help="Why; every case shows it."), *place()],
)

"""`unlatch cancel CASE`: the brake without Slack. Asks Unlatch for a cancel, signed with your AWS sign-in.

The bot itself judges who may, and carries it out. Nothing is written to the table from here.
"""

from __future__ import annotations

import hashlib

from chalicelib.domain.rules.approval import is_reason
from ops.command_context import CommandContext
from ops.console import GREEN
from ops.errors import OperatorError
from ops.hub import connect
from ops.signed import api_of, ask
from ops.verb import Options, Verb, argument, option, place


def run(options: Options, context: CommandContext) -> int:
    if not is_reason(options.reason):
        raise OperatorError("The reason says nothing.", "Write why, for those who read the log.")
    hub = connect(options, context.clock)
    url = api_of(hub, given=options.url, path="cancels")
    text = ask(
        hub,
        url,
        case_id=options.case,
        told={"reason": options.reason},
        headers={"X-Unlatch-Cancel": hashlib.sha256(options.reason.encode()).hexdigest()},
    )
    context.screen.line(text, colour=GREEN)
    context.screen.line(f"Follow it in Slack, or: unlatch cases --stage {hub.stage}")
    context.screen.answer(
        {"case_id": options.case, "cancel_asked_by": hub.caller.arn, "says": text}
    )
    return 0


VERB = Verb(
    "cancel",
    run,
    about=f"{__doc__} Your AWS principal stands in the log as who asked. `unlatch cases` lists the ids.",
    params=[
        argument("case"),
        option("--reason", required=True, help="Why, for the log."),
        option("--url", help="The deployed API (as `unlatch deploy` printed it)."),
        *place(),
    ],
)

"""`unlatch VERB`: hands over to the verb’s module, and puts expected trouble into words."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from chalicelib import __version__
from ops.command_context import CommandContext
from ops.console import Console
from ops.errors import OperatorError
from ops.exits import Exit

VERBS = {
    "Set up": {
        "deploy": "Bring this version to AWS, or bring what is there up to date.",
        "package": "Write what a pipeline deploys without a laptop.",
        "doctor": "Find out whether everything is in place.",
        "destroy": "Take Unlatch down again.",
        "rehearse": "Try everything on a cluster of its own, in a throwaway account.",
        "reality": "What reports of --live and rehearse say of what is assumed.",
        "completion": "Let your shell complete these commands.",
    },
    "Look": {
        "scan": "What stands idle, broken or empty, and what it costs.",
        "cases": "List the cases.",
        "diagnose": "What holds a cluster, and what each way out would do.",
    },
    "Act": {
        "approve": "Confirm an irreversible plan with your AWS sign-in.",
        "trust": "Vouch for a stored case that no run remembers.",
        "cancel": "Stop a case and undo what can be undone, without Slack.",
        "freeze": "Stop all changes at once.",
        "thaw": "End a freeze.",
    },
    "Afterwards": {
        "audit": "Export and check a case’s log.",
        "forget": "Remove the records of cases that are over.",
        "replay": "Give dead letters back to the functions.",
    },
}
PROGRAM = "unlatch"
ABOUT = """Runs Unlatch, which frees CloudHSM clusters that can’t be deleted.

Decides nothing about cases; people do, in Slack. Every verb has --help and --json. How to operate
it, and what each exit code means: docs/operate.md."""


class Unlatch(click.Group):
    """Imports a verb when it is called: the AWS SDK takes a fifth of a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click’s
        return [name for verbs in VERBS.values() for name in verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = importlib.import_module(f"ops.{cmd_name}").VERB
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click’s
        for heading, verbs in VERBS.items():
            with formatter.section(heading):
                formatter.write_dl(list(verbs.items()))


@click.group(
    cls=Unlatch,
    help=ABOUT,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=PROGRAM)
def unlatch() -> None:
    """The verbs do it."""


def main(arguments: Sequence[str] | None = None, context: CommandContext | None = None) -> int:
    """The exit code; ops/exits.py says what each means."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    context = context or CommandContext(Console(sys.stdout, sys.stderr), lambda: datetime.now(UTC))
    screen = context.screen.for_machines() if "--json" in words else context.screen
    try:
        ended = unlatch.main(words, prog_name=PROGRAM, obj=context, standalone_mode=False)
    except click.UsageError as error:
        if error.ctx:
            screen.line(error.ctx.get_usage())
        return _told(screen, OperatorError(error.format_message(), code=Exit.USAGE))
    except (KeyboardInterrupt, click.Abort):
        again = "Run the command again: every step can be repeated"
        return _told(screen, OperatorError("Interrupted.", again, code=Exit.INTERRUPTED))
    except Exception as error:  # the process ends here: what can be expected gets a sentence
        from ops.expected import EXPECTED, trouble_of  # pulls in the AWS SDK

        if not isinstance(error, EXPECTED):
            raise
        return _told(screen, trouble_of(error))
    return int(ended or 0)


def _told(screen: Console, trouble: OperatorError) -> int:
    """The exit code. A machine gets the error where it looks for the answer."""
    screen.wrong(trouble.reason)
    for advice in trouble.advice:
        screen.wrong(f"  → {advice}")
    code = trouble.code
    told = {"code": code.name.lower(), "reason": trouble.reason, "advice": trouble.advice}
    screen.answer({"error": told})
    return int(code)


if __name__ == "__main__":
    sys.exit(main())

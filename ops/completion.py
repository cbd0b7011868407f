"""`unlatch completion SHELL`: prints what your shell needs to complete these commands. Changes no file."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ops.command_context import CommandContext
from ops.verb import Options, Verb

PROGRAM = "unlatch"
SHELLS = ("bash", "zsh", "fish")


def run(options: Options, context: CommandContext) -> int:
    kind = get_completion_class(options.shell)
    assert kind is not None, "one of click’s own"
    script = kind(click.Group(PROGRAM), {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
    if not options.json:
        context.screen.data(script)
    context.screen.answer({"script": script})
    return 0


VERB = Verb(
    "completion",
    run,
    about=f'{__doc__} In bash: eval "$(unlatch completion bash)", in your ~/.bashrc.',
    params=[click.Argument(["shell"], type=click.Choice(SHELLS), metavar="SHELL")],
)

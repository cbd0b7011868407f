"""How a verb is declared: its function, its options, its help. Says nothing about what it does."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import click

from chalicelib.ids import ACCOUNT
from ops.command_context import CommandContext

Options = SimpleNamespace
Run = Callable[[Options, CommandContext], int]


def account_id(value: str) -> str:
    """The type of an option: a slip is named before anything is asked of AWS."""
    if not ACCOUNT.fullmatch(value):
        raise click.BadParameter(f"'{value}' is not an account id; they have twelve digits.")
    return value


def option(*names: str, **more: Any) -> click.Option:
    return click.Option([*names], **more)


def flag(name: str, about: str) -> click.Option:
    return click.Option([name], is_flag=True, help=about)


def argument(name: str, *, required: bool = True) -> click.Argument:
    """`case` is shown as CASE."""
    return click.Argument([name], metavar=name.upper(), required=required)


def place(*, region: str = "--region") -> list[click.Parameter]:
    """The options that say which hub is meant. `region` is that option’s own name."""
    stage = os.environ.get("UNLATCH_STAGE", "dev")
    return [
        option("--stage", default=stage, show_default=True, help="The stage that is meant."),
        option(
            region,
            "region",
            metavar="REGION",
            help="The hub’s Region [AWS_REGION, or your profile’s].",
        ),
        option("--profile", help="An AWS profile [AWS_PROFILE]."),
    ]


class Verb(click.Command):
    """`run` is given the options and the context, and gives the exit code."""

    def __init__(
        self, name: str, run: Run, *, about: str, params: Sequence[click.Parameter]
    ) -> None:
        as_json = flag("--json", "One JSON value on standard output, for errors too.")
        super().__init__(
            name,
            params=[*params, as_json],
            help=_without_name(about),
            callback=click.pass_obj(_called(run)),
        )


def _without_name(about: str) -> str:
    """A module’s docstring begins with the verb’s name, which the usage line above it says too."""
    said = about.partition(": ")[2] if about.startswith("`unlatch ") else about
    return said[:1].upper() + said[1:]


def _called(run: Run) -> Callable[..., int]:
    def call(context: CommandContext, **given: Any) -> int:
        if given["json"]:
            context = replace(context, screen=context.screen.for_machines())
        return run(Options(**given), context)

    return call

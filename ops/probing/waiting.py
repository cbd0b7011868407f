"""Waits for something to be seen, with a line that says how long. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from ops.command_context import CommandContext
from ops.probing.report import span

EVERY = 10
"""Seconds between looks."""
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Waited(Generic[Seen]):
    """`seen` is None if the time was over first."""

    seen: Seen | None
    took: timedelta


def wait_for(
    context: CommandContext,
    what: str | Callable[[], str],
    look: Callable[[], Seen | None],
    *,
    most: timedelta,
    every: float = EVERY,
) -> Waited[Seen]:
    """Looks until `look` gives something. `what` completes "waiting for"."""
    began = context.clock()
    while True:
        seen = look()
        took = context.clock() - began
        if seen is not None or took >= most:
            context.screen.passing("")
            return Waited(seen, took)
        minutes = int(most.total_seconds()) // 60
        words = what if isinstance(what, str) else what()
        context.screen.passing(f"waiting for {words}: {span(took)} of at most {minutes} min")
        context.pause(every)

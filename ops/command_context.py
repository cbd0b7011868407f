"""What every verb is given besides its options: where to write, whom to ask, the time, and where the code lies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops.console import Console
from ops.errors import OperatorError
from ops.exits import Exit

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "project" if (HERE / "project").exists() else HERE.parent
"""The checkout; in an installed wheel the same files lie within the package."""


def from_terminal(question: str) -> str:
    """What the person types. Raises EOFError if nobody is there to type."""
    if not sys.stdin.isatty():
        raise EOFError
    sys.stderr.write(question)
    sys.stderr.flush()
    return input()


@dataclass(frozen=True)
class CommandContext:
    screen: Console
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep
    project: Path = PROJECT
    ask: Callable[[str], str] = from_terminal

    @property
    def workshop(self) -> Path:
        """Where things are built: within the checkout, or in the user’s cache."""
        if self.project != HERE / "project":
            return self.project / "build"
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "unlatch"

    def say(self, text: str) -> None:
        """How far a long command has come."""
        self.screen.say(text)

    def confirm(self, question: str, *, option: str, wanted: str = "yes") -> None:
        """Raises OperatorError unless the person types `wanted`; `option` is how a script says it."""
        try:
            typed = self.ask(f"{question} ").strip()
        except EOFError:
            raise OperatorError(
                "Nothing was done: nobody is here to confirm it.",
                f"Say {option}, if it is to go ahead",
                code=Exit.DECLINED,
            ) from None
        if typed != wanted:
            raise OperatorError("Nothing was done: not confirmed.", code=Exit.DECLINED)

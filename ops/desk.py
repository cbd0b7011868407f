"""What every verb is given besides its options: where to write, the time, and where the code lies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ops.screen import DIM, Screen

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Desk:
    screen: Screen
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep
    project: Path = PROJECT

    def say(self, text: str) -> None:
        """How far a long command has come."""
        self.screen.line(f"  {text}", colour=DIM)

"""What the operator sees: plain lines, colours on a terminal only, or JSON. Never asks anything."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any, TextIO

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


class Screen:
    """`out` is for what was asked for, `err` for what went wrong."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err
        self._colours = out.isatty() and "NO_COLOR" not in os.environ

    def line(self, text: str = "", *, colour: str = "") -> None:
        self._out.write(f"{self.painted(text, colour)}\n")
        self._out.flush()

    def title(self, text: str) -> None:
        self.line(text, colour=BOLD)

    def json(self, value: Any) -> None:
        self.line(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))

    def wrong(self, text: str) -> None:
        self._err.write(f"{text}\n")
        self._err.flush()

    def painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._colours else text


def moment(at: datetime | None) -> str:
    """`Mon 02 Mar 2026 09:00 UTC`; a dash where there is none."""
    return f"{at.astimezone(UTC):%a %d %b %Y %H:%M} UTC" if at else "-"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)

"""What the operator sees: plain lines, colours on a terminal only, or one JSON value. Never asks anything."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
CLEAR_LINE = "\r\x1b[2K"


class Console:
    """`out` is for what was asked for, `err` for what went wrong and for how far it has come.

    With `as_json`, `out` gets one JSON value at the end and nothing else.
    """

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool = False) -> None:
        self._out, self._err, self._as_json = out, err, as_json
        self._colours = out.isatty() and not os.environ.get("NO_COLOR")
        self._passing = False

    def for_machines(self) -> Console:
        return Console(self._out, self._err, as_json=True)

    def line(self, text: str = "", *, colour: str = "") -> None:
        """For people; a machine is told the same by `answer`."""
        self._end_passing()
        if not self._as_json:
            self._write(self._out, self.painted(text, colour))

    def title(self, text: str) -> None:
        self.line(text, colour=BOLD)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as they need to be."""
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for number, row in enumerate((head, *rows)):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line("  ".join(cells).rstrip(), colour="" if number else DIM)

    def say(self, text: str) -> None:
        """How far a long command has come, line by line."""
        self._end_passing()
        if self._as_json:
            self._write(self._err, text)
        else:
            self._write(self._out, self.painted(f"  {text}", DIM))

    def passing(self, text: str) -> None:
        """How far it has come, on one line that the next one overwrites; on a terminal only."""
        if self._err.isatty():
            self._err.write(f"{CLEAR_LINE}{text}")
            self._err.flush()
            self._passing = True

    def answer(self, value: Any) -> None:
        """The same for a machine; people have had their lines."""
        self._end_passing()
        if self._as_json:
            text = json.dumps(value, indent=2, ensure_ascii=False, default=_plain)
            self._write(self._out, text)

    def data(self, text: str) -> None:
        """What is written to be kept in a file, whoever reads it."""
        self._write(self._out, text)

    def wrong(self, text: str) -> None:
        self._end_passing()
        self._write(self._err, text)

    def painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colour and self._colours else text

    def _end_passing(self) -> None:
        if self._passing:
            self._err.write(CLEAR_LINE)
            self._passing = False

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(f"{text}\n")
        stream.flush()


def moment(at: datetime | None) -> str:
    """`Mon 02 Mar 2026 09:00 UTC`; a dash if there is none."""
    return f"{at.astimezone(UTC):%a %d %b %Y %H:%M} UTC" if at else "-"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)

"""Tells a play to people while it runs: who did what, and what came of it. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TextIO

TIME = "%a %d %b %H:%M:%S"
BLANK = " " * len("Mon 02 Mar 09:00:00")
LEAST_GAP = timedelta(minutes=1)
PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE = "0", "1", "2", "31", "32", "33", "34"
MENTION = re.compile(r"<[@!#]([^>|]+)(?:\|([^>]*))?>")


class Narration:
    """Writes a line a happening. The time stands there only if it has changed."""

    def __init__(self, out: TextIO, *, colours: bool = False) -> None:
        self._out = out
        self._colours = colours
        self._last: datetime | None = None

    def title(self, text: str) -> None:
        self._write(self._paint(text, BOLD))
        self._write("")

    def tell(self, at: datetime, sentence: str, *, colour: str = PLAIN) -> None:
        """One thing that happened, at a moment of sandbox time; seconds are the finest there is."""
        at = at.replace(microsecond=0)
        if self._last and at - self._last >= LEAST_GAP:
            self._write(self._paint(f"{BLANK}  … {length(at - self._last)} pass", DIM))
        stamp = BLANK if at == self._last else f"{at:{TIME}}"
        self._last = at
        self._write(f"{self._paint(stamp, DIM)}  {self._paint(sentence, colour)}")

    def unmet(self, faults: Sequence[tuple[str, int]]) -> None:
        """Faults that befell nobody, by call and number: a slip in their file, or a call that never came."""
        for call, nth in faults:
            which = f"call {nth} of {call}"
            self._write(self._paint(f"A fault met nobody: {which} did not come.", YELLOW))

    def verdict(self, failures: list[str], *, expected: bool = True) -> None:
        self._write("")
        if not failures and not expected:
            self._write("The scenario expects nothing, so nothing was checked.")
            return
        if not failures:
            self._write(self._paint("All came as expected.", GREEN))
            return
        self._write(self._paint("It did not come as expected:", RED))
        for failure in failures:
            self._write(f"  - {failure}")

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours and colour != PLAIN else text


def length(span: timedelta) -> str:
    """A length of time in words, of two units at most: `6 days 23 hours`."""
    seconds = int(span.total_seconds())
    parts = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts[:2]) or "0 seconds"


def plain(text: str) -> str:
    """Slack's markup as a person reads it: no mention codes, no marks, on one line."""
    named = MENTION.sub(lambda found: found[2] or found[1].removeprefix("subteam^"), text)
    unmarked = named.replace("*", "").replace("`", "")
    for code, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        unmarked = unmarked.replace(code, char)
    return " ".join(unmarked.split())

"""Faults of a matrix, and how they are dealt out to plays. Plays nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, gcd
from typing import TypeVar

KINDS: Mapping[str, Mapping[str, str]] = {
    "crash_before": {"kind": "crash_before"},
    "crash_after": {"kind": "crash_after"},
    "timeout": {"kind": "timeout"},
    "throttle": {"kind": "throttle"},
    "500": {"kind": "error", "code": "InternalFailure"},
    "denied": {"kind": "error", "code": "AccessDeniedException"},
    "cut": {"kind": "cut"},
    "dropped": {"kind": "dropped"},
    "empty": {"kind": "empty"},
}
SLACK_CODES = {"500": "internal_error", "denied": "missing_scope"}
GOLDEN = 0.6180339887498949
Round = TypeVar("Round")


@dataclass(frozen=True, order=True)
class Cell:
    """One call of one story, broken in one way, so many times in a row."""

    story: str
    call: str
    nth: int
    kind: str
    times: int = 1

    def fault(self, later: int = 0) -> dict[str, object]:
        nth = self.nth + later
        fault = {"call": self.call, "nth": nth, "times": self.times, **KINDS[self.kind]}
        if self.call.startswith("slack:") and self.kind in SLACK_CODES:
            fault["code"] = SLACK_CODES[self.kind]
        return fault

    def __str__(self) -> str:
        return f"{self.call} #{self.nth} {self.kind}"


def rounds_of(cells: Sequence[Cell], *, together: int, ways: int) -> list[tuple[Cell, ...]]:
    """Dealt out so that a round has a call at most once and each of so many ways about as often."""
    if together == 1:
        return [(cell,) for cell in cells]
    most = max(Counter(cell.call for cell in cells).values())
    count = max(ceil(len(cells) / together), most)
    while gcd(count, ways) > 1:
        count += 1
    return [tuple(cells[first::count]) for first in range(min(count, len(cells)))]


def stretches(
    cells: Sequence[Cell], calls: Sequence[str], *, together: int
) -> list[tuple[Cell, ...]]:
    """Neighbours in the story share a play."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, call in enumerate(calls):
        places[call].append(place)
    line = sorted(cells, key=lambda cell: (places[cell.call][cell.nth - 1], cell.kind))
    return [tuple(line[first : first + together]) for first in range(0, len(line), together)]


def faults_of(cells: Sequence[Cell]) -> list[dict[str, object]]:
    """In the order of the story. A call that failed is made again: later faults count its attempts in."""
    before: Counter[str] = Counter()
    faults = []
    for cell in cells:
        faults.append(cell.fault(before[cell.call]))
        before[cell.call] += cell.times
    return faults


def spread(rounds: Sequence[Round], sample: int, offset: int) -> list[Round]:
    """By the golden ratio: even over all, and in step with none of their dimensions."""
    return [
        rounds[int(number * GOLDEN % 1 * len(rounds))] for number in range(offset, offset + sample)
    ]

"""The crash matrix: each kind of call that the bot sends, broken in each way, at several places of a story."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil, gcd
from multiprocessing import get_context
from typing import TypeVar

from sandbox.reliability.plays import PLOTS, End, Teller, with_faults
from sandbox.scenario.theatre import open_stage

KINDS: Mapping[str, Mapping[str, str]] = {
    "crash_before": {"kind": "crash_before"},
    "crash_after": {"kind": "crash_after"},
    "timeout": {"kind": "timeout"},
    "throttle": {"kind": "throttle"},
    "500": {"kind": "error", "code": "InternalFailure"},
    "denied": {"kind": "error", "code": "AccessDeniedException"},
}
SLACK_CODES = {"500": "internal_error", "denied": "missing_scope"}
TOGETHER = 16
"""Cells that one play breaks: a play takes seconds, and most of it is the way between the faults."""
GOLDEN = 0.6180339887498949
Round = TypeVar("Round")


@dataclass(frozen=True, order=True)
class Cell:
    """One call of one story, broken once in one way."""

    plot: str
    call: str
    nth: int
    kind: str

    def fault(self) -> dict[str, object]:
        fault = {"call": self.call, "nth": self.nth, **KINDS[self.kind]}
        if self.call.startswith("slack:") and self.kind in SLACK_CODES:
            fault["code"] = SLACK_CODES[self.kind]
        return fault

    def __str__(self) -> str:
        return f"{self.call} #{self.nth} {self.kind}"


@dataclass(frozen=True)
class Play:
    """One play with its faults, and whether all held; `why` says what did not.

    `missed` are faults that never came: how often a story asks AWS differs a little between plays.
    """

    cells: tuple[Cell, ...]
    outcome: str
    helped: bool
    why: str = ""
    missed: tuple[Cell, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.why

    def to_do_alone(self) -> tuple[Cell, ...]:
        return self.missed if self.holds else self.cells


class Matrix:
    """Plays each story once as it should go, then again and again with faults."""

    def __init__(self, *, tell: Callable[[str], None], together: int = TOGETHER) -> None:
        self._tell, self._together = tell, together
        self.cells = 0

    def play(self, *, sample: int | None = None, offset: int = 0) -> list[Play]:
        """All plays, or so many of them spread evenly, on all processors.

        Where a play with several faults does not hold, each of its faults is played alone too;
        so is each fault that a play missed.
        """
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            good = dict(zip(PLOTS, pool.map(untroubled, PLOTS), strict=True))
            rounds = []
            for plot, end in good.items():
                cells = list(cells_of(plot, end))
                self.cells += len(cells)
                rounds += rounds_of(cells, together=self._together)
            chosen = rounds if sample is None else spread(rounds, sample, offset)
            plays = list(self._told(pool.map(partial(troubled, good), chosen)))
            alone = [(cell,) for play in plays for cell in play.to_do_alone()]
            return plays + list(self._told(pool.map(partial(troubled, good), alone)))

    def _told(self, plays: Iterable[Play]) -> Iterator[Play]:
        for play in plays:
            self._tell(_line(play))
            yield play


def untroubled(plot: str) -> End:
    """How the story ends when nothing is broken."""
    with open_stage(PLOTS[plot].scenario()) as (stage, cases):
        return Teller(stage, cases).play(PLOTS[plot])


def troubled(good: Mapping[str, End], cells: tuple[Cell, ...]) -> Play:
    """The same story with these faults, held against how it should end."""
    plot = cells[0].plot
    faults = [cell.fault() for cell in cells]
    try:
        with open_stage(with_faults(PLOTS[plot].scenario(), faults)) as (stage, cases):
            end = Teller(stage, cases).play(PLOTS[plot])
            missed = set(stage.aws.faults.missed())
    except Exception as error:  # noqa: BLE001 - a play that breaks is a result
        return Play(cells, "none", helped=False, why=f"{type(error).__name__}: {error!s:.200}")
    why = "; ".join(_differences(end, good[plot]))
    left = tuple(cell for cell in cells if cell.call in missed)
    return Play(cells, str(end.outcome), helped=bool(end.stops), why=why, missed=left)


def cells_of(plot: str, end: End) -> Iterator[Cell]:
    """Every call that was sent, at its first, middle and last time, in every way."""
    for call, count in sorted(Counter(end.calls).items()):
        for nth in sorted({1, (count + 1) // 2, count}):
            for kind in KINDS:
                yield Cell(plot, call, nth, kind)


def rounds_of(cells: Sequence[Cell], *, together: int) -> list[tuple[Cell, ...]]:
    """Dealt out so that a round has a call at most once and each way about as often."""
    if together == 1:
        return [(cell,) for cell in cells]
    most = max(Counter(cell.call for cell in cells).values())
    count = max(ceil(len(cells) / together), most)
    while gcd(count, len(KINDS)) > 1:
        count += 1
    return [tuple(cells[first::count]) for first in range(min(count, len(cells)))]


def spread(rounds: Sequence[Round], sample: int, offset: int) -> list[Round]:
    """By the golden ratio: even over all, and in step with none of their dimensions."""
    return [
        rounds[int(number * GOLDEN % 1 * len(rounds))] for number in range(offset, offset + sample)
    ]


def _differences(end: End, good: End) -> Iterator[str]:
    if end.outcome != good.outcome:
        yield f"ended as {end.outcome}, not {good.outcome}: {end.reason}"
    if end.world != good.world:
        yield f"left {end.world}, not {good.world}"
    if end.twice:
        yield f"landed twice: {', '.join(end.twice)}"
    if not end.log_verified:
        yield "the log has a gap"
    if any(not reason.endswith(".") for reason in end.stops):
        yield "stopped without a sentence"


def _line(play: Play) -> str:
    verdict = "ok" if play.holds else f"BROKEN: {play.why}"
    again = " (people helped)" if play.helped else ""
    faults = ", ".join(map(str, play.cells))
    return f"{play.cells[0].plot:12} {play.outcome}{again} {verdict}  [{faults}]"

"""Plays stories with faults: each call that the bot sends, broken in each way, at several places of a story."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil, gcd
from multiprocessing import get_context
from typing import TypeVar

from chalicelib.domain.state.plan import Operation
from sandbox.reliability.plays import PLOTS, WAYS_BACK, End, Plot, Teller, with_faults
from sandbox.scenario.theatre import open_stage

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
TORN = ("cut", "dropped", "empty")
WRITES = frozenset(Operation) | {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:TransactWriteItems",
    "kms:GenerateMac",
    "states:StartExecution",
    "states:SendTaskSuccess",
    "slack:chat.postMessage",
    "slack:chat.postEphemeral",
    "slack:chat.update",
    "slack:views.open",
    "slack:views.update",
}
"""All else that the bot sends only reads."""
ATTEMPTS = 4
"""botocore's, of a read: a fault of one of them is over before the bot hears of it."""
ALL_PLOTS: Mapping[str, Plot] = PLOTS | WAYS_BACK
GOLDEN = 0.6180339887498949
Round = TypeVar("Round")


@dataclass(frozen=True, order=True)
class Cell:
    """One call of one story, broken in one way, so many times in a row."""

    plot: str
    call: str
    nth: int
    kind: str
    times: int = 1

    def fault(self) -> dict[str, object]:
        fault = {"call": self.call, "nth": self.nth, "times": self.times, **KINDS[self.kind]}
        if self.call.startswith("slack:") and self.kind in SLACK_CODES:
            fault["code"] = SLACK_CODES[self.kind]
        return fault

    def __str__(self) -> str:
        return f"{self.call} #{self.nth} {self.kind}"


def first_middle_last(count: int) -> Iterable[int]:
    return sorted({1, (count + 1) // 2, count})


def each(count: int) -> Iterable[int]:
    return range(1, count + 1)


@dataclass(frozen=True)
class Design:
    """What a matrix breaks, in which stories, how, and how many faults share a play.

    `people_help`: a play holds also where somebody has to press Try again, or to agree afresh.
    """

    plots: Sequence[str]
    kinds: Sequence[str]
    moments: Callable[[int], Iterable[int]]
    together: int
    people_help: bool = False
    reads_alone: bool = False
    times: int = 1

    def cells(self, plot: str, end: End) -> Iterator[Cell]:
        """Every call that was sent, at these of its times, in every way."""
        for call, count in sorted(Counter(end.calls).items()):
            if self.reads_alone and call in WRITES:
                continue
            for nth in self.moments(count):
                for kind in self.kinds:
                    yield Cell(plot, call, nth, kind, self.times)


CRASHES = Design(
    plots=tuple(PLOTS),
    kinds=tuple(kind for kind in KINDS if kind not in TORN),
    moments=first_middle_last,
    # A play takes seconds, and most of it is the way between the faults.
    together=16,
    people_help=True,
)
READS = Design(
    plots=tuple(ALL_PLOTS),
    kinds=(*TORN, "throttle", "500"),
    moments=each,
    together=6,
    reads_alone=True,
    times=ATTEMPTS,
)
TRANSIENT = Design(
    plots=tuple(ALL_PLOTS),
    kinds=tuple(kind for kind in KINDS if kind != "denied"),
    moments=each,
    together=1,
)


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
        """None of a play of one fault: played again it would be no other."""
        if len(self.cells) == 1:
            return ()
        return self.missed if self.holds else self.cells


class Matrix:
    """Plays each story once as it should go, then again and again with faults."""

    def __init__(self, design: Design, *, tell: Callable[[str], None]) -> None:
        self.design, self._tell = design, tell
        self.cells = 0

    def play(
        self, *, sample: int | None = None, offset: int = 0, seed: int | None = None
    ) -> list[Play]:
        """All plays, or so many of them, on all processors: spread evenly, or drawn with the seed.

        Where a play with several faults does not hold, each of its faults is played alone too;
        so is each fault that a play missed.
        """
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            plots = self.design.plots
            good = dict(zip(plots, pool.map(untroubled, plots), strict=True))
            chosen = self._chosen(good, sample, offset=offset, seed=seed)
            act = partial(troubled, good, people_help=self.design.people_help)
            plays = list(self._told(pool.map(act, chosen)))
            alone = [(cell,) for play in plays for cell in play.to_do_alone()]
            return plays + list(self._told(pool.map(act, alone)))

    def _chosen(
        self, good: Mapping[str, End], sample: int | None, *, offset: int, seed: int | None
    ) -> list[tuple[Cell, ...]]:
        rounds = []
        for plot, end in good.items():
            cells = list(self.design.cells(plot, end))
            self.cells += len(cells)
            rounds += rounds_of(cells, together=self.design.together, ways=len(self.design.kinds))
        if sample is None:
            return rounds
        if seed is not None:
            return random.Random(seed).sample(rounds, min(sample, len(rounds)))  # no secret
        return spread(rounds, sample, offset)

    def _told(self, plays: Iterable[Play]) -> Iterator[Play]:
        for play in plays:
            self._tell(_line(play))
            yield play


def untroubled(plot: str) -> End:
    """How the story ends when nothing is broken."""
    with open_stage(ALL_PLOTS[plot].scenario()) as (stage, cases):
        return Teller(stage, cases).play(ALL_PLOTS[plot])


def troubled(good: Mapping[str, End], cells: tuple[Cell, ...], *, people_help: bool) -> Play:
    """The same story with these faults, held against how it should end."""
    plot = cells[0].plot
    faults = [cell.fault() for cell in cells]
    try:
        with open_stage(with_faults(ALL_PLOTS[plot].scenario(), faults)) as (stage, cases):
            end = Teller(stage, cases).play(ALL_PLOTS[plot])
            missed = set(stage.aws.faults.missed())
    except Exception as error:  # noqa: BLE001 - a play that breaks is a result
        return Play(cells, "none", helped=False, why=f"{type(error).__name__}: {error!s:.200}")
    differ = [*_differences(end, good[plot])]
    differ += [] if people_help or not end.stops else [f"needed people: {end.stops[0]}"]
    left = tuple(cell for cell in cells if cell.call in missed)
    return Play(cells, str(end.outcome), bool(end.stops), "; ".join(differ), left)


def rounds_of(cells: Sequence[Cell], *, together: int, ways: int) -> list[tuple[Cell, ...]]:
    """Dealt out so that a round has a call at most once and each of so many ways about as often."""
    if together == 1:
        return [(cell,) for cell in cells]
    most = max(Counter(cell.call for cell in cells).values())
    count = max(ceil(len(cells) / together), most)
    while gcd(count, ways) > 1:
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
    if more := Counter(end.final) - Counter(good.final):
        yield f"did more: {', '.join(sorted(more))}"
    if not end.log_verified:
        yield "the log has a gap"
    if any(not reason.endswith(".") for reason in end.stops):
        yield "stopped without a sentence"


def _line(play: Play) -> str:
    verdict = "ok" if play.holds else f"BROKEN: {play.why}"
    again = " (people helped)" if play.helped else ""
    faults = ", ".join(map(str, play.cells))
    return f"{play.cells[0].plot:14} {play.outcome}{again} {verdict}  [{faults}]"

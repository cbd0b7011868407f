"""The crash matrix: each kind of call that the bot sends, broken in each way, at several places of a story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.reliability.plays import PLOTS, End, Teller, with_fault
from sandbox.scenario.theatre import open_stage

KINDS: Mapping[str, Mapping[str, str]] = {
    "crash_before": {"kind": "crash_before"},
    "crash_after": {"kind": "crash_after"},
    "timeout": {"kind": "timeout"},
    "throttle": {"kind": "throttle"},
    "500": {"kind": "error", "code": "InternalFailure"},
    "denied": {"kind": "error", "code": "AccessDeniedException"},
}

GOLDEN = 0.6180339887498949
Cell = tuple[str, str, int, str]


@dataclass(frozen=True)
class Play:
    """One play with one fault, and whether all held; `why` says what did not."""

    plot: str
    call: str
    nth: int
    kind: str
    outcome: str
    stopped: bool
    why: str = ""

    @property
    def holds(self) -> bool:
        return not self.why


class Matrix:
    """Plays each plot once as it should go, then again and again with one fault."""

    def __init__(self, *, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.cells = 0

    def play(self, *, sample: int | None = None, offset: int = 0) -> list[Play]:
        """All plays, or so many of them spread evenly."""
        good = {name: self._untroubled(name) for name in PLOTS}
        cells = [cell for name, end in good.items() for cell in cells_of(name, end)]
        self.cells = len(cells)
        chosen = cells if sample is None else spread(cells, sample, offset)
        plays = []
        for plot, call, nth, kind in chosen:
            play = self._troubled(plot, call, nth, kind, good[plot])
            self._tell(_line(play))
            plays.append(play)
        return plays

    def _untroubled(self, plot: str) -> End:
        with open_stage(PLOTS[plot].scenario()) as (stage, cases):
            return Teller(stage, cases).play(PLOTS[plot])

    def _troubled(self, plot: str, call: str, nth: int, kind: str, good: End) -> Play:
        fault = {"call": call, "nth": nth, **KINDS[kind]}
        try:
            with open_stage(with_fault(PLOTS[plot].scenario(), fault)) as (stage, cases):
                end = Teller(stage, cases).play(PLOTS[plot])
        except Exception as error:  # noqa: BLE001 - a play that breaks is a result
            why = f"{type(error).__name__}: {error!s:.200}"
            return Play(plot, call, nth, kind, "none", stopped=False, why=why)
        why = "; ".join(_differences(end, good))
        return Play(plot, call, nth, kind, str(end.outcome), stopped=bool(end.stops), why=why)


def cells_of(plot: str, end: End) -> Iterator[Cell]:
    """Every call that was sent, at its first, middle and last time, in every way."""
    for call, count in sorted(Counter(end.calls).items()):
        for nth in sorted({1, (count + 1) // 2, count}):
            for kind in KINDS:
                yield plot, call, nth, kind


def spread(cells: Sequence[Cell], sample: int, offset: int) -> list[Cell]:
    """Each story in each way in turn; which call, and when, goes by the golden ratio."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell[0], cell[3]), []).append(cell)
    turns = list(groups.values())
    chosen = []
    for number in range(offset, offset + sample):
        group = turns[number % len(turns)]
        chosen.append(group[int(number * GOLDEN % 1 * len(group))])
    return chosen


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
    again = " (people helped)" if play.stopped else ""
    where = f"{play.plot:12} {play.call:36} #{play.nth:<4} {play.kind:13}"
    return f"{where} {play.outcome}{again} {verdict}"

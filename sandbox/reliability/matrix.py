"""Plays stories with faults: each call that the bot sends, broken in each way, at several places of a story."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.domain.state.plan import Operation
from sandbox.reliability.cells import KINDS, Cell, faults_of, rounds_of, spread, stretches
from sandbox.reliability.plays import OFTEN, End, Teller, with_faults
from sandbox.reliability.stories import STORIES, WAYS_BACK, Story
from sandbox.reliability.workers import workers
from sandbox.scenario.scenario_sandbox import open_sandbox

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
"""botocore's, of a read: a fault of one of them is over before the bot hears of it. Of Slack's none is."""
ALL_STORIES: Mapping[str, Story] = STORIES | WAYS_BACK
ALONE = 600
"""Seconds more for the faults that have to be played alone, if the time is limited."""


def first_middle_last(count: int) -> Iterable[int]:
    return sorted({1, (count + 1) // 2, count})


def each(count: int) -> Iterable[int]:
    return range(1, count + 1)


@dataclass(frozen=True)
class Design:
    """What a matrix breaks, in which stories, how, and how many faults share a play.

    `people_help`: a play holds also if somebody has to press Try again, or to agree afresh.
    `sweeps`: how often the bot looks for what was lost, once people have acted; half the moments of a week
    that waits would be sweeps.
    `in_stretches`: the faults of a play lie side by side. Each failed turn is taken again, so faults
    that are far apart would push the later ones away from the moments that they are meant for.
    """

    stories: Sequence[str]
    kinds: Sequence[str]
    moments: Callable[[int], Iterable[int]]
    together: int
    people_help: bool = False
    reads_alone: bool = False
    in_stretches: bool = False
    times: int = 1
    sweeps: str = OFTEN

    def cells(self, story: str, end: End) -> Iterator[Cell]:
        """Every call that was sent, at these of its times, in every way."""
        for call, count in sorted(Counter(end.calls).items()):
            if self.reads_alone and call in WRITES:
                continue
            for nth in self.moments(count):
                for kind in self.kinds:
                    times = 1 if call.startswith("slack:") else self.times
                    yield Cell(story, call, nth, kind, times)

    def rounds(self, story: str, end: End) -> list[tuple[Cell, ...]]:
        """All cells of a story, dealt out to plays."""
        cells = list(self.cells(story, end))
        if self.in_stretches:
            return stretches(cells, end.calls, together=self.together)
        return rounds_of(cells, together=self.together, ways=len(self.kinds))


CRASHES = Design(
    stories=tuple(STORIES),
    kinds=tuple(kind for kind in KINDS if kind not in TORN),
    moments=first_middle_last,
    # A play takes seconds, and most of it is the way between the faults.
    together=16,
    people_help=True,
)
READS = Design(
    stories=tuple(ALL_STORIES),
    kinds=(*TORN, "throttle", "500"),
    moments=each,
    together=16,
    reads_alone=True,
    in_stretches=True,
    times=ATTEMPTS,
    sweeps="1 day",
)
TRANSIENT = Design(
    stories=tuple(ALL_STORIES),
    kinds=tuple(kind for kind in KINDS if kind != "denied"),
    moments=each,
    together=1,
    sweeps="1 day",
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


@dataclass(frozen=True)
class Chosen:
    """Which plays of a matrix: all, so many, or those that fit some minutes; in so many processes."""

    sample: int | None = None
    offset: int = 0
    seed: int | None = None
    minutes: int = 0
    jobs: int = 0


class Matrix:
    """Plays each story once as it should go, then again and again with faults."""

    def __init__(self, design: Design, *, tell: Callable[[str], None]) -> None:
        self.design, self._tell = design, tell
        self.cells = 0

    def play(self, chosen: Chosen) -> list[Play]:
        """All plays, or so many of them, on all processors: spread evenly, or drawn with the seed.

        If a play with several faults does not hold, each of its faults is played alone too;
        so is each fault that a play missed.
        """
        until = time.monotonic() + 60 * chosen.minutes if chosen.minutes else None
        with workers(chosen.jobs) as pool:
            stories, sweeps = self.design.stories, self.design.sweeps
            tell = partial(untroubled, sweeps=sweeps)
            good = dict(zip(stories, pool.map(tell, stories), strict=True))
            rounds = self._chosen(good, chosen)
            act = partial(troubled, good, people_help=self.design.people_help, sweeps=sweeps)
            plays = list(self._told(pool.map(act, rounds), until))
            alone = [(cell,) for play in plays for cell in play.to_do_alone()]
            return plays + list(self._told(pool.map(act, alone), until and until + ALONE))

    def _chosen(self, good: Mapping[str, End], chosen: Chosen) -> list[tuple[Cell, ...]]:
        rounds = []
        for story, end in good.items():
            self.cells += len(list(self.design.cells(story, end)))
            rounds += self.design.rounds(story, end)
        sample = chosen.sample
        if chosen.seed is not None or chosen.minutes:
            wanted = min(len(rounds) if sample is None else sample, len(rounds))
            return random.Random(chosen.seed).sample(rounds, wanted)  # no secret
        return rounds if sample is None else spread(rounds, sample, chosen.offset)

    def _told(self, plays: Iterator[Play], until: float | None = None) -> Iterator[Play]:
        """Each as it ends. Once the time is over, no further one begins."""
        for play in plays:
            self._tell(_line(play))
            yield play
            if until is not None and time.monotonic() > until:
                return


def untroubled(story: str, *, sweeps: str = OFTEN) -> End:
    """How the story ends when nothing is broken."""
    with open_sandbox(ALL_STORIES[story].scenario()) as (sandbox, cases):
        return Teller(sandbox, cases).play(ALL_STORIES[story], sweeps=sweeps)


def troubled(
    good: Mapping[str, End], cells: tuple[Cell, ...], *, people_help: bool, sweeps: str = OFTEN
) -> Play:
    """The same story with these faults, held against how it should end."""
    story = cells[0].story
    faults = faults_of(cells)
    try:
        with open_sandbox(with_faults(ALL_STORIES[story].scenario(), faults)) as (sandbox, cases):
            end = Teller(sandbox, cases).play(ALL_STORIES[story], sweeps=sweeps)
            missed = set(sandbox.aws.faults.missed())
    except Exception as error:  # noqa: BLE001 - a play that breaks is a result
        return Play(cells, "none", helped=False, why=f"{type(error).__name__}: {error!s:.200}")
    differ = [*differences(end, good[story])]
    differ += [] if people_help or not end.stops else [f"needed people: {end.stops[0]}"]
    pairs = zip(cells, faults, strict=True)
    left = tuple(cell for cell, fault in pairs if (fault["call"], fault["nth"]) in missed)
    return Play(cells, str(end.outcome), bool(end.stops), "; ".join(differ), left)


def differences(end: End, good: End) -> Iterator[str]:
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
    return f"{play.cells[0].story:14} {play.outcome}{again} {verdict}  [{faults}]"

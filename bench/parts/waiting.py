"""Waiting: how long AWS is ready before the next call is made, over whole retirements on a model's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from bench.row import Row
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.polling import SOON
from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import Change, Durations, SimulatedAws
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.flows.open_case import open_case
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import key, world
from tests.flows.stand import INBOX_SEAL, Stand

QUIET_MINUTES = 5
ZERO, MINUTE = timedelta(0), timedelta(minutes=1)


class Watched(SimulatedAws):
    """A model that remembers when each of its transitions ends."""

    def __init__(self, snapshot: Snapshot, durations: Durations) -> None:
        self.ends: list[datetime] = []
        super().__init__(snapshot, durations)

    def call(self, step: Call, target: str, now: datetime) -> None:
        if step.operation is Operation.SCHEDULE_KEY_DELETION:
            self.ends.append(now + timedelta(days=step.window_days))
        super().call(step, target, now)

    def _later(self, what: str, when: datetime, change: Change) -> None:
        self.ends.append(when)
        super()._later(what, when, change)


@dataclass
class Waited:
    """Sums over one retirement. `late` is ours; `quiet` is a step of the plan; the rest is AWS's own."""

    aws: timedelta = ZERO
    quiet: timedelta = ZERO
    late: timedelta = ZERO
    polls: int = 0
    looks: int = 0
    intervals: list[tuple[str, timedelta]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return self.late / self.aws


def retired(keys: int, durations: Durations, *, window_days: int = 30) -> Waited:
    """A retirement with two approvers at once; the first call is the start, the last one the end."""
    bench = Stand(
        world(*map(key, range(keys))),
        store=DynamoCases(MemoryTable(), INBOX_SEAL),
        pending_window_days=window_days,
    )
    model = bench.aws.model = Watched(bench.aws.model.world, durations)
    opened = open_case(bench.ports, bench.failed())
    assert opened, "the hub's own account is served"
    bench.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for who in ("alice", "bob"):
        bench.approve(who, "retire", opened.case_id)
    waited, calls = Waited(), _Calls(bench)
    looks, look = bench.aws.looks, bench.aws.snapshot

    def counted(case: Case, *, now: datetime) -> Snapshot:
        seen = look(case, now=now)
        waited.polls += bool(seen.key_stores) and bool(calls.made)
        return seen

    bench.aws.snapshot = counted  # type: ignore[method-assign]  # counted on the way
    bench.run(opened.case_id, until=lambda case: case.is_closed, most=2_000)
    waited.looks = bench.aws.looks - looks
    _sum(waited, calls.made, model)
    return waited


class _Calls:
    """Every mutation that landed, with its time and the quiet time that had begun by then."""

    def __init__(self, bench: Stand) -> None:
        self.made: list[tuple[str, datetime]] = []
        bench.aws.after = self._note
        self._clock: Callable[[], datetime] = bench.clock

    def _note(self, step: Call, _: str) -> None:
        self.made.append((str(step.operation), self._clock()))


def _sum(waited: Waited, made: list[tuple[str, datetime]], model: Watched) -> None:
    for (_, before), (name, at) in pairwise(made):
        aws = max((end for end in model.ends if before < end <= at), default=before) - before
        asked = "DeleteCustomKeyStore" in name
        quiet = min(timedelta(minutes=QUIET_MINUTES + 1), at - before - aws) if asked else ZERO
        late = at - before - aws - quiet
        waited.aws, waited.quiet, waited.late = (
            waited.aws + aws,
            waited.quiet + quiet,
            waited.late + late,
        )
        waited.intervals.append((name, late))


GRID = (2, 5, 9, 14, 20)
"""Minutes that a disconnection or the deletion of an HSM may take."""


def rows() -> list[Row]:
    usual, held = retired(0, Durations()), retired(3, Durations())
    week = retired(3, Durations(), window_days=7)
    return [_late(usual, held), _polls(usual, week, held)]


def _late(usual: Waited, held: Waited) -> Row:
    ratios = sorted(
        retired(
            0, Durations(disconnect=timedelta(minutes=a), delete_hsm=timedelta(minutes=b))
        ).ratio
        for a in GRID
        for b in GRID
    )
    return Row(
        "Waiting: AWS ready and the next call not yet made, summed over a retirement",
        "AWS’s own durations in it",
        100 * usual.ratio,
        5,
        unit="%",
        how=(
            f"An empty store, AWS taking {_minutes(usual.aws)} in all: {usual.late.seconds} s of "
            f"waiting beside it. The quiet time before the HSMs go ({_minutes(usual.quiet)}) is a "
            f"step of the plan, a setting, and counts to neither. Over {len(ratios)} retirements "
            f"in which a disconnection and an HSM take {GRID[0]} to {GRID[-1]} minutes each: "
            f"median {ratios[len(ratios) // 2]:.1%}, worst {ratios[-1]:.1%}. With keys, AWS's own "
            f"time is the window of 7 to 30 days and the share vanishes: {held.ratio:.4%}."
        ),
        limit=_limit(usual),
    )


def _limit(usual: Waited) -> str:
    sure = [late for _, late in usual.intervals if late >= MINUTE]
    rest = (usual.late - len(sure) * MINUTE) / usual.aws
    return (
        f"{len(sure)} of its {len(usual.intervals)} waits are the minute between the two whole looks after which "
        f"something counts as gone: safety, not slowness. Without them it is {rest:.1%}: polls "
        f"are {SOON} s apart at least, which is what the goal for the cost of a case allows."
    )


def _polls(usual: Waited, week: Waited, held: Waited) -> Row:
    return Row(
        "Key-store polls of a retirement with the longest window, 30 days",
        "–",
        held.polls,
        40,
        unit="looks",
        how=(
            f"An empty store: {usual.polls}. Keys with a window of 7 days: {week.polls}; of 30 "
            f"days, the default: {held.polls}. All looks from the approval on: {usual.looks}, "
            f"{week.looks} and {held.looks}."
        ),
        limit=(
            "The polls of AWS's own transitions are few; what counts here are the looks days "
            "apart for as long as the keys wait (`domain/rules/polling.py`)."
        ),
    )


def _minutes(delta: timedelta) -> str:
    return f"{delta.total_seconds() / 60:.0f} minutes"

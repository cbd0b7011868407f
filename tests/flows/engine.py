"""Plays Step Functions, Lambda's retries, the schedule and people around the flows, on the stand's clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.answers import Answer
from chalicelib.domain.state.case import Case
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.sleep import sleep
from chalicelib.flows.sweep import Swept, sweep
from chalicelib.flows.take_turn import TURNS_A_RUN, take_turn
from chalicelib.ports import CaseTrigger
from tests.flows.answers import private
from tests.flows.stand import MOST_RETRIES, Stand

HOUR = timedelta(hours=1)
AGAIN = ("once more", "AWS refused")
"""Words of an answer that asks for another click."""


class Died(BaseException):
    """The function's process is gone, at this very line."""


@dataclass
class Run:
    """One execution of the state machine: due now or later, or parked on a token until its deadline."""

    case_id: str
    generation: int
    due: datetime
    status: str = "RUNNING"
    token: str = ""
    failures: int = 0
    turns: int = 0
    waited: list[int] = field(default_factory=list, repr=False)


class Engine:
    """The stand's runs come alive. `restart` is called after a death: a new process begins."""

    def __init__(self, stand: Stand, *, turns_a_run: int = TURNS_A_RUN) -> None:
        self.stand, self.turns_a_run = stand, turns_a_run
        self.runs: dict[tuple[str, int], Run] = {}
        self.next_sweep = stand.clock.now + HOUR
        self.later: list[tuple[datetime, Callable[[], object]]] = []
        self.swept: list[Swept] = []
        self.surprises: list[str] = []
        self.restart: Callable[[], None] = lambda: None
        self._tokens = itertools.count(1)
        self._early: set[str] = set()
        stand.runs.on_start = self._start
        stand.runs.on_wake = self._wake
        stand.runs.alive = self._is_alive

    def _start(self, case_id: str, generation: int) -> None:
        name = (case_id, generation)
        if name not in self.runs:
            self.runs[name] = Run(case_id, generation, self.stand.clock.now)

    def _wake(self, token: str) -> None:
        self._early.add(token)
        for run in self.runs.values():
            if run.status == "RUNNING" and run.token == token:
                run.due, run.token = self.stand.clock.now, ""

    def _is_alive(self, case_id: str, generation: int) -> bool:
        run = self.runs.get((case_id, generation))
        return run is not None and run.status == "RUNNING"

    @property
    def living(self) -> list[Run]:
        return [run for run in self.runs.values() if run.status == "RUNNING"]

    def deliver(self, failed: CaseTrigger, *, tries: int = 3) -> None:
        """The event function; Lambda tries an asynchronous event twice more."""

        def again() -> None:
            self.deliver(failed, tries=tries - 1)

        if self._survives(lambda: (open_case(self.stand.ports, failed),)) is None and tries > 1:
            self.later.append((self.stand.clock.now + timedelta(minutes=1), again))

    def person(self, click: Callable[[], Answer], *, patience: int = 6) -> Answer | None:
        """Clicks again half a minute later if the first click had no answer, or none that counts."""
        for _ in range(patience):
            if (answer := self._survives(click)) is not None:
                assert isinstance(answer, Answer)
                if not any(words in private(answer) for words in AGAIN):
                    return answer
            self.stand.clock.now += timedelta(seconds=30)
        return None

    def _survives(self, function: Callable[[], object]) -> object:
        """What the function gives back; None if it failed, as Lambda reports it."""
        try:
            return function()
        except (Died, TemporaryError, PermanentError, ConflictError, RuntimeError):
            self.restart()
        except Exception as surprise:  # noqa: BLE001  # a defect: told at the end of the test
            self.surprises.append(repr(surprise))
            self.restart()
        return None

    def step(self) -> None:
        """What is due next, when it is due."""
        due = [run.due for run in self.living] + [when for when, _ in self.later]
        now = min([*due, self.next_sweep])
        self.stand.clock.now = max(now, self.stand.clock.now)
        for item in [item for item in self.later if item[0] <= self.stand.clock.now]:
            self.later.remove(item)
            item[1]()
        if self.next_sweep <= self.stand.clock.now:
            self.next_sweep = self.stand.clock.now + HOUR
            swept = self._survives(lambda: sweep(self.stand.ports))
            self.swept += [swept] if isinstance(swept, Swept) else []
        for run in self.living:
            if run.due <= self.stand.clock.now:
                self._turn(run)

    def _turn(self, run: Run) -> None:
        run.token = ""
        if not self._survives(lambda: self._take_turn(run)):
            run.failures += 1
            run.due = self.stand.clock.now + timedelta(seconds=min(2**run.failures, 60))
            run.status = "FAILED" if run.failures > MOST_RETRIES else "RUNNING"
            return
        run.failures = 0

    def _take_turn(self, run: Run) -> bool:
        case_id, now = run.case_id, self.stand.clock.now
        name = (case_id, run.generation)
        turn = take_turn(
            self.stand.ports,
            *name,
            given=self.stand.runs.bodies[name],
            attempt=run.failures,
            turns_a_run=self.turns_a_run,
        )
        self.stand.runs.bodies[name] = turn.body
        run.turns += 1
        if turn.finished:
            run.status = "SUCCEEDED"
            return True
        token = f"token-{next(self._tokens)}"
        sleep(self.stand.ports, case_id, version=turn.version, token=token)
        run.waited.append(turn.wait_seconds)
        woken = token in self._early
        run.token = "" if woken else token
        run.due = now if woken else now + timedelta(seconds=turn.wait_seconds)
        return True

    def go(self, *, until: Callable[[], bool], days: int = 60, steps: int = 5_000) -> None:
        """Steps until this holds; fails if it does not in time."""
        end = self.stand.clock.now + timedelta(days=days)
        for _ in range(steps):
            if until():
                return
            if self.stand.clock.now > end:
                break
            self.step()
        last = list(self.runs.values())[-2:]
        raise AssertionError(f"never came: {last}")

    def case(self, case_id: str) -> Case:
        return self.stand.stored.load(case_id)


def asked(it: Stand) -> tuple[Engine, str]:
    """A failed delete, until its message is posted; the case’s id."""
    engine = Engine(it)
    engine.deliver(it.failed())
    (case_id, _), *_ = it.runs.started
    engine.go(until=lambda: bool(it.case(case_id).message.ts))
    return engine, case_id


def approved(it: Stand, remedy: str = "retire") -> tuple[Engine, str]:
    """The same, and two people have said yes."""
    engine, case_id = asked(it)
    for who in ("alice", "bob"):
        it.approve(who, remedy, case_id)
    return engine, case_id

"""One case told on the fast stand: its runs, its people, its world, all of which can be put back to any moment."""

from __future__ import annotations

import copy
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.store.cases import NoCaseError
from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import SimulatedAws
from chalicelib.domain.state.caller import Tool, caller_of
from chalicelib.domain.state.case import Attempt, Case
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import ConflictError, PermanentError, SupersededError, TemporaryError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.record_click import record_click
from chalicelib.flows.sleep import sleep
from chalicelib.flows.sweep import sweep
from chalicelib.flows.take_turn import take_turn
from chalicelib.ports import CaseTrigger, Interaction, Receipt
from sandbox.reliability.stand import HUB, QUICK, REGION, Stand

CI = caller_of(
    arn=f"arn:aws:sts::{HUB}:assumed-role/deploy-ci/ci", kind="AssumedRole", tool=Tool.TERRAFORM
)
MOST_RETRIES = 15
"""Of a turn, as in infra/case.asl.json."""
MOST_STEPS = 400
Items = dict[tuple[str, str], dict[str, Any]]
Name = tuple[str, int]


@dataclass(frozen=True)
class Deed:
    """What a person does once this holds of the case: a remedy's dialog is sent, all else is pressed."""

    by: str
    button: str
    when: Callable[[Case], bool]


@dataclass
class Run:
    """An execution of the state machine: what it remembers, and whether it goes on."""

    body: str
    status: str = "RUNNING"


@dataclass(frozen=True)
class State:
    """Everything, at one moment."""

    items: Items
    runs: Mapping[Name, Run]
    world: Snapshot
    due: Mapping[str, Any]
    now: datetime
    deeds: int


@dataclass
class Runs:
    """Step Functions as far as the flows ask for it; nothing in the table reaches what it remembers."""

    known: dict[Name, Run] = field(default_factory=dict)

    def start(self, case_id: str, generation: int, *, body: str = "") -> bool:
        if (case_id, generation) in self.known:
            return False
        self.known[case_id, generation] = Run(body)
        return True

    def wake(self, token: str) -> None:
        """Nobody sleeps here: the next turn comes when the case goes on."""

    def is_alive(self, case_id: str, generation: int) -> bool:
        run = self.known.get((case_id, generation))
        return run is not None and run.status == "RUNNING"

    def remembered(self, case_id: str, generation: int) -> str | None:
        run = self.known.get((case_id, generation))
        return run.body if run else None


class NoTrail:
    """CloudTrail, which has nothing to tell."""

    def calls(self, *_: object, **__: object) -> tuple[()]:
        return ()

    def failed_uses(self, *_: object, **__: object) -> Iterator[tuple[str, tuple[()]]]:
        return iter(())


class FastCase:
    """Steps of one case: what is due next, be it somebody's deed or a turn of each living run."""

    def __init__(
        self, world: Snapshot, deeds: Sequence[Deed], heard: Attempt | None = None
    ) -> None:
        """`heard` is the call that opens the case; if none is given, CI's refused DeleteCluster."""
        self._stand = Stand()
        self._stand.aws.model = SimulatedAws(world, QUICK)
        self.deeds, self.done, self.turns = deeds, 0, 0
        self.items_are_back = False
        self.runs, self.counted = Runs(), Counter[str]()
        self.landed: list[tuple[Operation, str, str]] = []
        """Each call that was made: what it does, to what, and on which other cluster if on one."""
        self.surprises: list[str] = []
        self.ports = replace(
            self._stand.ports,
            runs=self.runs,
            actions=self,
            trail=NoTrail(),
            count=lambda name, value: self.counted.update({name: value}),
        )
        attempt = heard or Attempt(f"event-{world.cluster_id}", self.now, "InUse", CI)
        opened = open_case(self.ports, CaseTrigger(HUB, REGION, world.cluster_id, attempt))
        assert opened is not None, "the hub is served"
        self.case_id = opened.case_id

    @property
    def now(self) -> datetime:
        return self._stand.aws.now

    @property
    def items(self) -> Items:
        """The table's, as anybody may write them who has the right."""
        return self._stand.table.items

    @property
    def case(self) -> Case:
        return self._stand.cases.load(self.case_id)

    @property
    def world(self) -> Snapshot:
        return self._stand.aws.model.at(self.now)

    @property
    def living(self) -> list[Name]:
        return [name for name, run in self.runs.known.items() if run.status == "RUNNING"]

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        """An AWS call, noted."""
        self.landed.append((step.operation, target, step.to_cluster))
        return self._stand.aws.perform(step, target, case=case)

    def state(self) -> State:
        model = self._stand.aws.model
        known = copy.deepcopy(self.runs.known)
        return State(
            copy.deepcopy(self.items), known, model.world, dict(model.due), self.now, self.done
        )

    def back_to(self, state: State) -> None:
        model = self._stand.aws.model
        self._stand.aws.now, self.done = state.now, state.deeds
        model.world, model.due = state.world, dict(state.due)
        self.runs.known = copy.deepcopy(dict(state.runs))
        self.put(state.items)
        self.counted.clear()
        self.landed.clear()
        self.surprises.clear()
        self.turns = 0

    def put(self, items: Items) -> None:
        """All that the table holds is this."""
        self.items.clear()
        self.items.update(copy.deepcopy(items))

    def step(self) -> bool:
        """The next deed, or a turn of each living run; False once nothing is left to do."""
        if self.do_next():
            return True
        if not self.living:
            return False
        self.take_turns()
        return True

    def do_next(self) -> bool:
        """The next deed if its time has come; its click may find a case that can't be read."""
        if self.done == len(self.deeds):
            return False
        deed = self.deeds[self.done]
        with self._noted(), suppress(NoCaseError, PermanentError, TemporaryError, ConflictError):
            if not deed.when(self.case):
                return False
            self.do(deed)
        self.done += 1
        return True

    def do(self, deed: Deed) -> None:
        plan = self.case.offer(Remedy(deed.button)) if deed.button in set(Remedy) else None
        given = {"cluster_id": self.case.cluster_id, "reason": "not needed any more"}
        given |= {"override": "in_use", "unproven": "unproven"} if plan else {}
        record_click(
            self.ports,
            Interaction(
                "submission" if plan else "button",
                deed.by,
                "T0LOCAL",
                "C0UNLATCH",
                "decide" if plan else deed.button,
                self.case_id,
                remedy=deed.button if plan else "",
                plan_hash=plan.plan_hash if plan else "",
                values=given,
                trigger_id="trigger",
            ),
        )

    def take_turns(self) -> None:
        """Of each living run one, with its tries, and then the time until the next."""
        waits = [self._turn(name) for name in self.living]
        self._stand.aws.now += timedelta(seconds=min(waits, default=60))

    def _turn(self, name: Name) -> int:
        self.turns += 1
        run = self.runs.known[name]
        for attempt in range(MOST_RETRIES + 1):
            with (
                self._noted(),
                suppress(SupersededError, ConflictError, PermanentError, TemporaryError),
            ):
                turn = take_turn(self.ports, *name, given=run.body, attempt=attempt)
                run.body, run.status = turn.body, "SUCCEEDED" if turn.finished else run.status
                if not turn.finished:
                    sleep(self.ports, name[0], version=turn.version, token=f"token-{self.turns}")
                return turn.wait_seconds
        self.counted["RunFailed"] += 1
        run.status = "FAILED"
        return 60

    def sweep(self) -> None:
        """The schedule: what has died is started again."""
        with self._noted():
            sweep(self.ports)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """A defect ends the function, as in Lambda, and is told."""
        try:
            yield
        except Exception as surprise:  # noqa: BLE001  # what breaks is a result
            where = traceback.extract_tb(surprise.__traceback__)[-1]
            self.surprises.append(f"{surprise!r:.150} in {where.name}")

    def to_the_end(self) -> None:
        for _ in range(MOST_STEPS):
            if not self.step():
                return
        raise AssertionError(f"no end after {MOST_STEPS} steps: {self.case.waiting_for}")

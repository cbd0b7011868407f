"""Where the newest state machine run stands, read from the interpreter. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from sandbox.clock import Clock


@dataclass(frozen=True)
class RunNow:
    """`state` is a name of the state machine; `wakes_at` if the run sleeps until then."""

    name: str
    status: str
    state: str
    wakes_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def label(self) -> str:
        """What the page calls the state; runs of before call their sleep by a remedy's name."""
        return "Sleep" if self.state == "Park" else self.state

    @property
    def case_id(self) -> str:
        """A run is named case id-generation."""
        return self.name.rpartition("-")[0]


def newest_run(clock: Clock, *, account: str, region: str) -> RunNow | None:
    machines = stepfunctions_parser_backends[account][region].state_machines
    # those of the backend that plays the runs know more than moto's stubs say
    executions: list[Any] = [run for machine in machines for run in machine.executions]
    if not executions:
        return None
    run = executions[-1]
    state = "Done"
    if run.status == "RUNNING":
        state = run.exec_worker.env.next_state_name or "Turn"
    return RunNow(run.name, str(run.status), state, wakes_at(clock, f"run {run.name}"))


def wakes_at(clock: Clock, timer_name: str) -> datetime | None:
    with clock._lock:
        due = [t.when for _, _, t in clock._timers if t.name == timer_name and not t.cancelled]
    return min(due, default=None)

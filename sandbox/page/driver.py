"""Moves a sandbox's time in one thread, step by step, while people go on clicking in others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sandbox.page.machine import newest_run
from sandbox.page.world import read_world
from sandbox.scenario.model import Scenario
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

A_MOMENT = timedelta(seconds=5)
PATIENCE = timedelta(days=60)
NOTHING = "Nothing is under way, so time alone changes nothing."


class Driver:
    """One for each sandbox. Only the thread that works off the acts may pass time."""

    def __init__(
        self, stage: ScenarioSandbox, scenario: Scenario, *, is_halted: Callable[[], bool]
    ) -> None:
        self._stage = stage
        self._scenario = scenario
        self._is_halted = is_halted
        self._still = threading.Lock()

    @contextmanager
    def standing_clock(self) -> Iterator[None]:
        """For a click, in any thread: its signature would not outlive a leap of the clock."""
        with self._still:
            self._stage.work.begin("a click")
        try:
            yield
        finally:
            self._stage.work.end("a click")

    def moment(self, tell: Callable[[], None]) -> None:
        """What follows at once: a few seconds, as they would pass while somebody looks on."""
        self._play_until(A_MOMENT, tell)

    def advance(self, span: timedelta, tell: Callable[[], None]) -> None:
        """All that comes due within this time, in order, the rest of it, and a moment."""
        end = self._stage.clock.now() + span
        self._play_until(span, tell)
        with self._still:
            if not self._is_halted() and not self._stage.work.running():
                self._stage.clock.move_to(end)
        self.moment(tell)

    def until_something(self, tell: Callable[[], None]) -> str:
        """Until people would see something new, or a sentence about why nothing comes."""
        self._stage.settle()
        if not self._is_anything_under_way():
            return NOTHING
        before = self._scene()
        if self._play_until(PATIENCE, tell, enough=lambda: self._scene() != before):
            self.moment(tell)
            return ""
        return "" if self._is_halted() else "Nothing happened in 60 days."

    def _play_until(
        self,
        span: timedelta,
        tell: Callable[[], None],
        enough: Callable[[], bool] = lambda: False,
    ) -> bool:
        """True if it was enough before the time was over."""
        stage, end = self._stage, self._stage.clock.now() + span
        stage.settle()
        while not self._is_halted():
            with self._still:
                if not stage.work.running() and stage.clock.fire_next(end) is None:
                    return False
            stage.settle()
            tell()
            if enough():
                return True
        return False

    def _is_anything_under_way(self) -> bool:
        stage, scenario = self._stage, self._scenario
        hub, region = scenario.accounts[0], scenario.regions[0]
        run = newest_run(stage.clock, account=hub, region=region)
        return bool(run and run.is_running) or self._world().is_moving

    def _world(self) -> Any:
        return read_world(self._stage.aws, self._scenario)

    def _scene(self) -> tuple[Any, ...]:
        """What people would notice; the words under a header may count the days in quiet."""
        slack = self._stage.slack
        headers = tuple(
            (message.ts, block["text"]["text"])
            for message in slack.messages
            for block in message.blocks
            if block["type"] == "header"
        )
        return headers, len(slack.messages), len(slack.ephemerals), self._world()

"""The running story: opens its sandbox in a thread of its own and does there what the page asks."""

from __future__ import annotations

import io
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.page.stories import Story
from sandbox.scenario.model import Scenario
from sandbox.scenario.narration import Narration

if TYPE_CHECKING:
    from sandbox.page.driver import Driver
    from sandbox.scenario.cases import StoredCases
    from sandbox.scenario.scenario_sandbox import ScenarioSandbox

Job = Callable[["Opened"], str | None]
Jobs = queue.SimpleQueue[tuple[str, Job] | None]
LOOK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A sandbox that is ready: the world is in it and the bot is deployed."""

    stage: ScenarioSandbox
    cases: StoredCases
    driver: Driver


class Silent(Narration):
    """Tells nobody: the page shows what came of it."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())


class Show:
    """Any thread may ask; one thread acts. `wait` tells when the page should look again."""

    def __init__(self, stories: Sequence[Story]) -> None:
        self.stories = {story.name: story for story in stories}
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._version = 0
        self._thread = threading.Thread(target=self._run, name="show", daemon=True)
        self._begin(stories[0])

    def _begin(self, story: Story) -> None:
        self.story = story
        self.scenario: Scenario = story.scenario()
        self.opened: Opened | None = None
        self.case: Mapping[str, Any] | None = None
        self.asked_at = time.monotonic()
        self.trouble = self.busy = self.note = self.heard = ""
        self.dismissed: set[str] = set()
        self._looked = 0.0
        self._halt = threading.Event()
        self._jobs: Jobs = queue.SimpleQueue()

    @property
    def closing(self) -> bool:
        return self._closed.is_set()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the sandbox and everything in it."""
        self._closed.set()
        self._jobs.put(None)
        self.changed()
        self._thread.join()

    def choose(self, name: str) -> None:
        """A new sandbox for this story, also if it is the same one again."""
        with self._lock:
            old = self._jobs
            self._begin(self.stories[name])
        old.put(None)
        self.changed()

    def halt(self) -> None:
        """Time stops at its next step."""
        self._halt.set()

    def do(self, job: Job, *, busy: str = "") -> None:
        """Have the acting thread do this, now or once the sandbox is ready."""
        self._jobs.put((busy, job))

    def tell(self) -> None:
        """Something may look different now."""
        if self.opened and time.monotonic() - self._looked > LOOK_SECONDS:
            self._look(self.opened)
        self.changed()

    def changed(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """The version of what there is to see, once it is another one or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen or self.closing, timeout)
            return self._version

    def pause(self, seconds: float) -> None:
        """Let changes that come together come together; ends at once when the show closes."""
        self._closed.wait(seconds)

    # The acting thread

    def _run(self) -> None:
        # Ctrl-C is the main thread's; processes that are started from here would get it too
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        while not self.closing:
            self._play(self._jobs)

    def _play(self, jobs: Jobs) -> None:
        try:
            # not at the top, so that the page is there before moto has loaded
            from sandbox.page.driver import Driver
            from sandbox.scenario.scenario_sandbox import open_sandbox

            scenario = self.scenario
            with open_sandbox(scenario) as (stage, cases):
                driver = Driver(stage, scenario, is_halted=lambda: self._is_halted(jobs))
                opened = Opened(stage=stage, cases=cases, driver=driver)
                stage.slack.changed.append(self.changed)
                with self._lock:
                    self.opened = opened if jobs is self._jobs else None
                self.changed()
                self._work(opened, jobs)
        except Exception as error:  # noqa: BLE001 - the page says what broke
            traceback.print_exception(error, file=sys.stderr)
            self._give_up(f"{type(error).__name__}: {error}", jobs)

    def _work(self, opened: Opened, jobs: Jobs) -> None:
        while not self._is_over(jobs) and (asked := jobs.get()) is not None:
            self.busy, job = asked
            self.note = ""
            self._halt.clear()
            self.changed()
            self.note = job(opened) or ""
            self.busy = ""
            self._look(opened)
            self.changed()

    def _give_up(self, trouble: str, jobs: Jobs) -> None:
        """Say what broke, and wait until somebody starts a story again."""
        with self._lock:
            if jobs is self._jobs:
                self.trouble, self.opened, self.busy = trouble, None, ""
        self.changed()
        while not self._is_over(jobs) and jobs.get() is not None:
            pass

    def _is_over(self, jobs: Jobs) -> bool:
        return self.closing or jobs is not self._jobs

    def _is_halted(self, jobs: Jobs) -> bool:
        return self._halt.is_set() or self._is_over(jobs)

    def _look(self, opened: Opened) -> None:
        self._looked = time.monotonic()
        self.case = next(reversed(opened.cases.cases()), None)

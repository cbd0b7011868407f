"""The sandbox's time, and the register of work that keeps it still. Never reads the wall clock."""

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Timer:
    """A call that is due at a moment of sandbox time; cancelling it twice is harmless."""

    def __init__(self, when: datetime, fn: Callable[[], None], *, name: str) -> None:
        self.when = when
        self.name = name
        self._fn = fn
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def fire(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._fn()


class Clock:
    """Virtual time. Any thread may read it and set timers; only the driver moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._timers: list[tuple[datetime, int, Timer]] = []

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def call_at(self, when: datetime, fn: Callable[[], None], *, name: str) -> Timer:
        """A moment that has passed is due at once; `fn` runs in the driver's thread."""
        timer = Timer(when.astimezone(UTC), fn, name=name)
        with self._lock:
            heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def next_due(self) -> datetime | None:
        with self._lock:
            self._drop_cancelled()
            return max(self._timers[0][0], self._now) if self._timers else None

    def fire_next(self, until: datetime) -> Timer | None:
        """Move to the earliest timer due by `until` and fire that one alone."""
        with self._lock:
            self._drop_cancelled()
            if not self._timers or self._timers[0][0] > until:
                return None
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
        timer.fire()
        return timer

    def move_to(self, when: datetime) -> None:
        """Driver only: fire what is due by then, in order, and stay there."""
        if when < self.now():
            raise ValueError(f"time does not run backwards: {when} is before {self.now()}")
        while self.fire_next(when):
            pass
        with self._lock:
            self._now = max(self._now, when.astimezone(UTC))

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)


class StillBusyError(Exception):
    """Something did not come to rest in time; the message names what is still running."""


class Work:
    """What is under way at this instant. The clock may move only while it is empty."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        self._failures: list[BaseException] = []

    def begin(self, label: str) -> None:
        with self._changed:
            self._running[label] += 1

    def end(self, label: str) -> None:
        with self._changed:
            self._running[label] -= 1
            if self._running[label] <= 0:
                del self._running[label]
            self._changed.notify_all()

    @contextmanager
    def doing(self, label: str) -> Iterator[None]:
        self.begin(label)
        try:
            yield
        finally:
            self.end(label)

    def spawn(self, label: str, fn: Callable[[], None]) -> None:
        """Run `fn` in a thread; it counts from now on, so that no gap lets the clock slip."""
        self.begin(label)
        threading.Thread(target=self._run, args=(label, fn), name=label, daemon=True).start()

    def running(self) -> list[str]:
        with self._changed:
            running = self._running.items()
            return sorted(f"{label} ({n})" if n > 1 else label for label, n in running)

    def wait_idle(self, timeout: float) -> None:
        """Raises what a spawned thread raised, or StillBusyError after `timeout` real seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._running:
                if not self._changed.wait(deadline - time.monotonic()):
                    break
            if self._failures:
                raise self._failures.pop(0)
        if still := self.running():
            raise StillBusyError(f"still running after {timeout:g} s: {', '.join(still)}")

    def _run(self, label: str, fn: Callable[[], None]) -> None:
        try:
            fn()
        except Exception as error:  # noqa: BLE001 - the driver gets it from wait_idle
            with self._changed:
                self._failures.append(error)
        finally:
            self.end(label)

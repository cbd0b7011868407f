"""What moto's Step Functions interpreter waits with. Never waits for the wall clock."""

import datetime as dt
import threading
from collections.abc import Callable
from datetime import tzinfo
from types import SimpleNamespace
from typing import Any

from sandbox.clock import Clock


class RunStopped(BaseException):
    """Ends a sleeping run's thread; no Exception, since the interpreter would handle that."""


class SandboxClosed(BaseException):
    """Ends a sleeping run's thread because its sandbox ends."""


class Sleeper:
    """One thread's sleep. Whoever wakes it counts it as working before it moves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._resume: Callable[[], None] | None = None
        self._end: BaseException | None = None

    def sleep(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        with self._lock:
            if not self._woken.is_set():
                self._resume = resume
                pause()
        self._woken.wait()
        if self._end:
            raise self._end

    def wake(self) -> None:
        with self._lock:
            if self._woken.is_set():
                return
            if self._resume:
                self._resume()
            self._woken.set()

    def end(self, reason: BaseException) -> None:
        self._end = reason
        self.wake()


class Bell:
    """A threading.Event whose time-outs are sandbox time."""

    def __init__(self, sleep: Callable[[Sleeper, float | None], None]) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rung = False
        self._waiting: list[Sleeper] = []

    def is_set(self) -> bool:
        return self._rung

    def clear(self) -> None:
        self._rung = False

    def set(self) -> None:
        with self._lock:
            self._rung = True
            waiting, self._waiting = self._waiting, []
        for sleeper in waiting:
            sleeper.wake()

    def wait(self, timeout: float | None = None) -> bool:
        sleeper = Sleeper()
        with self._lock:
            if self._rung:
                return True
            self._waiting.append(sleeper)
        self._sleep(sleeper, timeout)
        return self._rung


class Inline:
    """A thread that the interpreter makes only to be able to give up on it: run on the spot.

    Functions take no sandbox time, so that only a wait inside can pass the deadline, and each
    such wait has the deadline itself.
    """

    def __init__(self, target: Callable[..., None], args: Any = (), **_: Any) -> None:
        self._target = target
        self._args = args

    def start(self) -> None:
        self._target(*self._args)

    def join(self, timeout: float | None = None) -> None:
        """Nothing: it is over."""

    def is_alive(self) -> bool:
        return False


class Done(threading.Event):
    """The signal of an inline thread's end, which is never waited for."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as the base class
        return True


def dated(clock: Clock) -> SimpleNamespace:
    """The datetime module as the interpreter uses it, on sandbox time."""

    class Clocked(dt.datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clocked":
            now = clock.now().astimezone(tz)
            return cls.fromtimestamp(now.timestamp(), tz)

    return SimpleNamespace(**{**vars(dt), "datetime": Clocked})

"""Faults that a scenario asks for, counted on the wire. Says what goes wrong; does nothing itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from sandbox.clock import Clock
from sandbox.torn import TORN

KINDS = frozenset({"throttle", "error", "timeout", "crash_before", "crash_after", "slow"}) | TORN


@dataclass(frozen=True)
class Window:
    """From one moment of sandbox time until before another."""

    since: datetime
    until: datetime

    def __contains__(self, now: datetime) -> bool:
        return self.since <= now < self.until


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `kind` at the matching request number `nth`, `times` in a row.

    With a `window` it befalls each matching request within it.
    """

    call: str
    nth: int
    times: int
    kind: str
    code: str | None
    seconds: float | None
    window: Window | None = None

    def befalls(self, number: int, *, now: datetime) -> bool:
        if self.window is not None:
            return now in self.window
        return 0 <= number - self.nth < self.times


@dataclass
class Planned:
    """A fault, how many requests it has matched, and whether it has befallen one."""

    fault: Fault
    seen: int = field(default=0)
    has_struck: bool = field(default=False)


class Faults:
    """Counts the bot's requests by call name ("kms:DescribeKey") and answers which one fails."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._planned: list[Planned] = []
        self.asked: list[str] = []
        """Each request of the bot, to AWS and to Slack, in the order of their coming."""

    def add(
        self,
        call: str,
        nth: int = 1,
        times: int = 1,
        *,
        kind: str,
        code: str | None = None,
        seconds: float | None = None,
        window: Window | None = None,
    ) -> None:
        """Plan a fault. `call` may end in `*` ("dynamodb:*"); counting starts now.

        With a window, nobody counts.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault {kind!r}; one of {', '.join(sorted(KINDS))}")
        if nth < 1 or times < 1:
            raise ValueError(f"nth and times of a fault start at 1, not {nth} and {times}")
        fault = Fault(call, nth, times, kind, code, seconds, window)
        with self._lock:
            self._planned.append(Planned(fault))

    def hit(self, call: str) -> Fault | None:
        """Count one request of this name; the fault that befalls it, if any."""
        now = self._clock.now()
        due: Fault | None = None
        with self._lock:
            self.asked.append(call)
            for planned in self._planned:
                if not fnmatchcase(call, planned.fault.call):
                    continue
                planned.seen += 1
                if planned.fault.befalls(planned.seen, now=now):
                    planned.has_struck = True
                    due = due or planned.fault
        return due

    def missed(self) -> list[tuple[str, int]]:
        """Call and nth of the planned faults that have not befallen anybody yet."""
        with self._lock:
            left = (one.fault for one in self._planned if not one.has_struck)
            return [(fault.call, fault.nth) for fault in left]

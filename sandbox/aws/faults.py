"""Faults that a scenario asks for, counted on the wire. Says what goes wrong; does nothing itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

KINDS = frozenset({"throttle", "error", "timeout", "crash_before", "crash_after", "slow"})


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: `kind` at the matching request number `nth`, `times` in a row."""

    call: str
    nth: int
    times: int
    kind: str
    code: str | None
    seconds: float | None


class Faults:
    """Counts the bot's requests by call name ("kms:DescribeKey") and answers which one fails."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._seen: list[int] = []
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
    ) -> None:
        """Plan a fault. `call` may end in `*` ("dynamodb:*"); counting starts now."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault {kind!r}; one of {', '.join(sorted(KINDS))}")
        if nth < 1 or times < 1:
            raise ValueError(f"nth and times of a fault start at 1, not {nth} and {times}")
        with self._lock:
            self._planned.append(Fault(call, nth, times, kind, code, seconds))
            self._seen.append(0)

    def hit(self, call: str) -> Fault | None:
        """Count one request of this name; the fault that befalls it, if any."""
        due: Fault | None = None
        with self._lock:
            self.asked.append(call)
            for place, fault in enumerate(self._planned):
                if not fnmatchcase(call, fault.call):
                    continue
                self._seen[place] += 1
                if due is None and 0 <= self._seen[place] - fault.nth < fault.times:
                    due = fault
        return due

    def missed(self) -> list[str]:
        """Calls of the planned faults that have not befallen anybody yet."""
        with self._lock:
            both = zip(self._planned, self._seen, strict=True)
            return [fault.call for fault, seen in both if seen < fault.nth]

"""Keeps the bot below its share of AWS's request quotas, so that others in the account get theirs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

QUOTAS = {
    "kms:DescribeKey": 2000,
    "kms:ListGrants": 100,
    "kms:GetKeyLastUsage": 100,
    "kms:ListResourceTags": 2000,
    "kms:ScheduleKeyDeletion": 15,
    "kms:CancelKeyDeletion": 5,
    "kms:EnableKey": 5,
    "kms:DisableKey": 5,
    "cloudtrail:LookupEvents": 2,
}
"""Requests a second, account and Region (KMS guide, request quotas; CloudTrail API reference).
The quota of GetKeyLastUsage is not published; that of ListGrants is taken for it."""


SPREAD_BELOW = 10
"""Calls a second: so few are spread out, as a whole number of them in each second would be many less."""


class Pace:
    """Lets calls through, at most `rate` in any second; threads queue up in turn.

    Quotas are counted by the second: the first calls of one need not wait for each other.
    """

    def __init__(
        self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        at_once = 1 if rate < SPREAD_BELOW else int(rate)
        self._until_next = 1 / rate if at_once == 1 else 1.0
        self._last: deque[float] = deque([-self._until_next] * at_once, maxlen=at_once)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            now = self._clock()
            at = max(self._last[0] + self._until_next, now)
            self._last.append(at)
        if at > now:
            self._sleep(at - now)


class Paces:
    """One Pace for each call name and place; calls without a quota of note pass freely."""

    def __init__(
        self,
        share: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._share, self._clock, self._sleep = share, clock, sleep
        self._paces: dict[tuple[str, str], Pace] = {}
        self._lock = threading.Lock()

    def __call__(self, call: str, place: str = "") -> Callable[[], None]:
        """`place`: an account and Region, if there are several: each has quotas of its own."""
        if call not in QUOTAS:
            return lambda: None
        with self._lock:
            if (call, place) not in self._paces:
                rate = QUOTAS[call] * self._share
                self._paces[call, place] = Pace(rate, clock=self._clock, sleep=self._sleep)
            return self._paces[call, place]

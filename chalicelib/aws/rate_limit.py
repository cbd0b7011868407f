"""Keeps the bot below its share of AWS's request quotas, so that others in the account get theirs."""

from __future__ import annotations

import threading
import time
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


class Pace:
    """Lets calls through at most `rate` a second; threads queue up in turn."""

    def __init__(
        self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._gap = 1 / rate
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def __call__(self) -> None:
        with self._lock:
            now = self._clock()
            at = max(self._next, now)
            self._next = at + self._gap
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

"""Slack's rate limits, measured on the sandbox clock; off unless a sandbox asks for them."""

import math
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.slack.records import Json, Now


@dataclass(frozen=True)
class Rate:
    """So many calls in so many seconds, for the whole workspace or for each channel."""

    calls: int
    seconds: float
    by_channel: bool = False


SLACK_RATES: Mapping[str, Rate] = {
    "chat.postMessage": Rate(1, 1, by_channel=True),
    "chat.update": Rate(50, 60),
}


@dataclass
class RateLimits:
    """Counts calls. A clock that stands still lets nothing through once a limit is reached."""

    clock: Now
    rates: Mapping[str, Rate] = field(default_factory=dict)
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_seconds(self, method: str, args: Json) -> int:
        """0 if the call may pass, which counts it; else Slack's Retry-After."""
        rate = self.rates.get(method)
        if rate is None:
            return 0
        now = self.clock.now().timestamp()
        key = (method, str(args.get("channel")) if rate.by_channel else "")
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            while calls and now - calls[0] >= rate.seconds:
                calls.popleft()
            if len(calls) >= rate.calls:
                return max(1, math.ceil(calls[0] + rate.seconds - now))
            calls.append(now)
            return 0

"""One lock around all that the local Slack remembers, and the numbers that it hands out."""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.slack.records import Now


class State:
    """`changed` is called after each change, with the lock free."""

    def __init__(self, clock: Now) -> None:
        self._clock = clock
        self._serial = itertools.count(1)
        self.lock = threading.RLock()
        self.changed: list[Callable[[], None]] = []

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self.lock:
            yield
        for tell in list(self.changed):
            tell()

    def now(self) -> float:
        return self._clock.now().timestamp()

    def next_ts(self) -> str:
        # The clock stands still within an instant, so the order is in the fraction.
        return f"{int(self.now())}.{next(self._serial):06d}"

    def next_hash(self) -> str:
        return f"{int(self.now())}.{secrets.token_hex(4)}"

    def new_id(self, kind: str) -> str:
        return f"{kind}{secrets.token_hex(5).upper()}"

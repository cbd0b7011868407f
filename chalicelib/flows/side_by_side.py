"""One question asked in many places side by side: a place that hangs or fails delays no other. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Place = tuple[str, str]
T = TypeVar("T")
AT_A_TIME = 32
"""Nearly all of the time is waiting, so a processor serves many."""


def side_by_side(
    places: Sequence[Place], ask: Callable[[Place], T], *, within_seconds: float
) -> Mapping[Place, T | None]:
    """What each place answered, in order; None if it has not by then. What `ask` raises is raised.

    Nobody can stop a thread that waits: its answer comes later and is not heard.
    """
    if len(places) < 2:
        return {place: ask(place) for place in places}
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        asked = {place: pool.submit(ask, place) for place in places}
        done, _ = wait(asked.values(), timeout=within_seconds)
        return {place: one.result() if one in done else None for place, one in asked.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

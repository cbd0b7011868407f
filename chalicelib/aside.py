"""Asks something while something else is done. Decides nothing, and drops no answer that somebody waits for."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

T = TypeVar("T")
FIRST, SECOND = "aside", "second-aside"
"""What is asked aside may ask aside once more. As each has a pool of its own, they never all wait for each other."""
AT_A_TIME = 64


class Aside(Protocol):
    """Begins to ask, and gives back what waits for the answer. What `ask` raises is raised there."""

    def __call__(self, ask: Callable[[], T]) -> Callable[[], T]: ...


def in_turn(ask: Callable[[], T]) -> Callable[[], T]:
    """With no threads: asked when the answer is wanted."""
    return ask


def beside(ask: Callable[[], T]) -> Callable[[], T]:
    """In a thread, at once."""
    here = threading.current_thread().name
    if here.startswith(SECOND):
        return in_turn(ask)
    return _pool(SECOND if here.startswith(FIRST) else FIRST).submit(ask).result


@functools.cache
def _pool(name: str) -> Executor:
    """Of this process: the first calls of a new thread cost half a millisecond, twice what a call does."""
    from concurrent.futures import ThreadPoolExecutor  # only if two things are asked at once

    return ThreadPoolExecutor(AT_A_TIME, name)

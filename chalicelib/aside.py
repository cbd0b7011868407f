"""Asks something while something else is done. Decides nothing, and drops no answer that somebody waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Begins to ask, and gives back what waits for the answer. What `ask` raises is raised there."""

    def __call__(self, ask: Callable[[], T]) -> Callable[[], T]: ...


def in_turn(ask: Callable[[], T]) -> Callable[[], T]:
    """With no threads: asked when the answer is wanted."""
    return ask


def beside(ask: Callable[[], T]) -> Callable[[], T]:
    """In a thread of its own, at once: no pool for all, whose threads could all be waiting for each other."""
    from concurrent.futures import ThreadPoolExecutor  # only if two things are asked at once

    one = ThreadPoolExecutor(1, "aside")
    answer = one.submit(ask).result
    one.shutdown(wait=False)
    return answer

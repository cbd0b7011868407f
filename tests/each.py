"""One rule that holds for many files or words: a single test, which names the first that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def each(
    values: Iterable[T], called: Callable[[T], str] = str
) -> Callable[[Callable[[T], None]], Callable[[], None]]:
    """In place of pytest’s parametrize, if there are hundreds and a check takes no time."""

    def for_all(check: Callable[[T], None]) -> Callable[[], None]:
        known = list(values)

        def test() -> None:
            assert known, "nothing is checked"
            for value in known:
                try:
                    check(value)
                except AssertionError as failed:
                    failed.add_note(f"This was {called(value)}.")
                    raise

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return for_all

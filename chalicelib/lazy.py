"""Puts off making something until its first use. Makes nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Lazy:
    """Stands for a port until its first use, so that a function only pays for what it touches."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._making = make, threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if "_made" not in self.__dict__:
            with self._making:  # a sweep asks from many threads
                if "_made" not in self.__dict__:
                    self.__dict__["_made"] = self._make()
        return getattr(self.__dict__["_made"], name)


def lazy(make: Callable[[], T]) -> T:
    """For the type checker it is what `make` returns: an adapter that lacks a method is no port."""
    return cast("T", Lazy(make))

"""Finds the keys of some key stores among all of an account: the next page is listed while keys are described."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace

from chalicelib.aside import beside
from chalicelib.aws.keys import Aliases, KeyReader, Part, digest_of
from chalicelib.domain.state.snapshot import Key
from chalicelib.failures import PermanentError, TemporaryError

IN_A_ROW = 20
"""Keys that a thread asks for one after the other: a hand-over for each costs a tenth of the call."""
AHEAD = 4
"""Pages that are listed before the keys of the first of them are known: a bound for the memory."""
SLICE = 5_000
"""Keys after which what was learnt is kept."""
LONGEST_SECONDS = 240
"""Well inside the function's time-out; the next turn carries on behind what was kept."""


@dataclass(frozen=True)
class Found:
    """Keys of the stores; how many keys there are in the account."""

    keys: tuple[Key, ...]
    seen: int


@dataclass
class KeySearch:
    """One search. `known` are digests of keys that are in no store: a key's store never changes.

    `remember` is told of more of them. `threads` is how many of the pool's may be used at once.
    """

    reader: KeyReader
    pool: Executor
    threads: int
    known: set[bytes]
    remember: Callable[[set[bytes]], None]
    clock: Callable[[], float] = time.monotonic
    learnt: Part = field(default_factory=Part)
    under_way: deque[list[Future[Part]]] = field(default_factory=deque)
    aliases: Callable[[], Aliases] | None = None

    def found(self, store_ids: set[str], unread: list[str]) -> Found:
        """All keys of these stores. A key that can't be described might be one: it is listed as unread.

        TemporaryError if the time is over before the last page.
        """
        began, seen, left = self.clock(), 0, 0
        try:
            for page in self.reader.pages(unread):
                seen += len(page)
                unknown = [key_id for key_id in page if digest_of(key_id) not in self.known]
                if self.clock() - began > LONGEST_SECONDS:
                    left += len(unknown)
                else:
                    self._ask(unknown, store_ids)
            while self.under_way:
                self._take()
        except (TemporaryError, PermanentError):
            self._await_names()
            raise
        finally:
            self._end()
        if left:
            raise TemporaryError(f"{left:,} of {seen:,} keys of the account are still to be read")
        return Found(self._named(unread), seen)

    def _ask(self, key_ids: Sequence[str], store_ids: set[str]) -> None:
        """Hands out these keys, and takes what is there, so that no more than some pages are open."""
        size = max(1, min(IN_A_ROW, len(key_ids) // self.threads))
        parts = [key_ids[start : start + size] for start in range(0, len(key_ids), size)]
        if parts:
            ask = self.reader.sorted_out
            self.under_way.append([self.pool.submit(ask, part, store_ids) for part in parts])
        while len(self.under_way) > AHEAD or (self.under_way and _is_there(self.under_way[0])):
            self._take()

    def _take(self) -> None:
        for part in self.under_way.popleft():
            self.learnt.add(part.result())
            if self.aliases is None and (self.learnt.mine or self.learnt.refused):
                self.aliases = beside(self.reader.aliases)  # the pool has keys to ask for
        if len(self.learnt.elsewhere) >= SLICE:
            self._keep()

    def _keep(self) -> None:
        if self.learnt.elsewhere:
            self.remember(self.learnt.elsewhere)
            self.learnt.elsewhere = set()

    def _end(self) -> None:
        """Whatever ended the search: what was learnt is kept, and nothing more is asked."""
        for parts in self.under_way:
            for part in parts:
                part.cancel()
        self._keep()

    def _await_names(self) -> None:
        """No call of a search that failed is still under way when the next one begins."""
        if self.aliases is not None:
            with suppress(TemporaryError, PermanentError):
                self.aliases()

    def _named(self, unread: list[str]) -> tuple[Key, ...]:
        names = self.aliases() if self.aliases else Aliases({})
        unread += [names.unread] if names.unread else []
        keys = (*self.learnt.mine, *self.learnt.refused)
        named = (replace(key, aliases=names.of.get(key.key_id, ())) for key in keys)
        return tuple(sorted(named, key=lambda key: key.key_id))


def _is_there(parts: Sequence[Future[Part]]) -> bool:
    return all(part.done() for part in parts)

"""Who looks after the keys of a case, as their tags said at the first whole look. A value only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyOwners:
    """`named`: what the tag says, each once. `unread`: on how many keys AWS refuses to tell their tags."""

    named: tuple[str, ...] = ()
    unread: int = 0

"""Which failed uses of keys a case keeps: a busy program fails every second, and an item holds 400 kB."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.domain.state.case import KeyUse

MANY, MOST, MOST_CALLERS = 200, 600, 1_000
"""Of uses that a case knows: any up to the first number, then the first of each caller and key, then of
each caller alone."""
FEW_WAIT, MOST_WAIT = 20, 50
"""Of uses that no turn has heard yet: each further one is written with all of them, in a storm by the second."""


def is_among(use: KeyUse, known: Collection[KeyUse]) -> bool:
    """Of the same event and key: one event may name two keys."""
    return any((one.event_id, one.key_id) == (use.event_id, use.key_id) for one in known)


def is_repeat(use: KeyUse, known: Collection[KeyUse], *, waiting: int) -> bool:
    """Another use of this key by this caller, of which the case knows or will hear enough.

    `waiting`: how many no turn has heard yet.
    """
    again = any((one.who, one.key_id) == (use.who, use.key_id) for one in known)
    enough = len(known) >= MANY or waiting >= FEW_WAIT
    return again and enough and not is_among(use, known)


def is_worth_keeping(use: KeyUse, known: Collection[KeyUse], *, waiting: int) -> bool:
    """What finds no room now is kept when it fails again, once a turn has heard the others."""
    if is_among(use, known) or is_repeat(use, known, waiting=waiting):
        return False
    if all(one.who != use.who for one in known):
        return len(known) < MOST_CALLERS
    return len(known) < MOST and waiting < MOST_WAIT

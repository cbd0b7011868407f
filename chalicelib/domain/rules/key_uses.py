"""Which failed uses of keys a case keeps: a busy program fails every second, and an item holds 400 kB."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.domain.state.case import KeyUse

MANY, MOST, MOST_CALLERS = 200, 600, 1_000
"""Of uses: any up to the first number, then the first of each caller and key, then of each caller alone."""


def is_among(use: KeyUse, known: Collection[KeyUse]) -> bool:
    """Of the same event and key: one event may name two keys."""
    return any((one.event_id, one.key_id) == (use.event_id, use.key_id) for one in known)


def is_repeat(use: KeyUse, known: Collection[KeyUse]) -> bool:
    """It would tell nothing new of a case that knows of many: another use of this key by this caller."""
    again = any((one.who, one.key_id) == (use.who, use.key_id) for one in known)
    return again and len(known) >= MANY and not is_among(use, known)


def is_worth_keeping(use: KeyUse, known: Collection[KeyUse]) -> bool:
    if is_among(use, known) or is_repeat(use, known):
        return False
    return len(known) < (MOST_CALLERS if is_first_of_caller(use, known) else MOST)


def is_first_of_caller(use: KeyUse, known: Collection[KeyUse]) -> bool:
    return all(one.who != use.who for one in known)

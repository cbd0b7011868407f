"""The watch's backup: failed uses of keys that are off, from CloudTrail's own memory. Changes nothing in AWS."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.flows.record_use import record_use
from chalicelib.ports import Ports, SweepCursor

KeyRef = tuple[str, str, str]
"""Account, Region and id of a key that is off."""
FEWEST_KEYS, MOST_KEYS = 10, 60
SWEEPS_A_ROUND = 12
"""LookupEvents allows an account two requests a second in all. So a sweep takes few keys, while that
brings each its turn within half a day: this is the backup of EventBridge, and windows last days."""
LONGEST_LOOK = timedelta(seconds=150)
"""Of the 300 seconds that a sweep has."""
MEMORY = timedelta(days=89)
LATE = timedelta(minutes=30)
"""CloudTrail delivers late and out of order; an event that is found twice changes nothing."""


def watch_keys(ports: Ports, found_off: Iterable[tuple[KeyRef, datetime]]) -> int:
    """How many failed uses were new. Each sweep takes the next keys, so that all get their turn.

    `found_off`: the keys that open cases switched off, and since when.
    """
    off: dict[KeyRef, datetime] = {}
    for spot, since in found_off:
        off[spot] = min(since, off.get(spot, since))
    if not off:
        return 0
    last, now = ports.cases.watch_round(), ports.clock()
    at = last if last.after else replace(last, began=now, is_whole=True)
    waiting = sorted((spot for spot in off if "#".join(spot) > at.after), key="#".join)
    chosen = {spot: _since(off[spot], at, now) for spot in waiting[: _share(len(off))]}
    found = 0
    for place in dict.fromkeys(spot[:2] for spot in chosen):
        keys = {key: since for (*where, key), since in chosen.items() if tuple(where) == place}
        at, new = _look(ports, place, keys, at, until=now + LONGEST_LOOK)
        found += new
        if ports.clock() >= now + LONGEST_LOOK:
            break
    is_over = not waiting or at.after >= "#".join(waiting[-1])
    ports.cases.set_watch_round(_next(at) if is_over else at)
    return found


def _look(
    ports: Ports,
    place: tuple[str, str],
    keys: dict[str, datetime],
    at: SweepCursor,
    *,
    until: datetime,
) -> tuple[SweepCursor, int]:
    """The round after these keys, and how many uses were new. Keys that can't be read are passed over."""
    account, region = place
    found = 0
    try:
        for key_id, uses in ports.trail.failed_uses(account, region, keys=keys):
            told = [record_use(ports, use, account=account, region=region) for use in uses]
            found += sum(map(bool, told))
            at = replace(at, after="#".join((*place, key_id)))
            if ports.clock() >= until:
                return at, found
    except (TemporaryError, PermanentError, ConflictError) as trouble:
        ports.log("uses of keys not read", account=account, region=region, why=str(trouble))
        at = replace(at, is_whole=False, after="#".join((*place, max(keys))))
    return at, found


def _since(off_since: datetime, at: SweepCursor, now: datetime) -> datetime:
    """From when on a key's uses have not been looked at."""
    unseen = at.since - LATE if at.since else off_since
    return max(unseen, off_since, now - MEMORY)


def _next(over: SweepCursor) -> SweepCursor:
    """The next round; it looks back to the beginning of the last one that saw everything."""
    return SweepCursor(since=over.began if over.is_whole else over.since)


def _share(keys: int) -> int:
    """How many keys a sweep looks at, if so many are off."""
    return min(max(math.ceil(keys / SWEEPS_A_ROUND), FEWEST_KEYS), MOST_KEYS)

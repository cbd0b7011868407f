"""How ages, times and states are said on the right half of the page. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.rules.prices import USUAL_REGION, hsm_hour

if TYPE_CHECKING:
    from sandbox.page.world import KeyNow

HSM_HOUR_PRICE = hsm_hour(USUAL_REGION).dollars
RECENT = timedelta(days=30)
A_WHILE = timedelta(minutes=2)
GOOD = frozenset({"ACTIVE", "CONNECTED", "Enabled"})
BAD = frozenset({"PendingDeletion", "FAILED"})


def age(key: KeyNow, now: datetime) -> str:
    """When the key was last used, or when it goes."""
    if key.is_gone:
        return ""
    if key.deleted_at is not None:
        return f"on {key.deleted_at.day} {key.deleted_at:%b}"
    if key.used is None:
        return "never" if key.is_known else "not known"
    minutes = int((now - key.used).total_seconds() // 60)
    for name, size in (("d", 1440), ("h", 60), ("min", 1)):
        if minutes >= size:
            return f"{minutes // size} {name} ago"
    return "just now"


def is_hot(key: KeyNow, now: datetime) -> bool:
    return key.used is not None and now - key.used < RECENT and key.deleted_at is None


def mood(state: str) -> str:
    """The look of a state, beside the word for it."""
    return "" if state in GOOD else "bad" if state in BAD else "off"


def wakes(when: datetime, now: datetime) -> str:
    clock = f"{when:%H:%M:%S}" if when - now < A_WHILE else f"{when:%H:%M}"
    return f"at {clock}" if when.date() == now.date() else f"on {when.day} {when:%b} at {clock}"

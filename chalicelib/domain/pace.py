"""How long to wait before looking again: often enough to be prompt, rarely enough to be cheap."""

from __future__ import annotations

from datetime import datetime, timedelta

DAY = 24 * 60 * 60
SETTLING = timedelta(minutes=2)
"""KMS and CloudHSM are eventually consistent: a state that contradicts a call that AWS accepted
less than this ago is old news, not somebody's act."""


def poll(since: datetime | None, now: datetime) -> int:
    """Seconds until the next look at a transition of minutes: about a twelfth of its age so far."""
    elapsed = (now - since).total_seconds() if since else 0
    return int(min(max(elapsed / 12, 15), 120))


def until(when: datetime, now: datetime) -> int:
    """Seconds until the next look at something that is due at `when`, at most a day away."""
    left = (when - now).total_seconds()
    if left <= 0:
        return poll(when, now)
    return int(min(max(left + 1, 1), DAY))

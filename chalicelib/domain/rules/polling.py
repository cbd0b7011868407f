"""How long to wait before looking again: often enough to be prompt, rarely enough to be cheap."""

from __future__ import annotations

from datetime import datetime, timedelta

MINUTE, DAY = 60, 24 * 60 * 60
FEW_DAYS, MANY_DAYS = 3, 15
"""Between looks without news: clicks and failed uses of the keys wake a case at once."""
KEYS_A_DAY = 100
"""A look asks for every key of the store: if there are thousands, looks are rarer."""
MANY_KEYS = 200
FRESH_A_KEY = timedelta(seconds=0.6)
"""Fifteen times what a look asks of KMS for a key, at a quarter of its quotas."""
HOURS_LATE = 4 * 60 * 60
"""What should have taken minutes and has taken hours is looked at less often: it may take days."""
SOON = 20
"""Seconds until the next look if nobody can tell since when it has been under way."""
SETTLING = timedelta(minutes=2)
"""KMS and CloudHSM are eventually consistent: a state that contradicts a call that AWS accepted
less than this ago is old news, not somebody's act."""


def fresh_for(keys: int) -> timedelta:
    """How long a look at so many keys may fill dialogs. Few keys are read again within seconds."""
    return keys * FRESH_A_KEY if keys >= MANY_KEYS else timedelta(0)


def poll(
    since: datetime | None, now: datetime, *, least: int = SOON, most: int | None = None
) -> int:
    """Seconds until the next look: about a twelfth of its age so far, between these bounds.

    Unless said, `most` fits what AWS shows late, in minutes as a rule.
    """
    elapsed = (now - since).total_seconds() if since else 0
    if most is None:
        most = 120 if elapsed < HOURS_LATE else 600
    return int(min(max(elapsed / 12, least), most))


def under_way(since: datetime | None, now: datetime, *, quickest: int = MINUTE) -> int:
    """Seconds until the next look at a transition of minutes: none before it can be over."""
    if since is None:
        return MINUTE // 2
    return max(int(quickest - (now - since).total_seconds()), poll(since, now))


def at_the_end(since: datetime | None, now: datetime) -> int:
    """The same of the last transition, after which no call comes: only the news waits for it."""
    return max(MINUTE, poll(since, now))


def until(when: datetime, now: datetime, *, keys: int = 0) -> int:
    """Seconds until the next look at something due at `when`: days apart, a day before, and then."""
    left = (when - now).total_seconds()
    if left <= 0:
        return poll(when, now)
    if left > DAY + MINUTE:
        days = min(max(FEW_DAYS, keys // KEYS_A_DAY), MANY_DAYS)
        return int(min(left - DAY, days * DAY))
    return once(when, now)


def once(when: datetime, now: datetime) -> int:
    """Seconds until just after `when`."""
    return max(int((when - now).total_seconds()) + 1, 1)

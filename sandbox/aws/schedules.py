"""When a scheduled rule of EventBridge fires next. Pure.

Rules: "Using cron and rate expressions" in the EventBridge user guide; L, W and # are not played.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip
LONGEST_SEARCH = 366 * 5  # days


def next_due(expression: str, after: datetime) -> datetime:
    """The first moment after this one. Raises ValueError for what is not played."""
    if rate := RATE.fullmatch(expression):
        return after + timedelta(**{f"{rate[2]}s": int(rate[1])})
    found = CRON.fullmatch(expression)
    if not found:
        raise ValueError(f"the sandbox plays rate(...) and cron(...), not {expression!r}")
    minutes, hours = _numbers(found[1], 0, 59), _numbers(found[2], 0, 23)
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(LONGEST_SEARCH):
        if _is_day(found, day):
            times = (day.replace(hour=h, minute=m) for h in sorted(hours) for m in sorted(minutes))
            due = next((moment for moment in times if moment > after), None)
            if due is not None:
                return due
        day += timedelta(days=1)
    raise ValueError(f"{expression!r} never fires")


def _is_day(found: re.Match[str], day: datetime) -> bool:
    weekday = (day.weekday() + 1) % 7 + 1  # AWS counts from Sunday, which is 1
    return (
        day.day in _numbers(found[3], 1, 31)
        and day.month in _numbers(found[4], 1, 12, MONTHS)
        and weekday in _numbers(found[5], 1, 7, DAYS)
        and day.year in _numbers(found[6], 1970, 2199)
    )


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, last = least, most
        if span not in ("*", "?"):
            start, _, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if end else most if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + 1
    if not text.isdigit():
        raise ValueError(f"the sandbox does not play {text!r} in cron(...)")
    return int(text)

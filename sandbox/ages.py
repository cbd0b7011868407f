"""Lengths of time as scenarios write them. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AGE = re.compile(r"(?:[0-9]+[smhdw])+")


def parse_age(text: str | timedelta) -> timedelta:
    """90s, 4m, 3h, 94d, 2w, 1d12h; one that is parsed already stays. Raises ValueError."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not AGE.fullmatch(text):
        raise ValueError(f"{text!r} is not a length of time such as 4m, 3h or 94d")
    parts = re.findall(r"([0-9]+)([smhdw])", text)
    return sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta())

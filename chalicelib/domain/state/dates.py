"""How a time stands in a sentence: a day without a zero before it, the clock in UTC. Knows no reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime


def day(when: datetime) -> str:
    """“3 Mar”."""
    here = when.astimezone(UTC)
    return f"{here.day} {here:%b}"


def clock(when: datetime) -> str:
    """“03:07 UTC”."""
    return f"{when.astimezone(UTC):%H:%M} UTC"


def moment(when: datetime) -> str:
    """“3 Mar, 03:07 UTC”."""
    return f"{day(when)}, {clock(when)}"

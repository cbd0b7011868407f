"""When scheduled rules fire: rate(...) after its interval, cron(...) as EventBridge reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.aws.schedules import next_due

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 hour)", datetime(2026, 3, 2, 10, 30, tzinfo=UTC)),
        ("rate(7 days)", datetime(2026, 3, 9, 9, 30, tzinfo=UTC)),
        ("cron(0 8 ? * MON *)", datetime(2026, 3, 9, 8, 0, tzinfo=UTC)),
        ("cron(30 9 ? * 2 *)", datetime(2026, 3, 9, 9, 30, tzinfo=UTC)),
        ("cron(0/15 9-10 * * ? *)", datetime(2026, 3, 2, 9, 45, tzinfo=UTC)),
        ("cron(0 0 1 JAN ? 2028)", datetime(2028, 1, 1, tzinfo=UTC)),
        ("cron(5 7 ? * SAT,SUN *)", datetime(2026, 3, 7, 7, 5, tzinfo=UTC)),
    ],
)
def test_the_next_moment(expression: str, due: Any) -> None:
    assert next_due(expression, MONDAY) == due


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("at(2026-03-02T09:00:00)", "not 'at"),
        ("cron(0 8 L * ? *)", "does not play 'L'"),
        ("cron(0 8 31 2 ? *)", "never fires"),
    ],
)
def test_what_is_not_played_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        next_due(expression, MONDAY)

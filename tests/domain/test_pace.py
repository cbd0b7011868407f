"""How long to wait before looking again."""

from datetime import timedelta

import pytest

from chalicelib.domain.pace import poll, until
from tests.domain.worlds import DAY, HOURS, MINUTE, NOW


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        (None, 15),
        (timedelta(0), 15),
        (6 * MINUTE, 30),
        (12 * MINUTE, 60),
        (HOURS, 120),
        (-HOURS, 15),
    ],
)
def test_transitions_are_looked_at_less_often_as_they_age(
    age: timedelta | None, seconds: int
) -> None:
    assert poll(None if age is None else NOW - age, NOW) == seconds


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (30 * DAY, 86_400),
        (HOURS, 3_601),
        (timedelta(milliseconds=1), 1),
        (timedelta(0), 15),
        (-HOURS, 120),
    ],
)
def test_dates_are_waited_for_at_most_a_day(left: timedelta, seconds: int) -> None:
    assert until(NOW + left, NOW) == seconds

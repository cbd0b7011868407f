"""How long to wait before looking again."""

from datetime import timedelta

import pytest

from chalicelib.domain.rules.polling import at_the_end, fresh_for, poll, under_way, until
from chalicelib.flows.audit_entries import LAST_CALL
from tests.domain.worlds import DAY, HOURS, MINUTE, NOW


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        (None, 20),
        (timedelta(0), 20),
        (6 * MINUTE, 30),
        (12 * MINUTE, 60),
        (HOURS, 120),
        (-HOURS, 20),
    ],
)
def test_transitions_are_looked_at_less_often_as_they_age(
    age: timedelta | None, seconds: int
) -> None:
    assert poll(None if age is None else NOW - age, NOW) == seconds


@pytest.mark.parametrize(("age", "seconds"), [(MINUTE, 300), (2 * HOURS, 600), (24 * HOURS, 3600)])
def test_what_may_take_days_has_bounds_of_its_own(age: timedelta, seconds: int) -> None:
    assert poll(NOW - age, NOW, least=300, most=3600) == seconds


@pytest.mark.parametrize(
    ("age", "seconds", "last"),
    [
        (None, 30, 60),
        (timedelta(0), 60, 60),
        (timedelta(seconds=50), 20, 60),
        (2 * MINUTE, 20, 60),
        (6 * MINUTE, 30, 60),
        (HOURS, 120, 120),
    ],
)
def test_no_transition_is_looked_at_in_its_first_minute(
    age: timedelta | None, seconds: int, last: int
) -> None:
    since = None if age is None else NOW - age
    assert under_way(since, NOW) == seconds
    assert isinstance(under_way(since, NOW), int)
    assert at_the_end(since, NOW) == last, "no call waits for the last transition"


def test_an_hsm_takes_two_minutes_at_least() -> None:
    assert under_way(NOW - MINUTE, NOW, quickest=120) == 60
    assert under_way(NOW - 2 * MINUTE, NOW, quickest=120) == 20


def test_stores_with_thousands_of_keys_are_looked_at_more_rarely() -> None:
    days = [until(NOW + 30 * DAY, NOW, keys=keys) / 86_400 for keys in (10, 399, 400, 1_500, 9_000)]
    assert days == [3, 3, 4, 15, 15]


@pytest.mark.parametrize(
    ("keys", "fresh"),
    [
        (0, timedelta(0)),
        (199, timedelta(0)),
        (200, timedelta(minutes=2)),
        (2_000, timedelta(minutes=20)),
    ],
)
def test_a_look_at_many_keys_fills_dialogs_for_a_while(keys: int, fresh: timedelta) -> None:
    assert fresh_for(keys) == fresh


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (30 * DAY, 3 * 86_400),
        (3 * DAY, 2 * 86_400),
        (DAY + 2 * MINUTE, 120),
        (DAY + MINUTE, 86_461),
        (DAY, 86_401),
        (HOURS, 3_601),
        (timedelta(milliseconds=1), 1),
        (timedelta(0), 20),
        (-HOURS, 120),
    ],
)
def test_dates_are_looked_at_days_apart_and_a_day_before(left: timedelta, seconds: int) -> None:
    assert until(NOW + left, NOW) == seconds


def test_the_look_before_the_last_day_is_in_time_for_the_last_call() -> None:
    now, end = NOW, NOW + 30 * DAY + timedelta(seconds=1.7)
    while end - now > LAST_CALL:
        now += timedelta(seconds=until(end, now))
    assert end - now >= DAY

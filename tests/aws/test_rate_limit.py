"""The bot's share of AWS's request quotas is never passed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.aws.rate_limit import QUOTAS, SPREAD_BELOW, Pace, Paces


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize("call", sorted(QUOTAS))
@pytest.mark.parametrize("share", [0.01, 0.25, 1])
def test_no_second_holds_more_than_the_share(call: str, share: float) -> None:
    time = Time()
    pace = Paces(share, clock=time, sleep=time.sleep)(call)
    moments = []
    for _ in range(300):
        pace()
        moments.append(time.now)
    most = max(1, QUOTAS[call] * share)
    for moment in moments[::7]:
        heard = sum(moment <= other < moment + 0.999 for other in moments)
        assert heard <= most + (most < SPREAD_BELOW)


def test_time_not_used_is_not_saved_up() -> None:
    time = Time()
    pace = Pace(10, clock=time, sleep=time.sleep)
    pace()
    time.now += 60
    began = time.now
    for _ in range(11):
        pace()
    assert time.now - began == pytest.approx(1.0)


def test_threads_queue_up() -> None:
    waits: list[float] = []
    pace = Pace(100, clock=lambda: 5.0, sleep=waits.append)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: pace(), range(300)))
    assert sorted(waits) == pytest.approx([1.0] * 100 + [2.0] * 100)


def test_few_a_second_are_spread_out() -> None:
    waits: list[float] = []
    pace = Pace(1.25, clock=lambda: 5.0, sleep=waits.append)
    for _ in range(4):
        pace()
    assert waits == pytest.approx([0.8, 1.6, 2.4])


def test_each_place_has_quotas_of_its_own() -> None:
    time = Time()
    paces = Paces(0.25, clock=time, sleep=time.sleep)
    for place in ("one us-east-1", "one eu-west-1", "two us-east-1"):
        paces("cloudtrail:LookupEvents", place)()
    assert time.now == 1_000.0
    paces("cloudtrail:LookupEvents", "one us-east-1")()
    assert time.now == 1_002.0


def test_calls_without_a_quota_of_note_pass_freely() -> None:
    Paces(0.25, clock=Time(), sleep=lambda _: pytest.fail("waited"))("sts:AssumeRole")()

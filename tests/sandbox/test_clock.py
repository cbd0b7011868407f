"""Time moves only when told to, and only while nothing is under way."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import Clock, StillBusyError, Work

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_timers_fire_in_order_and_see_their_own_moment() -> None:
    clock, seen = Clock(START), []
    for hours in (3, 1, 2):
        clock.call_at(START + hours * HOUR, lambda: seen.append(clock.now()), name="t")
    clock.move_to(START + 5 * HOUR)
    assert seen == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]
    assert clock.now() == START + 5 * HOUR


def test_a_timer_set_by_a_timer_fires_in_the_same_move() -> None:
    clock, seen = Clock(START), []

    def again() -> None:
        clock.call_at(clock.now() + HOUR, lambda: seen.append(clock.now()), name="second")

    clock.call_at(START + HOUR, again, name="first")
    clock.move_to(START + 3 * HOUR)
    assert seen == [START + 2 * HOUR]


def test_a_cancelled_timer_neither_fires_nor_counts_as_due() -> None:
    clock, seen = Clock(START), []
    timer = clock.call_at(START + HOUR, lambda: seen.append(1), name="t")
    timer.cancel()
    assert clock.next_due() is None
    clock.move_to(START + 2 * HOUR)
    assert seen == []


def test_a_passed_moment_is_due_at_once() -> None:
    clock = Clock(START)
    clock.call_at(START - HOUR, lambda: None, name="late")
    assert clock.next_due() == START


def test_fire_next_fires_one_timer_of_two_at_the_same_moment() -> None:
    clock, seen = Clock(START), []
    clock.call_at(START, lambda: seen.append("a"), name="a")
    clock.call_at(START, lambda: seen.append("b"), name="b")
    clock.fire_next(START)
    assert seen == ["a"]


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock(START).move_to(START - HOUR)


def test_idle_comes_only_when_spawned_work_is_over() -> None:
    work, gate, done = Work(), threading.Event(), []

    def finish() -> None:
        gate.wait()
        done.append(1)

    work.spawn("slow", finish)
    assert work.running() == ["slow"]
    threading.Timer(0.05, gate.set).start()
    work.wait_idle(5)
    assert done == [1]


def test_what_does_not_end_is_named() -> None:
    work = Work()
    with (
        work.doing("function turn"),
        work.doing("function turn"),
        pytest.raises(StillBusyError, match=r"function turn \(2\)"),
    ):
        work.wait_idle(0.01)


def test_what_a_spawned_thread_raises_reaches_the_driver() -> None:
    work = Work()
    nothing: dict[str, None] = {}
    work.spawn("broken", lambda: nothing["missing"])
    with pytest.raises(KeyError):
        work.wait_idle(5)
    work.wait_idle(5)

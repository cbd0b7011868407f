"""What is asked aside is asked at once; its answer, and what it raises, come where they are wanted."""

from __future__ import annotations

import threading

import pytest

from chalicelib.aside import AT_A_TIME, beside, in_turn


def test_two_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=20)
    first = beside(lambda: together.wait() + 10)
    assert together.wait() + first() == 11


def test_what_it_raises_is_raised_where_the_answer_is_wanted() -> None:
    answer = beside(lambda: 1 // int("0"))
    with pytest.raises(ZeroDivisionError):
        answer()


def test_an_answer_can_be_had_twice() -> None:
    asked: list[str] = []
    answer = beside(lambda: asked.append("once"))
    answer()
    answer()
    assert asked == ["once"]


def test_in_turn_nothing_is_asked_before_it_is_wanted() -> None:
    asked: list[str] = []
    answer = in_turn(lambda: asked.append("now"))
    assert asked == []
    answer()
    assert asked == ["now"]


def test_who_is_asked_aside_may_ask_aside() -> None:
    """As many as there are threads, each waiting for another: none waits for ever."""
    gate = threading.Barrier(AT_A_TIME, timeout=20)

    def nested() -> int:
        gate.wait()
        return beside(lambda: beside(lambda: 1)() + 1)() + 1

    assert [answer() for answer in [beside(nested) for _ in range(AT_A_TIME)]] == [3] * AT_A_TIME

"""What a figure says of itself, and the page that is made of figures. Nothing here is timed."""

from __future__ import annotations

import pytest

from bench import __main__ as bench_main
from bench.interleaved import ratio, rounds
from bench.page import page, table
from bench.parts.cost import standing
from bench.prices import MONTHLY, PRICES
from bench.row import Row, worded

MET = Row("quick", "slow", 0.5, 0.75, how="Said.| a |\n|---|")
MISSED = Row("slow", "quick", 3, 2, limit="The wall.")


def test_rounds_take_turns_and_drop_the_first() -> None:
    order: list[str] = []

    def contender(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    samples = rounds({"a": lambda: contender("a", 2.0), "b": lambda: contender("b", 4.0)}, count=2)
    assert order == ["a", "b"] * 3
    assert samples == {"a": [2.0, 2.0], "b": [4.0, 4.0]}
    assert ratio(samples, "a", "b") == 0.5


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.5, "×", "0.5 ×"),
        (19.28, "MB", "19.3 MB"),
        (0.0188, "$", "$0.0188"),
        (1_234, "s", "1,234 s"),
    ],
)
def test_a_figure_has_three_digits_that_count(value: float, unit: str, words: str) -> None:
    assert worded(value, unit) == words


def test_a_goal_is_met_up_to_its_bound() -> None:
    assert MET.is_met
    assert Row("", "", 2, 2).is_met
    assert not MISSED.is_met


def test_the_page_says_what_is_missed_and_why() -> None:
    written = page([MET, MISSED], ["One machine"])
    _, _, missed = written.partition("## Goals that are not met")
    assert "The wall." in missed.partition("## What was run")[0]
    assert "**slow: 3 ×, wanted ≤ 2 ×.**" in missed
    assert "- One machine" in written
    assert table([MISSED]).endswith("| no |")


def test_a_page_without_misses_has_no_such_section() -> None:
    assert "not met" not in page([MET], [])


def test_tables_stand_alone() -> None:
    assert "Said.\n\n| a |" in page([MET], [])


def test_every_price_is_one() -> None:
    assert all(0 < price < 0.001 for price in PRICES.values())


def test_what_stands_costs_by_what_the_stack_has() -> None:
    said = standing()
    assert all(f"× `{name}` $" in said for name in MONTHLY)
    assert "1 × `AWS::CloudWatch::Dashboard` $3.00" in said
    assert "2 × `AWS::SecretsManager::Secret` $0.80" in said


def test_a_part_that_breaks_leaves_the_others() -> None:
    def broken() -> list[Row]:
        raise KeyError("nothing")

    rows, said = bench_main._measured({"broken": broken, "whole": lambda: [MET]})
    assert rows == [MET]
    assert len(said) == 1
    assert "“broken” could not be measured" in said[0]


def test_the_long_commands_run_only_by_their_names() -> None:
    usual = bench_main.measurements(bench_main.QUICK)
    assert not set(bench_main.on_request()) & set(usual)

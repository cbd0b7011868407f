"""A small sample of `python -m sandbox crash-matrix`: the deployed bot, over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.reliability.matrix import KINDS, Matrix, Play, cells_of, spread
from sandbox.reliability.plays import End
from sandbox.reliability.report import matrix_lines, write
from tests.reliability.profiles import THOROUGH

SAMPLE: Mapping[str, tuple[str, int, str]] = {
    "dies after DisconnectCustomKeyStore": ("kms:DisconnectCustomKeyStore", 1, "crash_after"),
    "dies before the case is saved": ("dynamodb:TransactWriteItems", 12, "crash_before"),
    "the answer to DeleteHsm is lost": ("cloudhsm:DeleteHsm", 1, "timeout"),
}


def test_each_call_is_broken_first_in_the_middle_and_last() -> None:
    calls = ("kms:ListKeys",) * 5 + ("cloudhsm:DeleteCluster",)
    end = End("retired", "", "", (), log_verified=True, calls=calls)
    cells = list(cells_of("empty store", end))
    places = {(call, nth) for _, call, nth, _ in cells}
    assert places == {("kms:ListKeys", n) for n in (1, 3, 5)} | {("cloudhsm:DeleteCluster", 1)}
    assert len(cells) == len(places) * len(KINDS)


def test_a_sample_is_spread_over_all() -> None:
    cells = [(p, f"call-{n}", 1, k) for p in "abc" for n in range(40) for k in KINDS]
    chosen = spread(cells, 54, 0)
    assert len(set(chosen)) == 54
    assert len({(plot, kind) for plot, _, _, kind in chosen[:18]}) == 18, "every story, every way"
    assert len({call for _, call, _, _ in chosen}) > 25
    assert spread(cells, 3, 51) == chosen[51:]


def test_the_table_says_what_held_and_what_did_not(tmp_path: Path) -> None:
    plays = [
        Play("park", "kms:ListKeys", 1, "denied", "parked", stopped=True),
        Play("park", "kms:ListKeys", 1, "denied", "none", stopped=False, why="landed twice: x"),
    ]
    lines = matrix_lines(Matrix(tell=print), plays, seconds=3)
    assert "| denied | – | – | 1/2 (1) | – | – | – |" in lines
    assert "- park, kms:ListKeys #1, denied: landed twice: x" in lines
    document = tmp_path / "page.md"
    document.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n")
    write(document, "x", ["new"])
    assert document.read_text() == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", SAMPLE if THOROUGH else list(SAMPLE)[:1])
def test_the_deployed_bot_comes_to_the_same_end(what: str) -> None:
    matrix = Matrix(tell=print)
    good = matrix._untroubled("empty store")
    assert good.outcome == "retired"
    call, nth, kind = SAMPLE[what]
    assert matrix._troubled("empty store", call, nth, kind, good).why == ""

"""A small sample of the matrices: the deployed bot, over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.reliability.cells import Cell, faults_of, rounds_of, spread, stretches
from sandbox.reliability.matrix import (
    ALL_STORIES,
    CRASHES,
    READS,
    TRANSIENT,
    Matrix,
    Play,
    troubled,
    untroubled,
)
from sandbox.reliability.plays import End
from sandbox.reliability.report import matrix_lines, write
from tests.reliability.profiles import THOROUGH


def ended(*calls: str) -> End:
    return End("retired", "", "", (), (), log_verified=True, calls=calls)


def test_each_call_is_broken_first_in_the_middle_and_last() -> None:
    calls = ("kms:ListKeys",) * 5 + ("cloudhsm:DeleteCluster",)
    cells = list(CRASHES.cells("empty store", ended(*calls)))
    places = {(cell.call, cell.nth) for cell in cells}
    assert places == {("kms:ListKeys", n) for n in (1, 3, 5)} | {("cloudhsm:DeleteCluster", 1)}
    assert len(cells) == len(places) * len(CRASHES.kinds)


def test_each_read_is_broken_at_each_of_its_moments_and_no_mutation() -> None:
    calls = ("kms:ListKeys",) * 5 + ("cloudhsm:DeleteCluster", "dynamodb:PutItem")
    cells = list(READS.cells("park", ended(*calls)))
    assert {(cell.call, cell.nth) for cell in cells} == {("kms:ListKeys", n) for n in range(1, 6)}
    assert {cell.kind for cell in cells} == {"cut", "dropped", "empty", "throttle", "500"}
    assert cells[0].fault()["times"] == 4, "botocore’s own retries do not hide it"


def test_a_single_fault_that_passes_is_of_any_kind_but_a_refusal() -> None:
    cells = list(TRANSIENT.cells("park", ended("kms:ListKeys", "cloudhsm:DeleteHsm")))
    assert {cell.kind for cell in cells} == {*CRASHES.kinds, *READS.kinds} - {"denied"}
    assert {cell.fault()["times"] for cell in cells} == {1}
    assert TRANSIENT.together == 1


def test_slack_refuses_in_its_own_words() -> None:
    assert Cell("park", "slack:chat.update", 2, "denied").fault() == {
        "call": "slack:chat.update",
        "nth": 2,
        "times": 1,
        "kind": "error",
        "code": "missing_scope",
    }
    assert Cell("park", "kms:ListKeys", 1, "denied").fault()["code"] == "AccessDeniedException"


@pytest.mark.parametrize("together", [1, 5, 12])
def test_each_fault_is_in_one_play_and_a_play_breaks_a_call_once(together: int) -> None:
    calls = [f"call-{n}" for n in range(23) for _ in range(n % 4 + 1)]
    cells = list(CRASHES.cells("park", ended(*calls)))
    rounds = rounds_of(cells, together=together, ways=len(CRASHES.kinds))
    assert sorted(cell for one in rounds for cell in one) == sorted(cells)
    for one in rounds:
        assert len(one) <= together
        assert len({cell.call for cell in one}) == len(one)
        ways = [cell.kind for cell in one]
        assert all(ways.count(kind) <= len(one) // len(CRASHES.kinds) + 1 for kind in CRASHES.kinds)


def test_neighbours_of_the_story_share_a_play() -> None:
    calls = (
        "kms:ListKeys",
        "kms:DescribeKey",
        "kms:DescribeKey",
        "kms:ListKeys",
        "slack:users.info",
    )
    cells = list(READS.cells("park", ended(*calls)))
    rounds = stretches(cells, calls, together=7)
    assert sorted(cell for one in rounds for cell in one) == sorted(cells)
    assert [(c.call, c.nth) for c in rounds[0]] == [("kms:ListKeys", 1)] * 5 + [
        ("kms:DescribeKey", 1)
    ] * 2
    assert {c.call for c in rounds[-1]} == {"slack:users.info"}


def test_what_failed_is_asked_again_so_later_faults_of_the_same_call_count_on() -> None:
    three = tuple(Cell("park", "a", nth, "cut", times=4) for nth in (2, 2, 3))
    assert [fault["nth"] for fault in faults_of(three)] == [2, 6, 11]
    assert [fault["nth"] for fault in faults_of((three[0], Cell("park", "b", 3, "cut")))] == [2, 3]


def test_a_sample_is_spread_over_all() -> None:
    chosen = spread(range(600), 60, 0)
    assert len(set(chosen)) == 60
    assert {place // 100 for place in chosen} == set(range(6))
    assert spread(range(600), 3, 57) == chosen[57:]


def test_what_failed_or_never_came_is_played_alone() -> None:
    cells = (Cell("park", "a", 1, "500"), Cell("park", "b", 9, "denied"))
    assert Play(cells, "parked", helped=False).to_do_alone() == ()
    assert Play(cells, "parked", helped=False, missed=cells[1:]).to_do_alone() == cells[1:]
    assert Play(cells, "none", helped=False, why="x", missed=cells[1:]).to_do_alone() == cells


def test_the_table_says_what_held_and_what_did_not(tmp_path: Path) -> None:
    held, broken = (Cell("park", "kms:ListKeys", nth, "denied") for nth in (1, 2))
    late = Cell("park", "kms:ListKeys", 3, "denied")
    plays = [
        Play((held, late), "parked", helped=True, missed=(late,)),
        Play((broken,), "none", helped=False, why="landed twice: x"),
    ]
    lines = matrix_lines(Matrix(CRASHES, tell=print), plays, seconds=3)
    assert lines[0].startswith("2 of 0 faults came in 2 plays")
    row = next(line for line in lines if line.startswith("| denied |"))
    assert row.split(" | ")[1 + CRASHES.stories.index("park")] == "1/2 (1)"
    assert row.count("–") == len(CRASHES.stories) - 1
    assert "- park, kms:ListKeys #2 denied: landed twice: x" in lines
    document = tmp_path / "page.md"
    document.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n")
    write(document, "x", ["new"])
    assert document.read_text() == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", CRASHES.stories if THOROUGH else CRASHES.stories[:2])
def test_the_deployed_bot_comes_to_the_same_end(story: str) -> None:
    good = untroubled(story)
    rounds = CRASHES.rounds(story, good)
    play = troubled({story: good}, rounds[len(rounds) // 2], people_help=True)
    assert play.why == "", play
    assert len(play.missed) < len(play.cells)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", ALL_STORIES if THOROUGH else ["cancel", "empty store"])
def test_reads_that_fail_need_nobody(story: str) -> None:
    good = untroubled(story)
    (chosen,) = spread(READS.rounds(story, good), 1, 3)
    play = troubled({story: good}, chosen, people_help=False)
    assert play.why == "", play

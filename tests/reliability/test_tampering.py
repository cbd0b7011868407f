"""A slice of the tamper matrix, and that it can fail: `make tamper-matrix` tries all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.aws.store.cases import Stored
from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.simulation import MADE
from chalicelib.domain.state.plan import Operation, Remedy
from sandbox import sample
from sandbox.reliability.fast_cases import STORIES, WORLDS
from sandbox.reliability.matrix import untroubled
from sandbox.reliability.report import tamper_lines
from sandbox.reliability.stand import SEALS
from sandbox.reliability.tampered_plays import TamperedPlay, tampered
from sandbox.reliability.tampering import (
    Moment,
    Tried,
    all_edits,
    broken,
    play,
    told,
)
from tests.reliability.profiles import SLOWLY, THOROUGH

SPREAD = 29
"""Edits further at each moment, so that a few of them are of every kind."""


def test_each_remedy_is_told_to_its_end_and_back() -> None:
    ends = {story: str(told(story)[-1].case.outcome) for story in STORIES if told(story)}
    assert ends.items() >= {
        ("retire, to the end", "retired"),
        ("park, to the end", "parked"),
        ("repoint, to the end", "repointed"),
        ("retire, cancelled", "cancelled"),
        ("park, cancelled", "cancelled"),
        ("repoint, cancelled", "cancelled"),
        ("park, undone", "cancelled"),
        ("rescue of its HSMs, to the end", "rescued"),
        ("rescue of the cluster, to the end", "rescued"),
        ("rescue of the cluster, cancelled", "cancelled"),
        ("release, to the end", "released"),
        ("release, cancelled", "cancelled"),
    }
    assert {remedy for remedy, _, _ in WORLDS.values()} == set(Remedy) - {Remedy.KEEP}


@pytest.mark.parametrize("story", [pytest.param(story, marks=SLOWLY) for story in STORIES])
def test_who_writes_the_table_can_only_stop_work(story: str) -> None:
    for number in range(0, len(told(story)), 1 if THOROUGH else 3):
        for one in play(story, number, most=1, offset=SPREAD * number):
            assert one.why == "", one


class Credulous(TurnCases):
    """Believes what it finds."""

    def _believe(self, stored: Stored) -> None:
        if stored.body is not None:
            self.digest = stored.body.digest


def credulous(story: str, number: int, what: str) -> str:
    """What the matrix says of a bot that believes its table."""
    played, moment = STORIES[story](), told(story)[number]

    def for_turn(anchor: Anchor, generation: int) -> TurnCases:
        inbox, body = SEALS
        return Credulous(
            played._stand.table, anchor, generation=generation, inbox_seal=inbox, body_seal=body
        )

    played.ports = replace(played.ports, for_turn=for_turn)
    edit = next(e for e in all_edits(story, moment) if e.what == what)
    return broken(played, moment, edit)


def begun(story: str) -> int:
    return next(n for n, moment in enumerate(told(story)) if moment.case.plan_has_begun)


def test_a_bot_that_believes_its_table_is_found_out() -> None:
    story = "retire, cancelled"
    approved = begun(story) - 1
    said = credulous(story, len(told(story)) - 1, f"all of moment {approved}")
    assert said.startswith("called kms:ScheduleKeyDeletion")
    assert credulous(story, begun(story), "field turns").startswith("no alarm")


def test_what_is_genuine_and_what_is_not() -> None:
    """The judge of the matrix: approvals of the open round, and ways back that were asked for."""
    story = "retire, to the end"
    first, *_, last = told(story)
    running = told(story)[begun(story)]
    (call, *_) = running.case.plan.calls if running.case.plan else ()
    planned = (call.operation, call.targets[0], "")
    assert [moment.covers(planned) for moment in (first, running, last)] == [False, True, False]
    assert not running.covers((call.operation, "another key", ""))
    assert not replace(running, case=replace(running.case, ending=last.case.clicks[0])).covers(
        planned
    )


def test_the_way_back_from_a_rescue_removes_what_it_made_and_nothing_else() -> None:
    going = told("rescue of the cluster, cancelled")[-2]
    assert going.covers((Operation.DELETE_CLUSTER, MADE, MADE))
    assert not going.covers((Operation.DELETE_CLUSTER, sample.CLUSTER, ""))
    assert not told("rescue of the cluster, to the end")[-2].covers(
        (Operation.DELETE_CLUSTER, MADE, MADE)
    )


def test_the_figures_say_what_held_and_what_did_not() -> None:
    found = [
        Tried("park, undone", "edited", "moment 1: BODY.body", ended=True),
        Tried("park, undone", "edited", "moment 2: BODY.body", "no alarm"),
    ]
    plays = [TamperedPlay("park", 7), TamperedPlay("undo", 3, "no alarm")]
    lines = tamper_lines(found, plays, moments=2, seconds=3)
    assert lines[0].startswith("2 edits at 2 moments of 1 stories, 3 s; 1 did not hold; after 1 ")
    assert "| park, undone | 1/2 | 0/0 | 0/0 | 0/0 |" in lines
    assert lines[-1] == "- park, undone, moment 2: BODY.body: no alarm"
    assert any("1 of 2 stories ended as they should: park (7)" in line for line in lines)
    assert "- undo: no alarm" in lines
    assert any(line.startswith("Not offered in this world:") for line in lines)


def test_a_moment_that_is_not_reached_is_no_story() -> None:
    assert isinstance(told("retire, to the end")[0], Moment)
    assert told("retire, undone") == ()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_deployed_bot_goes_on_once_the_true_items_are_back() -> None:
    play = tampered("park", untroubled("park"))
    assert play.why == ""
    assert play.edits > 3

"""What was never delivered and what has died: the schedule finds both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.state.case import Outcome
from chalicelib.failures import ConflictError, PermanentError
from chalicelib.flows.open_case import open_case
from chalicelib.flows.sweep import sweep
from chalicelib.ports import CaseTrigger, Opened
from tests.flows.engine import Engine, approved, asked
from tests.flows.stand import Stand, key, world
from tests.reliability.figures import TRIED
from tests.reliability.plots import STORIES
from tests.reliability.stories import played, untroubled
from tests.reliability.trouble import KINDS, Trouble, troubled

Make = Callable[..., Stand]


def test_a_failed_delete_that_eventbridge_lost_is_found_once(stand: Make) -> None:
    it = stand(world())
    it.trail.found = [it.failed()]
    swept = [sweep(it.ports) for _ in range(3)]
    assert [s.found for s in swept] == [1, 0, 0]
    assert len(it.stored.pointers()) == 1
    assert len(it.runs.started) == 1
    TRIED["events that were never delivered, found by the sweep"] += 1


def test_an_event_that_ended_as_a_dead_letter_is_found(stand: Make) -> None:
    it = stand(world())
    engine = Engine(it)
    failed, good = it.failed(), it.ports

    def broken(failed: CaseTrigger, *, now: object) -> Opened:
        raise RuntimeError("the table can't be reached")

    it.ports = replace(good, cases=broken_store(good.cases, broken))
    engine.deliver(failed)
    engine.go(until=lambda: not engine.later)
    assert it.stored.pointers() == [], "three tries, all in vain"
    it.ports = good
    it.trail.found = [failed]
    engine.go(until=lambda: bool(it.stored.pointers()))
    assert [s.found for s in engine.swept].count(1) == 1
    TRIED["events that were never delivered, found by the sweep"] += 1


def test_a_sleeping_case_moves_once_the_setting_names_another_channel(stand: Make) -> None:
    it = stand(world())
    _, case_id = asked(it)
    place = it.case(case_id).message.channel
    for channel, moves in (("", 0), (place, 0), ("C0NEW", 1)):
        assert sweep(replace(it.ports, channel=channel)).restarted == moves, channel
    it.slack.down = True
    it.turn(case_id)
    behind = sweep(replace(it.ports, channel="C0NEW"))
    assert behind.restarted == 0, "a run that Slack refuses tries by itself"


def broken_store(cases: object, open_or_fold: object) -> Any:
    """The store but for one method."""

    class Broken:
        def __getattr__(self, name: str) -> object:
            return open_or_fold if name == "open_or_fold" else getattr(cases, name)

    return Broken()


def test_one_place_that_cant_be_read_hides_no_other(stand: Make) -> None:
    it = stand(world())
    failed = it.failed()

    class Refusing:
        def calls(self, account: str, region: str, **_: object) -> list[CaseTrigger]:
            if region == "eu-west-1":
                raise PermanentError(
                    "AWS refused cloudtrail:LookupEvents: access denied.", "Allow it."
                )
            return [failed]

        def failed_uses(self, *_: object, keys: object) -> Iterator[Any]:
            yield from ()

    places = (("111122223333", "eu-west-1"), ("111122223333", "us-east-1"))
    it.ports = replace(it.ports, trail=Refusing(), places=places)
    swept = sweep(it.ports)
    assert swept.found == 1
    assert len(swept.unread) == 1
    assert "access denied" in swept.unread[0]


def test_an_event_that_others_hold_does_not_end_the_sweep(stand: Make) -> None:
    it = stand(world())
    opened = open_case(it.ports, it.failed())
    assert opened
    it.runs.started.clear()

    def held(failed: CaseTrigger, *, now: object) -> Opened:
        raise ConflictError("others")

    it.trail.found = [it.failed("event-2")]
    it.ports = replace(it.ports, cases=broken_store(it.ports.cases, held))
    assert sweep(it.ports).restarted == 1


def test_a_dead_run_is_followed_by_the_next(stand: Make) -> None:
    it = stand(world())
    engine, case_id = asked(it)
    engine.runs[case_id, 0].status = "FAILED"
    engine.go(until=lambda: (case_id, 1) in engine.runs)
    assert it.case(case_id).generation == 1
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.RETIRED


def test_a_click_whose_wake_was_lost_is_heard_within_the_hour(stand: Make) -> None:
    """Else a cancel would sleep up to a day, and keys would be gone meanwhile."""
    it = stand(world(key(1)))
    engine, case_id = approved(it)
    engine.go(until=lambda: "KMS deletes" in it.case(case_id).waiting_for)
    trouble = Trouble(at=4, kind="die_before")
    good, it.ports = it.ports, troubled(it.ports, trouble)
    with pytest.raises(BaseException, match=r"runs\.wake"):
        it.click("alice", "cancel", case_id)
    it.ports, clicked_at = good, it.clock.now
    engine.go(until=lambda: it.case(case_id).is_closed)
    assert it.case(case_id).outcome is Outcome.CANCELLED
    assert it.clock.now - clicked_at < timedelta(hours=2)


def test_a_further_call_whose_wake_was_lost_is_heard_within_the_hour(stand: Make) -> None:
    """It may be the cluster’s deletion: the message would go on showing what is no more."""
    it = stand(world(key(1)))
    engine, case_id = approved(it)
    engine.go(until=lambda: "KMS deletes" in it.case(case_id).waiting_for)
    it.stored.open_or_fold(
        it.failed("event-2"), now=it.clock.now
    )  # and dies before it wakes the run
    folded_at = it.clock.now
    engine.go(until=lambda: it.case(case_id).attempts_seen == 2)
    assert it.clock.now - folded_at < timedelta(hours=2)


@pytest.mark.parametrize("turns_a_run", [2, 3])
@pytest.mark.parametrize("story", STORIES)
def test_runs_hand_over(story: str, turns_a_run: int) -> None:
    end = untroubled(story, turns_a_run=turns_a_run)
    assert end.state == untroubled(story).state
    assert end.case.generation >= end.case.turns // turns_a_run - 2
    assert (end.twice, end.illegal, end.flaws) == ([], (), ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_hand_over_that_dies_half_way_is_made_good(kind: str) -> None:
    story = "park"
    expected = untroubled(story, turns_a_run=2)
    for at, call in enumerate(expected.calls):
        if call in ("cases.next_generation", "runs.start"):
            end = played(story, at=at, kind=kind, turns_a_run=2)
            assert end.state == expected.state, (kind, at, call)
            assert (end.twice, end.illegal, end.flaws) == ([], (), ())

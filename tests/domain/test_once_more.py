"""One fresh yes before a late point of no return: the plan and its approvals stand meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.clicks import NotPossible, Obstacle, apply_clicks, not_possible
from chalicelib.domain.rules.step import Ask, Call
from chalicelib.domain.simulation import store_in
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, StoreState
from tests.domain.worlds import (
    DAY,
    HOURS,
    POLICY,
    STORE,
    Play,
    approved,
    key,
    with_keys,
    world,
    yes,
)

TWO_DAYS = replace(POLICY, go_again_after=48)


def asked_once_more() -> Play:
    """The keys are gone and the store is disconnected; its deletion waits for a yes."""
    play = approved(world(key("a")), Remedy.RETIRE, policy=TWO_DAYS)
    step = play.to_question()
    assert isinstance(step, Ask)
    assert step.once_more
    assert step.differences[0].what == "Last approval"
    assert play.operations == [Operation.SCHEDULE_KEY_DELETION, Operation.DISCONNECT_KEY_STORE]
    return play


def not_offered(remedy: Remedy) -> NotPossible:
    return NotPossible(Obstacle.NOT_OFFERED, remedy=remedy)


def test_the_plan_stands_and_is_the_only_offer() -> None:
    play = asked_once_more()
    assert play.case.phase is Phase.WAITING
    assert play.case.plan
    assert play.case.offers == (play.case.plan,)
    assert play.case.waiting_for == ""
    assert [item.what for item in play.case.differences] == ["Last approval"]
    assert [click.by for click in play.case.approved] == ["alice", "bob"]


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
def test_one_yes_of_anybody_who_may_approve_is_enough(who: str) -> None:
    play = asked_once_more()
    plan = play.approve(Remedy.RETIRE, who)
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation is Operation.DELETE_KEY_STORE
    assert play.case.plan == plan
    assert play.case.approved[-1].by == who, "who decided last is AWS's source identity"
    assert {click.by for click in play.case.approved} == {"alice", "bob", who}
    assert play.case.differences == ()
    assert play.to_close().outcome is Outcome.RETIRED
    assert sum(isinstance(step, Ask) for step in play.steps) == 2, "the first look, and once more"


def test_nothing_happens_without_a_yes_however_long_it_takes() -> None:
    play = asked_once_more()
    before, asked = list(play.calls), play.case.reset_at_click
    for hours in range(30):
        play.now += hours * HOURS
        play.click(Act.LOOK)
        step = play.turn()
        assert isinstance(step, Ask)
        assert step.once_more
        assert play.case.differences == step.differences
    assert play.calls == before
    assert play.case.reset_at_click == asked
    play.approve(Remedy.RETIRE, "bob")
    assert play.to_close().outcome is Outcome.RETIRED


def test_a_yes_that_is_heard_a_day_later_counts() -> None:
    play = asked_once_more()
    play.approve(Remedy.RETIRE, "alice")
    play.now += 30 * HOURS
    assert isinstance(play.turn(), Call)


def test_where_that_yes_gets_old_too_the_next_point_of_no_return_asks_again() -> None:
    play = asked_once_more()
    play.approve(Remedy.RETIRE, "alice")
    play.to_call(Operation.DELETE_KEY_STORE)
    play.now += 3 * DAY
    step = play.to_question()
    assert isinstance(step, Ask)
    assert step.once_more
    assert play.case.reset_at_click == len(play.case.clicks), "alice may say it once more"
    play.approve(Remedy.RETIRE, "alice")
    assert play.to_close().outcome is Outcome.RETIRED


def test_meanwhile_only_this_plan_can_be_decided() -> None:
    case = asked_once_more().case
    assert not_possible(case, Act.APPROVE, Remedy.RETIRE) is None
    assert not_possible(case, Act.KEEP, Remedy.KEEP) == not_offered(Remedy.KEEP)
    assert not_possible(case, Act.APPROVE, Remedy.PARK) == not_offered(Remedy.PARK)
    assert not_possible(case, Act.LOOK, Remedy.PARK) is None, (
        "its dialog says that it is not possible"
    )
    no_plan = replace(case, plan=None, offers=())
    assert not_possible(no_plan, Act.KEEP, Remedy.KEEP) is None
    assert not_possible(no_plan, Act.LOOK, Remedy.PARK) is None


def test_the_log_says_which_yes_came_once_more() -> None:
    play = asked_once_more()
    play.approve(Remedy.RETIRE, "alice")
    _, (again,) = apply_clicks(play.case, play.now)
    assert again["again"] == "yes"
    _, (first,) = apply_clicks(replace(play.case, plan=None), play.now)
    assert first["again"] == ""


def test_it_reminds_once_a_day() -> None:
    play = asked_once_more()
    first = play.case.expires_at
    assert first
    play.case = replace(play.case, reminded=True)
    play.now += HOURS
    play.turn()
    assert (play.case.expires_at, play.case.reminded) == (first, True)
    play.now = first
    play.turn()
    assert (play.case.expires_at, play.case.reminded) == (first + DAY, False)


def test_a_yes_to_another_plan_and_one_of_somebody_who_may_not_do_not_count() -> None:
    play = asked_once_more()
    assert play.case.plan
    other = replace(play.case.plan, window_days=8)
    play.people["guest"] = Person("guest", "T1", is_approver=False)
    clicks = (yes("carol", other, play.now), yes("guest", play.case.plan, play.now))
    play.case = replace(play.case, clicks=(*play.case.clicks, *clicks))
    assert isinstance(play.turn(), Ask)
    assert [click.by for click in play.case.approved] == ["alice", "bob"]


def test_a_fresh_yes_makes_up_for_nobody_who_may_no_longer_approve() -> None:
    play = asked_once_more()
    play.approve(Remedy.RETIRE, "bob")
    play.people["alice"] = replace(play.people["alice"], is_approver=False)
    step = play.turn()
    assert isinstance(step, Ask)
    assert not step.once_more
    assert step.differences[0].what == "Approval of alice"
    assert play.case.plan is None


def test_a_world_that_changes_meanwhile_voids_all() -> None:
    play = asked_once_more()
    play.change(with_keys(key("z")))
    step = play.turn()
    assert isinstance(step, Ask)
    assert not step.once_more
    assert play.case.plan is None
    play.approve(Remedy.RETIRE, "alice")
    assert isinstance(play.turn(), Ask), "one is not enough for another plan"


def test_cancel_works_meanwhile() -> None:
    play = asked_once_more()
    play.click(Act.CANCEL, by="dave")
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.operations[-1] is Operation.CONNECT_KEY_STORE


def test_a_plan_that_could_not_begin_in_time_needs_all_of_them_again() -> None:
    """Nothing was changed yet: there is nothing that a yes would let go on."""
    play = approved(
        store_in(STORE, StoreState.DISCONNECTED)(world()),
        Remedy.RETIRE,
        policy=replace(POLICY, go_again_after=1, quiet_minutes=240),
    )
    step = play.to_question()
    assert isinstance(step, Ask)
    assert not step.once_more
    assert play.case.plan is None
    assert play.calls == []


def test_a_case_that_was_taken_up_again_with_its_plan_asks_those_who_approved_anew() -> None:
    going = key("a", KeyState.PENDING_DELETION, deletion_date=world().at + 5 * DAY)
    play = approved(world(going), Remedy.RETIRE, policy=TWO_DAYS)
    play.until(lambda step: isinstance(step, Call))
    offers = (*play.case.offers, *play.case.offers)
    play.now += 3 * DAY
    play.case = replace(play.case, phase=Phase.WAITING, offers=offers)
    assert isinstance(play.to_question(), Ask)
    assert play.case.reset_at_click == len(play.case.clicks)
    play.approve(Remedy.RETIRE, "alice")
    assert play.to_close().outcome is Outcome.RETIRED


def test_a_plan_that_waited_for_the_keys_of_others_has_begun_with_that() -> None:
    going = key("a", KeyState.PENDING_DELETION, deletion_date=world().at + timedelta(days=5))
    play = approved(world(going), Remedy.RETIRE, policy=TWO_DAYS)
    step = play.to_question()
    assert isinstance(step, Ask)
    assert step.once_more
    play.approve(Remedy.RETIRE, "alice")
    assert play.to_close().outcome is Outcome.RETIRED

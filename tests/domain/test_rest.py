"""A case lives while keys wait that it scheduled: asked again, stopped, kept, and closed by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.clicks import not_possible, reopens
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.rules.waiting import until_next
from chalicelib.domain.state.case import CallStatus, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, StoreState
from tests.domain.worlds import (
    DAY,
    HOURS,
    MINUTE,
    NOW,
    POLICY,
    Play,
    approved,
    key,
    store,
    with_keys,
    world,
)

WEEK = replace(POLICY, pending_window_days=7)
WATCHED = "the keys that wait are watched"


def scheduled() -> Play:
    play = approved(world(key("a"), key("b")), Remedy.RETIRE, policy=WEEK)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    assert isinstance(play.turn(), Wait)
    play.now = NOW + 3 * MINUTE
    return play


def asked_again() -> Play:
    """Somebody disconnects the store while the keys wait."""
    play = scheduled()
    play.now += 6 * HOURS
    play.change(lambda it: replace(it, key_stores=(store(StoreState.DISCONNECTED),)))
    assert isinstance(play.turn(), Ask)
    return play


def stopped() -> Play:
    play = scheduled()
    play.case = replace(play.case, phase=Phase.CLOSED, outcome=Outcome.STOPPED, reason="No.")
    return play


def test_asked_again_it_does_not_expire_before_the_keys_are_gone() -> None:
    play = asked_again()
    assert play.case.expires_at is None
    for day in range(1, 7):
        play.now = NOW + day * DAY
        assert isinstance(play.turn(), Ask)
        assert (play.case.phase, play.case.expires_at) == (Phase.WAITING, None)
    play.now = NOW + 7 * DAY + HOURS
    assert isinstance(play.turn(), Wait), "gone means two looks"
    assert play.case.watches
    play.turn()
    assert play.case.expires_at == play.now - timedelta(seconds=1) + DAY
    assert not play.case.watches
    assert play.to_close().outcome is Outcome.EXPIRED
    assert play.case.is_over


def test_cancel_brings_them_back_at_any_time_before() -> None:
    play = asked_again()
    play.now = NOW + 6 * DAY
    play.click(Act.CANCEL, "bob")
    assert play.to_close().outcome is Outcome.CANCELLED
    assert {k.state for k in play.model.world.keys} == {KeyState.ENABLED}
    assert play.case.is_over


def test_a_stopped_case_looks_on_until_the_keys_are_gone() -> None:
    play = stopped()
    step = play.turn()
    assert isinstance(step, Wait)
    assert (step.why, play.case.is_over) == (WATCHED, False)
    assert (play.case.phase, play.case.outcome) == (Phase.CLOSED, Outcome.STOPPED)
    assert not reopens(play.case, Act.CANCEL), "its run lives"
    assert not_possible(play.case, Act.CANCEL) is not_possible(play.case, Act.REFRESH) is None
    step = play.to_close()
    assert (step.outcome, step.reason) == (Outcome.STOPPED, "No.")
    assert play.case.is_over
    assert play.now >= NOW + 7 * DAY
    assert len(play.steps) < 10, "a few looks a week are enough"


@pytest.mark.parametrize("act", [Act.CANCEL, Act.UNDO, Act.REFRESH])
def test_a_stopped_case_that_looks_on_hears_people(act: Act) -> None:
    play = stopped()
    play.turn()
    play.click(act, "bob")
    step = play.turn()
    if act is Act.REFRESH:
        assert play.case.phase is Phase.RUNNING
    else:
        assert isinstance(step, Call)
        assert step.operation is Operation.CANCEL_KEY_DELETION


def test_without_keys_a_stopped_case_is_over() -> None:
    play = Play(world(key()))
    play.turn()
    play.case = replace(play.case, phase=Phase.CLOSED, outcome=Outcome.STOPPED, watches=True)
    assert play.turn() == Close(Outcome.STOPPED, "", ())
    assert play.case.is_over


def test_where_aws_hides_the_keys_it_looks_on_once_an_hour() -> None:
    play = stopped()
    play.change(lambda it: replace(it, keys=(), unread=("kms:ListKeys was refused",)))
    step = play.turn()
    assert isinstance(step, Wait)
    assert (step.seconds, play.case.is_over) == (3600, False)


def test_a_cluster_that_others_delete_does_not_end_the_watch() -> None:
    play = scheduled()
    play.change(lambda it: replace(it, cluster=None))
    assert isinstance(play.to_question(), Ask)
    assert (play.case.watches, play.case.is_over) == (True, False)


def test_a_kept_case_wakes_before_a_key_of_ours_goes() -> None:
    play = asked_again()
    until = play.now + 60 * DAY
    play.click(Act.KEEP, remedy=Remedy.KEEP, reason="wait", keep_until=until)
    step = play.turn()
    assert isinstance(step, Wait)
    assert play.case.outcome is Outcome.KEPT
    assert step.seconds <= 3 * 86_400


@pytest.mark.parametrize(
    ("why", "dates", "seconds"),
    [
        ("no date is known", (None,), 20),
        ("days ahead", (NOW + 9 * DAY,), 3 * 86_400),
        ("a day before the first of them", (NOW + 2 * DAY, NOW + 9 * DAY), 86_400),
        ("the last day", (NOW + DAY,), 86_401),
        ("their last day", (NOW + DAY, NOW + DAY + 30 * MINUTE), 88_201),
        ("those within the hour go as one", (NOW + HOURS, NOW + HOURS + 30 * MINUTE), 5_401),
        ("a later one has its own turn", (NOW + HOURS, NOW + 3 * HOURS), 3_601),
        ("AWS is late with one of them", (NOW - HOURS, NOW + 3 * HOURS), 10_801),
        ("AWS is late with all", (NOW - HOURS,), 120),
    ],
)
def test_when_to_look_at_keys_that_wait(why: str, dates: tuple[object, ...], seconds: int) -> None:
    keys = [key(f"k{n}", KeyState.PENDING_DELETION, deletion_date=d) for n, d in enumerate(dates)]
    assert until_next(keys, NOW) == seconds, why


def test_a_key_brought_back_by_somebody_ends_its_watch() -> None:
    play = stopped()
    play.now += DAY
    play.change(with_keys(key("a"), key("b")))
    assert play.to_close().outcome is Outcome.STOPPED
    refused = [call for call in play.case.calls if call.status is not CallStatus.DONE]
    assert refused == []

"""Which moments must reach people, how often, and when they are over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.domain.remedies import rescue_plan
from chalicelib.domain.rules.notices import MOST_REMEMBERED, is_down, keys_go, noticed, still_off
from chalicelib.domain.state.case import Case, KeyUse, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.slack_message import Moment, Notice, SlackMessage
from chalicelib.domain.state.snapshot import KeyState, StoreState
from tests.domain.worlds import (
    DAY,
    HOURS,
    MINUTE,
    NOW,
    Play,
    case,
    cluster,
    situation,
    store,
    world,
)
from tests.slack.moments import OLD, waiting_for_keys

SHOWN = SlackMessage("C1", "1.0")


def moments(it: Case) -> list[Moment]:
    return [notice.moment for notice in it.message.notices]


def said(it: Case) -> Case:
    """As it is once Slack has taken everything that was due."""
    notices = [
        replace(n, told_at=n.at, channel="C1", ts="2.0") if n.is_due else n
        for n in it.message.notices
    ]
    return replace(it, message=replace(it.message, notices=tuple(notices)))


def use(number: int, play: Play, who: str = "role nightly") -> KeyUse:
    return KeyUse(f"event-{number}", play.now, OLD.key_id, who, "Decrypt")


def going() -> Play:
    play = waiting_for_keys()
    play.case = replace(play.case, message=SHOWN)
    return play


def used(play: Play, who: str = "role nightly") -> Case:
    uses = (*play.case.key_uses, use(len(play.case.key_uses), play, who))
    play.case = said(noticed(replace(play.case, key_uses=uses, uses_seen=len(uses)), play.now))
    return play.case


def test_nothing_is_said_where_nothing_is_bad() -> None:
    quiet = replace(case(snapshot=world()), message=SHOWN)
    assert noticed(quiet, NOW) is quiet


def test_the_first_use_is_said_then_only_a_further_caller() -> None:
    play = going()
    assert moments(used(play)) == [Moment.KEY_USED]
    play.now += 2 * HOURS
    assert len(used(play).message.notices) == 1, "the same caller again"
    assert len(used(play, "role other").message.notices) == 2
    assert play.case.message.notices[1].uses == 3


def test_uses_are_said_once_an_hour_and_three_times_a_day() -> None:
    play = going()
    used(play, "a")
    play.now += 30 * MINUTE
    assert len(used(play, "b").message.notices) == 1
    play.now += 31 * MINUTE
    play.case = said(noticed(play.case, play.now))
    assert len(play.case.message.notices) == 2, "what came too soon is said an hour later"
    for who in "cd":
        play.now += 2 * HOURS
        used(play, who)
    assert len(play.case.message.notices) == 3
    play.now += DAY
    assert len(used(play, "e").message.notices) == 4


def test_uses_are_over_once_the_keys_are_back() -> None:
    play = going()
    used(play)
    back = replace(play.case, snapshot=world(OLD), calls=())
    [notice] = noticed(back, play.now).message.notices
    assert notice.over_at == play.now
    assert notice.is_stale
    assert noticed(
        replace(back, message=replace(back.message, notices=(notice,))), NOW
    ).message.notices == (notice,)


def test_what_is_not_seen_is_not_over() -> None:
    play = going()
    used(play)
    blind = replace(play.case, snapshot=replace(world(OLD), unread=("keys",)), calls=())
    assert noticed(blind, play.now).message.notices[0].over_at is None
    unknown = replace(play.case, snapshot=None)
    assert keys_go(unknown)
    assert noticed(unknown, play.now).message.notices[0].over_at is None


def test_a_use_of_a_key_that_was_switched_off_counts() -> None:
    play = going()
    call = replace(play.case.calls[0], operation=Operation.DISABLE_KEY, target=OLD.key_id)
    off = replace(OLD, state=type(OLD.state)("Disabled"))
    play.case = replace(play.case, calls=(call,), snapshot=world(off))
    assert moments(used(play)) == [Moment.KEY_USED]


def test_a_use_counts_as_long_as_a_cancel_would_help() -> None:
    going_on = going().case
    key = OLD.key_id
    assert still_off(going_on, key)
    assert not still_off(going_on, "a key of somebody else")
    for unseen in (None, world(), world(replace(OLD, state=KeyState.UNKNOWN))):
        assert still_off(replace(going_on, snapshot=unseen), key)
    late = replace(world(OLD), at=NOW + 2 * DAY)
    assert not still_off(replace(going_on, snapshot=late), key), "it is back"
    call = replace(going_on.calls[0], operation=Operation.DISABLE_KEY, target=key)
    off = replace(OLD, state=KeyState.DISABLED)
    assert still_off(replace(going_on, calls=(call,), snapshot=world(off)), key)
    assert not still_off(replace(going_on, calls=(call,), snapshot=world(OLD)), key)


def test_each_stop_is_said_once_and_over_once_somebody_tries_again() -> None:
    stopped = replace(
        case(snapshot=world()),
        phase=Phase.CLOSED,
        outcome=Outcome.STOPPED,
        closed_at=NOW,
        message=SHOWN,
    )
    once = said(noticed(stopped, NOW))
    assert moments(once) == [Moment.STOPPED]
    assert noticed(once, NOW + DAY) is once
    again = noticed(replace(once, phase=Phase.WAITING, outcome=None), NOW + DAY)
    assert again.message.notices[0].over_at == NOW + DAY
    twice = replace(again, phase=Phase.CLOSED, outcome=Outcome.STOPPED, closed_at=NOW + 2 * DAY)
    assert len(noticed(twice, NOW + 2 * DAY).message.notices) == 2


def test_the_last_call_is_said_before_keys_go() -> None:
    play = going()
    until = play.now + DAY
    called = said(noticed(replace(play.case, called_until=until), play.now))
    assert moments(called) == [Moment.LAST_CALL]
    assert noticed(called, play.now + HOURS) is called
    late = replace(play.case, called_until=play.now - HOURS)
    assert not moments(noticed(late, play.now)), "too late to call"


def kept(*acts: Act) -> Case:
    play = Play(world())
    for act in acts:
        play.click(act, keep_until=NOW + DAY if act is Act.KEEP else None)
    return replace(play.case, reset_at_click=len(play.case.clicks), message=SHOWN)


def test_a_keep_that_lapsed_is_said_until_it_is_decided() -> None:
    it = kept(Act.KEEP)
    assert not moments(noticed(it, NOW + HOURS)), "its time is not over"
    lapsed = said(noticed(it, NOW + 2 * DAY))
    assert moments(lapsed) == [Moment.KEEP_LAPSED]
    assert noticed(replace(lapsed, phase=Phase.RUNNING), NOW + 3 * DAY).message.notices[0].over_at
    assert not moments(noticed(kept(Act.KEEP, Act.UNDO), NOW + 2 * DAY)), "somebody took it back"
    assert not moments(noticed(kept(), NOW))


def down(**values: Any) -> Case:
    failed = world(OLD, held=store(StoreState.FAILED))
    return replace(case(snapshot=failed), **values)


def test_an_outage_is_told_again_ever_more_rarely() -> None:
    it = said(noticed(down(message=SHOWN), NOW))
    assert moments(it) == [Moment.STORE_DOWN]
    told = []
    for hours in range(1, 100):
        more = noticed(it, NOW + hours * HOURS)
        if more is not it:
            told.append(hours)
        it = said(more)
    assert told == [1, 4, 24, 48, 72, 96]


def test_nobody_is_asked_to_decide_while_a_rescue_runs() -> None:
    it = said(noticed(down(message=SHOWN), NOW))
    assert it.snapshot
    rescue = rescue_plan.plan(situation(it.snapshot, case=it))
    assert isinstance(rescue, Plan)
    running = replace(it, plan=rescue, phase=Phase.RUNNING)
    assert noticed(running, NOW + HOURS) is running
    assert len(noticed(replace(running, phase=Phase.WAITING), NOW + HOURS).message.notices) == 2


def test_the_first_message_of_an_outage_tells_of_it_itself() -> None:
    it = noticed(down(), NOW)
    assert moments(it) == [Moment.STORE_DOWN]
    assert not it.message.notices[0].is_due
    assert noticed(it, NOW) is it
    shown = replace(it, message=replace(it.message, ts="1.0"))
    assert noticed(shown, NOW + MINUTE) is shown
    assert len(noticed(shown, NOW + HOURS).message.notices) == 2


def test_an_outage_that_ended_is_over_and_a_new_one_is_told_at_once() -> None:
    it = said(noticed(down(message=SHOWN), NOW))
    up = noticed(replace(it, snapshot=world(OLD)), NOW + MINUTE)
    assert up.message.notices[0].over_at
    again = noticed(replace(up, snapshot=it.snapshot), NOW + 2 * MINUTE)
    assert len(again.message.notices) == 2


def test_what_counts_as_down() -> None:
    assert is_down(down())
    assert is_down(case(snapshot=world(OLD, cluster=cluster())))
    assert not is_down(case(snapshot=world(OLD, free=True)))
    assert not is_down(case(snapshot=world(OLD, held=store(StoreState.DISCONNECTED))))
    assert not is_down(case(snapshot=None))
    assert not is_down(down(phase=Phase.CLOSED, outcome=Outcome.RESOLVED))


def test_old_notices_are_forgotten_but_none_that_is_still_to_be_said() -> None:
    many = [Notice(Moment.STOPPED, f"{n}", NOW, told_at=NOW) for n in range(MOST_REMEMBERED)]
    due = Notice(Moment.STOPPED, "due", NOW)
    full = replace(SHOWN, notices=(due, *many))
    it = noticed(replace(down(), message=full, outcome=Outcome.STOPPED), NOW)
    assert len(it.message.notices) == MOST_REMEMBERED + 1
    assert it.message.notices[0] == due

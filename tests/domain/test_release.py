"""Release: the key store goes as in retire, and HSMs and cluster stay for another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.remedies import release
from chalicelib.domain.rules.gates import closed_gates
from chalicelib.domain.rules.step import Ask, Close
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    HOURS,
    POLICY,
    Play,
    approved,
    busy,
    case,
    cluster,
    key,
    situation,
    store,
    used,
    world,
)

SCHEDULE, OFF = Operation.SCHEDULE_KEY_DELETION, Operation.DISCONNECT_KEY_STORE
DELETE, CONNECT = Operation.DELETE_KEY_STORE, Operation.CONNECT_KEY_STORE
WEEK = replace(POLICY, pending_window_days=7)


def plan_in(snapshot: object) -> Plan | str:
    return release.plan(situation(snapshot))  # type: ignore[arg-type]


def test_keys_first_then_the_store_and_no_hsm() -> None:
    play = approved(world(key("a"), key("b", KeyState.DISABLED)), Remedy.RELEASE, policy=WEEK)
    end = play.to_close()
    assert end.outcome is Outcome.RELEASED
    assert play.operations == [SCHEDULE, SCHEDULE, OFF, DELETE]
    assert len(play.model.world.live_hsms) == 2
    assert play.case.phase is Phase.CLOSED


def test_an_empty_store_is_off_and_gone_at_once() -> None:
    play = approved(world(), Remedy.RELEASE)
    assert play.to_close().outcome is Outcome.RELEASED
    assert play.operations == [OFF, DELETE]


def test_a_store_that_is_off_is_connected_for_its_keys() -> None:
    off = world(key("a"), held=store(StoreState.DISCONNECTED))
    play = approved(off, Remedy.RELEASE, policy=WEEK)
    play.to_close()
    assert play.operations == [CONNECT, SCHEDULE, OFF, DELETE]


def test_others_that_use_the_hsms_do_not_matter_as_those_stay() -> None:
    off = store(StoreState.DISCONNECTED)
    used_by_others = world(key("a"), held=off, other_use=busy(9))
    plan = plan_in(used_by_others)
    assert isinstance(plan, Plan)
    assert not plan.terms.override
    assert closed_gates(Remedy.RELEASE, situation(used_by_others)) == ()
    assert closed_gates(Remedy.RETIRE, situation(used_by_others)) != ()


def test_keys_in_use_ask_for_as_many_people_and_the_box_as_retire() -> None:
    in_use = world(key("a", last_use=used(3 * HOURS)))
    plan = plan_in(in_use)
    assert isinstance(plan, Plan)
    assert (plan.terms.people, plan.terms.override) == (3, True)


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (world(free=True), "no key store uses the cluster"),
        (world(key("a"), zones=()), "Release is not possible: KMS can delete its keys only while"),
    ],
)
def test_what_is_not_possible_says_why(snapshot: object, words: str) -> None:
    assert words in str(plan_in(snapshot))


def test_a_key_that_somebody_brings_back_asks_again() -> None:
    play = approved(world(key("a")), Remedy.RELEASE, policy=WEEK)
    play.to_call(SCHEDULE)
    play.now += timedelta(hours=3)
    play.change(lambda w: replace(w, keys=(replace(w.keys[0], state=KeyState.DISABLED),)))
    assert isinstance(play.to_question(), Ask)
    assert "brought back" in play.case.differences[0].now


def test_cancelled_while_the_keys_wait_brings_them_back() -> None:
    play = approved(world(key("a")), Remedy.RELEASE, policy=WEEK)
    play.to_call(SCHEDULE)
    play.now += timedelta(hours=1)
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert [k.state for k in play.model.world.keys] == [KeyState.ENABLED]


def test_the_store_that_others_delete_first_is_what_was_wanted() -> None:
    for trigger in (Trigger.STORE_DELETE_BLOCKED, Trigger.CLUSTER_TAKEN):
        play = Play(world(), case=case(trigger=trigger))
        play.turn()
        play.change(lambda w: replace(w, key_stores=()))
        end = play.until(lambda step: isinstance(step, Close))
        assert isinstance(end, Close)
        assert (end.outcome, "free for a new one" in end.reason) == (Outcome.RESOLVED, True)
    blocked = Play(world())
    blocked.turn()
    blocked.change(lambda w: replace(w, key_stores=()))
    assert isinstance(blocked.sure_turn(), Ask), "its HSMs still block the cluster's deletion"


def test_a_never_activated_cluster_needs_no_backup_for_its_store() -> None:
    young = world(cluster=cluster("1a", state="INITIALIZED", backups=()))
    assert closed_gates(Remedy.RELEASE, situation(young)) == ()

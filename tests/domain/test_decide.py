"""Endings and their order, expiry, keep, and the small rules of a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.simulation import store_in
from chalicelib.domain.state.case import Before, CallStatus, Difference, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import NO_OTHERS, KeyState, StoreState
from tests.domain.worlds import (  # fmt: skip
    DAY,
    HOURS,
    MINUTE,
    NOW,
    STORE,
    Play,
    approved,
    cluster,
    hsms,
    key,
    store,
    with_keys,
    world,
)


def test_nobody_decides_in_time() -> None:
    play = Play(world(key()))
    play.turn()
    play.approve(Remedy.RETIRE, "alice")
    end = play.to_close()
    assert end.outcome is Outcome.EXPIRED
    assert end.reason == "Nobody decided in 24 hours."
    assert 23 * HOURS < play.now - NOW < 26 * HOURS


def test_a_yes_after_the_deadline_begins_nothing() -> None:
    """The turn that should have closed the case came late."""
    play = Play(world(key()))
    play.turn()
    play.approve(Remedy.RETIRE, "alice")
    play.now = NOW + 24 * HOURS + MINUTE
    play.approve(Remedy.RETIRE, "bob")
    end = play.turn()
    assert isinstance(end, Close)
    assert end.outcome is Outcome.EXPIRED
    assert play.calls == []


def test_an_approved_plan_that_can_not_begin_in_time_asks_again() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTING)), Remedy.PARK)
    play.model.due.clear()
    assert isinstance(play.turn(), Wait)
    play.now += DAY
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].what == "Approvals"
    assert play.calls == []


def test_a_first_call_that_aws_refused_does_not_hold_off_the_deadline() -> None:
    play = approved(world(key()), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    record = play.case.calls[0]
    play.case = play.case.with_call(replace(record, status=CallStatus.REFUSED))
    play.change(with_keys(key()))
    play.now += 25 * HOURS
    assert isinstance(play.turn(), Ask)


def test_a_begun_plan_does_not_expire() -> None:
    play = approved(world(key()), Remedy.RETIRE)
    play.turn()
    play.now += 20 * DAY
    assert isinstance(play.turn(), Wait)


def test_an_approval_taken_back_before_it_begins() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTING)), Remedy.PARK)
    assert isinstance(play.turn(), Wait)
    play.click(Act.WITHDRAW, "alice")
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences[0].what == "Approval of alice"


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_while_keys_of_others_go_an_approval_can_be_taken_back(who: str) -> None:
    going = key("a", KeyState.PENDING_DELETION, deletion_date=NOW + 20 * DAY)
    play = approved(world(going), Remedy.RETIRE)
    assert isinstance(play.turn(), Wait)
    assert not_possible(play.case, Act.WITHDRAW) is None
    play.click(Act.WITHDRAW, who)
    step = play.turn()
    assert isinstance(step, Ask)
    assert step.differences == (Difference(f"Approval of {who}", "counted", "taken back"),)
    assert play.case.approved == ()


def test_an_approval_given_again_counts_again() -> None:
    going = key("a", KeyState.PENDING_DELETION, deletion_date=NOW + 20 * DAY)
    play = Play(world(going))
    play.turn()
    play.approve(Remedy.RETIRE, "alice")
    play.click(Act.WITHDRAW, "alice")
    play.approve(Remedy.RETIRE, "alice", "bob")
    assert isinstance(play.turn(), Wait)
    play.now += 10 * DAY
    assert isinstance(play.turn(), Wait)


def kept(days: int = 30) -> Play:
    play = Play(world(key()))
    play.turn()
    until = play.now + days * DAY
    play.click(Act.KEEP, "alice", owner="bob", keep_until=until, reason="audit")
    assert isinstance(play.turn(), Wait)
    return play


def test_a_kept_case_sleeps_and_the_question_comes_back() -> None:
    play = kept()
    assert (play.case.phase, play.case.outcome) == (Phase.CLOSED, Outcome.KEPT)
    assert play.case.keep
    assert (play.case.keep.owner, play.case.reason) == ("bob", "audit")
    for _ in range(3):
        play.turn()
    assert play.case.phase is Phase.WAITING
    assert play.case.keep is None
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.case.expires_at
    assert play.case.expires_at > play.now
    play.approve(Remedy.RETIRE)
    assert isinstance(play.turn(), Call)


def test_a_keep_without_a_date_or_in_the_past_is_no_loop() -> None:
    play = Play(world(key()))
    play.turn()
    play.click(Act.KEEP, "alice")
    assert isinstance(play.turn(), Ask)
    play.click(Act.KEEP, "alice", keep_until=NOW)
    assert isinstance(play.turn(), Wait)
    assert isinstance(play.turn(), Ask)


def test_a_keep_that_came_after_the_deadline_is_late() -> None:
    play = Play(world(key()))
    play.turn()
    play.now += 25 * HOURS
    play.click(Act.KEEP, "alice", keep_until=play.now + DAY)
    step = play.turn()
    assert isinstance(step, Close)
    assert step.outcome is Outcome.EXPIRED


def test_undo_ends_a_keep() -> None:
    play = kept()
    play.click(Act.UNDO, "carol")
    assert play.to_close().outcome is Outcome.CANCELLED


def test_a_kept_cluster_that_others_delete_is_resolved() -> None:
    play = kept()
    play.change(lambda s: replace(s, cluster=None, key_stores=()))
    assert play.to_close().outcome is Outcome.RESOLVED


def test_the_world_comes_before_a_rejection() -> None:
    play = Play(world())
    play.turn()
    play.change(lambda s: replace(s, cluster=None))
    play.turn()
    play.now += 2 * MINUTE
    play.click(Act.REJECT)
    assert play.to_close().outcome is Outcome.RESOLVED


def test_cancel_comes_before_a_begun_plan() -> None:
    play = approved(world(key()), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    step = play.turn()
    assert isinstance(step, Call)
    assert step.operation is Operation.CANCEL_KEY_DELETION


def test_a_hidden_cluster_is_not_parked() -> None:
    """Where DescribeClusters is refused, no HSM shows; that is no success, and no end either."""
    play = approved(world(), Remedy.PARK)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    before, plan = play.model.world.cluster, play.case.plan
    refused = "cloudhsm:DescribeClusters was refused."
    play.change(lambda s: replace(s, cluster=None, unread=(refused,)))
    why = "Unlatch must be allowed to read AWS: cloudhsm:DescribeClusters was refused"
    assert [play.turn() for _ in range(3)] == [Wait(300, why)] * 3
    assert play.case.phase is Phase.RUNNING
    assert play.case.waiting_for == why
    assert play.case.plan == plan, "its approvals stand"
    play.change(lambda s: replace(s, cluster=before, unread=()))
    assert play.to_close().outcome is Outcome.PARKED


def test_no_hsm_goes_while_a_key_store_may_be_hidden() -> None:
    """A key store that AWS does not let us see would lose its HSMs while it is connected."""
    refused = ("kms:DescribeCustomKeyStores was refused",)
    play = Play(world(free=True, unread=refused))
    play.turn()
    play.approve(Remedy.PARK, "alice")
    assert isinstance(play.turn(), Ask)
    seen = Play(world(free=True))
    seen.turn()
    seen.approve(Remedy.PARK, "alice")
    seen.change(lambda s: replace(s, unread=refused))
    assert isinstance(seen.turn(), Ask)
    assert play.calls == seen.calls == []
    offered = {plan.remedy for plan in play.case.offers}
    assert not offered & {Remedy.RELEASE, Remedy.REPOINT}


def test_a_lost_answer_of_delete_hsm_is_found_in_the_world() -> None:
    """The HSM is going, the answer never came: an HSM that comes later is not the planned one."""
    play = approved(world(free=True), Remedy.RETIRE)
    play.crash = lambda operation, target: "after" if len(play.calls) == 0 else ""
    play.to_call(Operation.DELETE_HSM)
    assert play.case.calls[0].status is CallStatus.INTENT
    play.to_call(Operation.DELETE_HSM)
    assert play.case.calls[0].status is CallStatus.DONE
    assert [target for _, target in play.calls] == ["1a", "1b"]


def test_a_call_of_which_nothing_is_known_is_not_repeated_at_once() -> None:
    """AWS may have taken it and not show it yet."""
    play = approved(world(free=True, zones=("1a",)), Remedy.RETIRE)
    play.crash = lambda operation, target: "before" if len(play.steps) < 3 else ""
    play.to_call(Operation.DELETE_HSM)
    assert play.calls == []
    assert isinstance(play.turn(), Wait)
    play.to_call(Operation.DELETE_HSM)
    assert play.now - NOW > 2 * MINUTE
    assert len(play.calls) == 1


def test_old_news_after_each_call_is_waited_out() -> None:
    """KMS and CloudHSM are eventually consistent: accepted, and not visible for a while."""
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    pending = play.model.world.keys
    play.change(with_keys(key("a")))
    assert isinstance(play.turn(), Wait)
    play.change(lambda s: replace(s, keys=()))
    play.now += 31 * DAY
    assert pending
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.model.due.clear()
    play.change(store_in(STORE, StoreState.CONNECTED))
    assert isinstance(play.turn(), Wait)
    play.change(store_in(STORE, StoreState.DISCONNECTED))
    play.to_call(Operation.DELETE_KEY_STORE)
    play.change(lambda s: replace(s, key_stores=(store(StoreState.DISCONNECTED),)))
    assert isinstance(play.turn(), Wait)
    play.change(lambda s: replace(s, key_stores=()))
    play.to_call(Operation.DELETE_CLUSTER)
    play.model.due.clear()
    play.change(lambda s: replace(s, cluster=replace(cluster(), backups=s.cluster.backups)))  # type: ignore[union-attr]
    step = play.turn()
    assert isinstance(step, Wait)
    assert "being deleted" in step.why


def test_a_stored_case_that_names_no_outcome_is_decided_afresh() -> None:
    play = Play(world(key()))
    play.case = replace(play.case, phase=Phase.CLOSED)
    assert isinstance(play.turn(), Ask)


@pytest.mark.parametrize("state", [KeyState.ENABLED, KeyState.UNAVAILABLE])
def test_what_was_recorded_first_stays(state: KeyState) -> None:
    play = approved(world(key("a", state)), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    before = play.case.before
    assert isinstance(before, Before)
    play.change(with_keys(key("a", KeyState.DISABLED), key("new", created_at=NOW - DAY)))
    play.now += HOURS
    assert isinstance(play.turn(), Ask)
    play.approve(Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    assert play.case.before
    assert play.case.before.keys[: len(before.keys)] == before.keys
    assert len(play.case.before.keys) == 2


def test_a_gate_that_opens_lets_a_standing_approval_begin() -> None:
    play = Play(world(key(), cluster=cluster("1a", hsms=hsms("1a"), backups=())))
    play.turn()
    play.approve(Remedy.RETIRE)
    assert isinstance(play.turn(), Ask)
    play.change(lambda s: replace(s, cluster=cluster("1a"), other_use=NO_OTHERS))
    assert isinstance(play.turn(), Call)


@pytest.mark.parametrize("field", ["account", "region", "cluster_id"])
@pytest.mark.parametrize("where", ["plan", "last_plan", "offers"])
def test_a_plan_about_another_place_is_never_carried_out(where: str, field: str) -> None:
    """No turn ever made one: whoever wrote it into the table wants another cluster gone."""
    play = approved(world(), Remedy.RETIRE)
    elsewhere: dict[str, Any] = {field: "elsewhere"}
    foreign = replace(play.case.offers[0], **elsewhere)
    given: dict[str, Any] = {where: (foreign,) if where == "offers" else foreign}
    play.case = replace(play.case, **given)
    close = play.turn()
    assert isinstance(close, Close)
    assert (close.outcome, play.calls) == (Outcome.STOPPED, [])
    assert "another account, Region or cluster" in close.reason

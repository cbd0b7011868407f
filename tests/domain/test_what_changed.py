"""Small print of a decision: what it says was lost, what a keep leaves behind, whom a caller may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.rules.approval import is_caller
from chalicelib.domain.rules.step import Ask, Close, Wait
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.domain.state.case import Difference, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, StoreState
from tests.domain.worlds import (
    ACCOUNT,
    DAY,
    HOURS,
    NOW,
    POLICY,
    TEAM,
    Play,
    approved,
    key,
    person,
    sibling,
    store,
    world,
)

R, P = Remedy.RETIRE, Remedy.PARK
ROLE = f"arn:aws:iam::{ACCOUNT}:role/security"
STRICT = replace(POLICY, step_up_roles=(ROLE,))


def asked(play: Play) -> tuple[Difference, ...]:
    step = play.turn()
    assert isinstance(step, Ask)
    assert play.case.phase is Phase.WAITING
    return step.differences


def test_a_plan_that_could_not_begin_in_time() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTING)), P)
    play.model.due.clear()
    play.turn()
    play.now += DAY
    lapsed = "lapsed: nothing could begin in 24 hours"
    assert asked(play) == (Difference("Approvals", "in time", lapsed),)


def too_old(days: int) -> tuple[Difference, ...]:
    said = f"too old: nothing came of them for {days} days"
    return (Difference("Approvals", "in time", said),)


@pytest.mark.parametrize(
    ("remedy", "longest"), [(R, POLICY.pending_window_days), (P, 0), (Remedy.REPOINT, 7)]
)
def test_a_begun_plan_that_came_to_a_stand_long_ago(remedy: Remedy, longest: int) -> None:
    """After its longest wait and a week nobody remembers what was agreed to."""
    for late, asks in ((7, False), (9, True)):
        play = approved(replace(world(key("a")), siblings=(sibling(),)), remedy)
        play.turn()
        assert play.calls
        play.now += timedelta(days=longest + late, hours=-1)
        play.sure_turn()
        assert (too_old(longest + late - 1)[0] in play.case.differences) is asks


def test_a_fresh_yes_to_a_begun_plan_keeps_it_young() -> None:
    play = approved(world(key("a")), R)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += 60 * DAY
    (last, *others) = play.case.approved
    play.case = replace(play.case, approved=(*others, replace(last, at=play.now - DAY)))
    play.turn()
    assert too_old(60)[0] not in play.case.differences


def test_keys_that_others_scheduled_may_wait_thirty_days_whatever_the_setting() -> None:
    """They went before the case began, and the approvers saw the date."""
    going = key("a", KeyState.PENDING_DELETION, deletion_date=NOW + 29 * DAY)
    quick = replace(POLICY, pending_window_days=7)
    play = approved(world(going), R, policy=quick)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    assert play.now > NOW + 29 * DAY


def test_an_approver_who_is_none_any_more() -> None:
    play = approved(world(), R)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.people["bob"] = person("bob", is_approver=False)
    assert asked(play) == (Difference("Approval of bob", "counted", "no longer counts"),)


def test_approvals_that_were_never_enough() -> None:
    """As if the table was tampered with: nobody is missing, there are too few."""
    play = approved(world(), R)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.case = replace(play.case, approved=play.case.approved[:1])
    assert asked(play) == (Difference("Approvals", "2", "1"),)


def test_a_confirmation_by_a_role_that_is_listed_no_more() -> None:
    play = Play(world(), policy=STRICT)
    play.turn()
    plan = play.approve(R)
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/security/grace"
    click = Click(Act.CONFIRM, arn, play.now, R, plan.plan_hash)
    play.case = replace(play.case, clicks=(*play.case.clicks, click))
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.policy = replace(STRICT, step_up_roles=(ROLE + "2",))
    lost = Difference("Confirmation in AWS", "counted", "no longer counts")
    assert asked(play) == (lost,)


def test_a_plan_that_begins_forgets_what_had_changed_before() -> None:
    play = approved(world(key()), R)
    play.turn()
    play.change(lambda w: replace(w, keys=(*w.keys, key("new"))))
    while not play.case.differences:
        play.turn()
    play.approve(R)
    play.turn()
    assert play.case.phase is Phase.RUNNING
    assert play.case.differences == ()


def kept(**values: Any) -> Play:
    play = Play(world())
    play.turn()
    play.case = replace(play.case, reminded=True)
    play.click(Act.KEEP, reason="later", **values)
    return play


def test_a_kept_case_is_closed_and_sleeps_until_its_date() -> None:
    play = kept(keep_until=NOW + 20 * DAY)
    at = play.now
    step = play.turn()
    assert step == Wait(int((NOW + 20 * DAY - at).total_seconds()) + 1, "kept as it is")
    case = play.case
    assert (case.phase, case.outcome, case.reason) == (Phase.CLOSED, Outcome.KEPT, "later")
    assert case.closed_at == at
    play.now = at + HOURS
    play.turn()
    assert play.case.closed_at == at, "a later look decides nothing anew"


def test_a_long_keep_looks_at_aws_every_thirty_days() -> None:
    assert kept(keep_until=NOW + 200 * DAY).turn() == Wait(30 * 24 * 3600, "kept as it is")


def test_a_keep_that_is_over_leaves_the_case_as_new() -> None:
    play = kept(keep_until=NOW + 2 * DAY)
    play.turn()
    play.now = NOW + 2 * DAY + timedelta(seconds=1)
    clicks = len(play.case.clicks)
    assert play.turn() == Wait(1, "the keep has lapsed")
    case = play.case
    assert (case.phase, case.outcome, case.reason) == (Phase.WAITING, None, "")
    assert (case.keep, case.closed_at, case.expires_at) == (None, None, None)
    assert (case.reset_at_click, case.reminded) == (clicks, False)


def test_a_case_without_a_decision_waits_for_people() -> None:
    """Whatever phase was stored."""
    play = Play(world())
    play.case = replace(play.case, phase=Phase.RUNNING)
    assert isinstance(play.turn(), Ask)
    assert play.case.phase is Phase.WAITING


def test_a_cancel_before_anything_was_changed_changes_nothing() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTING)), P)
    play.model.due.clear()
    assert isinstance(play.turn(), Wait)
    play.click(Act.CANCEL)
    end = play.to_close()
    assert (end.outcome, end.reason) == (Outcome.CANCELLED, "Nothing was changed.")
    assert play.calls == []


def test_a_cancelled_plan_says_when_it_was_put_back() -> None:
    play = approved(world(key()), R)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.to_close()
    assert play.case.closed_at == play.now - timedelta(seconds=1)


def test_the_quiet_time_of_a_store_that_is_off_begins_with_the_plan() -> None:
    play = approved(world(held=store(StoreState.DISCONNECTED)), P)
    at = play.now
    play.turn()
    assert play.case.quiet_since == at


def test_gone_means_two_reads_a_minute_apart() -> None:
    play = Play(world())
    play.turn()
    play.change(lambda w: replace(w, cluster=None))
    first = play.now
    assert play.turn() == Wait(61, "reading AWS once more to make sure")
    assert play.case.phase is Phase.WAITING
    play.now = first + timedelta(seconds=59)
    assert play.turn() == Wait(2, "reading AWS once more to make sure")
    play.now = first + timedelta(seconds=60)
    assert isinstance(play.turn(), Close)


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.WAITING])
def test_a_case_stays_as_it_is_while_aws_is_read_once_more(phase: Phase) -> None:
    play = approved(world(key()), R)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda w: replace(w, cluster=None))
    play.case = replace(play.case, phase=phase)
    assert isinstance(play.turn(), Wait)
    assert play.case.phase is phase


def test_a_plan_that_ends_by_itself_says_when_and_since_when_it_changed_things() -> None:
    play = approved(world(), P)
    at = play.now
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    assert play.case.before
    assert play.case.before.at == at
    assert play.to_close().outcome is Outcome.PARKED
    assert play.case.closed_at == play.now - timedelta(seconds=1)


def nobody(**values: str) -> Person:
    return Person("U1", TEAM, **{"name": "Zoe Q", "email": "z@example.com", **values})  # type: ignore[arg-type]


def called(session: str = "", name: str = "role dev", email: str = "") -> Caller:
    return Caller("arn", name, "AssumedRole", session, email)


SAME = [
    ("started by hand in Slack", nobody(), Caller("", "", SLACK_USER, "U1"), True),
    ("started by hand by somebody else", nobody(), Caller("", "", SLACK_USER, "U2"), False),
    ("a session called like a user id is no user", nobody(), called("U1"), False),
    ("a session called like the e-mail’s first part", nobody(), called("Z"), True),
    ("a session called like the name", nobody(name="zoe"), called("ZOE"), True),
    ("an e-mail of another company with that name", nobody(name="zoe"), called("zoe@else.example"), True),
    ("the e-mail that Identity Center vouches for", nobody(email="zoe@example.com"), called(email="Zoe@Example.com"), True),
    ("an IAM user of that name", nobody(name="zoe"), called(name="Zoe"), True),
    ("nobody", nobody(), called(), False),
    ("somebody without name and e-mail is nobody’s session", nobody(name="", email=""), called(name=""), False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "who", "caller", "same"), SAME, ids=[s[0] for s in SAME])
def test_whom_a_caller_may_be(why: str, who: Person, caller: Caller, same: bool) -> None:
    assert is_caller(who, caller, POLICY) is same, why


def test_an_early_look_at_a_waiting_case_is_no_ending() -> None:
    play = Play(world())
    play.turn()
    play.now += HOURS
    assert isinstance(play.turn(), Ask)

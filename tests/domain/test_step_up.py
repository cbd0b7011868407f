"""Step-up: an irreversible plan begins only with a confirmation by a listed role, besides the clicks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.forecast import forecast
from chalicelib.domain.rules import step_up
from chalicelib.domain.rules.approval import CROWD
from chalicelib.domain.rules.step import Ask, Call, Wait
from chalicelib.domain.state.caller import Caller, caller_of
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from tests.domain.worlds import (
    ACCOUNT,
    HOURS,
    NOW,
    POLICY,
    Play,
    case,
    key,
    sibling,
    situation,
    sso,
    used,
    waiting,
    world,
)

SECURITY = f"arn:aws:iam::{ACCOUNT}:role/teams/security"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Sec_0123"
STRICT = replace(POLICY, step_up_roles=(SECURITY, SSO))
SIGNED_IN = f"arn:aws:sts::{ACCOUNT}:assumed-role/security/grace"
BY_SSO = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Sec_0123/grace@example.com"

PRINCIPALS = [
    ("a session of the role, whatever its path", SIGNED_IN, True),
    ("a session of an Identity Center role", BY_SSO, True),
    ("the role of that name in another account", SIGNED_IN.replace(ACCOUNT, "222233334444"), False),
    ("the role of that name in another partition", SIGNED_IN.replace("arn:aws:", "arn:aws-cn:"), False),
    ("a role whose name begins so", SIGNED_IN.replace("/security/", "/security-2/"), False),
    ("a session that is called like the role", f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/security", False),
    ("a user that is called like the role", f"arn:aws:iam::{ACCOUNT}:user/security", False),
    ("the role itself, which nobody signs as", SECURITY, False),
    ("a federated user", f"arn:aws:sts::{ACCOUNT}:federated-user/security", False),
    ("the root user", f"arn:aws:iam::{ACCOUNT}:root", False),
    ("a session without a name", f"arn:aws:sts::{ACCOUNT}:assumed-role/security", False),
    ("a session that IAM would speak of", SIGNED_IN.replace(":sts:", ":iam:"), False),
    ("what only looks like an ARN", SIGNED_IN.replace("arn:", "ARN:"), False),
    ("half an ARN", "arn:aws:sts", False),
    ("an ARN with more in it", SIGNED_IN + ":x", True),
    ("nothing", "", False),
    ("no ARN", "security", False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "arn", "may"), PRINCIPALS, ids=[p[0] for p in PRINCIPALS])
def test_who_may_confirm(why: str, arn: str, may: bool) -> None:
    assert step_up.may_confirm(arn, STRICT) is may, why
    assert not step_up.may_confirm(arn, POLICY), "nobody is listed"


def test_a_setting_that_lists_no_role_lists_nobody() -> None:
    for listed in ("", "security", f"arn:aws:iam::{ACCOUNT}:user/security", SIGNED_IN):
        assert not step_up.may_confirm(SIGNED_IN, replace(POLICY, step_up_roles=(listed,)))


def test_a_path_may_hold_almost_anything() -> None:
    for path in ("", "teams/", "teams/a:b/", "a:b:c/:/"):
        listed = f"arn:aws:iam::{ACCOUNT}:role/{path}security"
        assert step_up.may_confirm(SIGNED_IN, replace(POLICY, step_up_roles=(listed,))), path


def test_operators_may_cancel_and_who_confirms_may_too() -> None:
    operators = replace(POLICY, operator_roles=(SECURITY,))
    assert step_up.may_cancel(SIGNED_IN, operators)
    assert not step_up.may_confirm(SIGNED_IN, operators)
    assert step_up.may_cancel(SIGNED_IN, replace(POLICY, step_up_roles=(SECURITY,)))
    assert not step_up.may_cancel(SIGNED_IN, POLICY), "nobody is listed"


def test_an_old_confirmation_leaves_a_plan_that_waits_unconfirmed() -> None:
    _, plan = offered()
    old = sign(plan, at=NOW - timedelta(hours=24))
    young = sign(plan, at=NOW - timedelta(hours=23))
    waits = [
        step_up.is_unconfirmed(plan, [click], situation(policy=STRICT)) for click in (old, young)
    ]
    assert waits == [True, False]
    count = step_up.confirmations(plan, [old, young], situation(policy=STRICT))
    assert count == (young,), "one a principal, the last"
    assert not step_up.confirmations(plan, [old], situation(policy=STRICT))
    assert not step_up.is_unconfirmed(plan, [old], situation(policy=STRICT), begun=True)


ROLE_CALL = caller_of(arn=SIGNED_IN.replace("grace", "x1"), kind="AssumedRole")
REQUESTERS: list[tuple[str, Caller, str, bool]] = [
    ("the same role, another session: it may be the same person", ROLE_CALL, SIGNED_IN, True),
    ("the same person by Identity Center, with another role", sso("grace"), BY_SSO, True),
    ("somebody else by Identity Center", sso("heidi"), BY_SSO, False),
    ("a pipeline's role", caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/ci", kind="AssumedRole"), SIGNED_IN, False),
    ("a session of the same name", caller_of(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/Grace", kind="AssumedRole"), SIGNED_IN, True),
]  # fmt: skip


def test_once_callers_find_no_place_nobody_can_confirm() -> None:
    crowd = Caller("", "further callers", CROWD)
    assert step_up.made_the_call(SIGNED_IN, case(by=crowd))


@pytest.mark.parametrize(("why", "caller", "arn", "same"), REQUESTERS, ids=[r[0] for r in REQUESTERS])  # fmt: skip
def test_who_made_the_call_may_not_confirm(why: str, caller: Caller, arn: str, same: bool) -> None:
    assert step_up.made_the_call(arn, case(by=caller)) is same, why


def sign(plan: Plan, by: str = SIGNED_IN, **values: object) -> Click:
    known: dict[str, object] = {"at": NOW, "plan_hash": plan.plan_hash, "remedy": plan.remedy}
    return Click(Act.CONFIRM, by, **known | values)  # type: ignore[arg-type]


def offered(remedy: Remedy = Remedy.RETIRE) -> tuple[Play, Plan]:
    keys = (key(),) if remedy is Remedy.REPOINT else ()
    play = Play(world(*keys, siblings=(sibling(),)), policy=STRICT)
    play.turn()
    return play, next(p for p in play.case.offers if p.remedy is remedy)


def confirm(play: Play, plan: Plan, by: str = SIGNED_IN) -> None:
    click = sign(plan, by, at=play.now)
    play.case = replace(play.case, clicks=(*play.case.clicks, click))


@pytest.mark.parametrize("remedy", [Remedy.RETIRE, Remedy.REPOINT])
def test_enough_people_alone_don_t_begin_it(remedy: Remedy) -> None:
    play, plan = offered(remedy)
    play.approve(remedy)
    assert isinstance(play.turn(), Ask)
    assert waiting(play)
    confirm(play, plan)
    assert isinstance(play.turn(), Call | Wait)
    assert play.case.phase is Phase.RUNNING
    assert [c.by for c in play.case.confirmed] == [SIGNED_IN]
    assert play.to_close().outcome in (Outcome.RETIRED, Outcome.REPOINTED)


def test_a_confirmation_alone_begins_nothing_and_is_no_approval() -> None:
    play, plan = offered()
    for name in ("grace", "heidi", "ivan"):
        confirm(play, plan, SIGNED_IN.replace("grace", name))
    play.approve(Remedy.RETIRE, "alice")
    assert isinstance(play.turn(), Ask)
    assert play.calls == []


def test_a_confirmation_that_comes_first_keeps_the_plan_as_it_was_signed() -> None:
    """What changes without mattering, such as an older use, must not void it silently."""
    play, plan = offered()
    confirm(play, plan)
    play.now += 3 * HOURS
    play.turn()
    assert plan in play.case.offers
    play.approve(Remedy.RETIRE)
    assert isinstance(play.turn(), Call)


def test_reversible_plans_need_none() -> None:
    play, plan = offered(Remedy.PARK)
    assert not plan.terms.step_up
    play.approve(Remedy.PARK)
    assert isinstance(play.turn(), Call)


def test_it_is_part_of_what_people_approve() -> None:
    strict, loose = (
        next(p for p in all_plans(situation(policy=policy)) if p.remedy is Remedy.RETIRE)
        for policy in (STRICT, POLICY)
    )
    assert strict.terms.step_up
    assert not loose.terms.step_up
    assert strict.plan_hash != loose.plan_hash


WRONG = [
    ("for another plan", {"plan_hash": "0" * 64}),
    ("by a role that is not listed", {"by": f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/grace"}),
    ("older than the case may wait", {"at": NOW - timedelta(hours=25)}),
    ("no confirmation but a look", {"act": Act.LOOK}),
    ("no confirmation but an approval", {"act": Act.APPROVE, "reason": "yes", "override": True}),
]


@pytest.mark.parametrize(("why", "values"), WRONG, ids=[w[0] for w in WRONG])
def test_what_does_not_count(why: str, values: dict[str, object]) -> None:
    play, plan = offered()
    play.approve(Remedy.RETIRE)
    click = replace(sign(plan), **values)  # type: ignore[arg-type]
    play.case = replace(play.case, clicks=(*play.case.clicks, click))
    assert isinstance(play.turn(), Ask), why
    assert play.calls == []


def test_a_role_that_is_taken_off_the_list_stops_a_plan_that_has_begun() -> None:
    play, plan = offered()
    play.approve(Remedy.RETIRE)
    confirm(play, plan)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.policy = replace(STRICT, step_up_roles=(SSO,))
    step = play.turn()
    assert isinstance(step, Ask)
    assert [d.what for d in step.differences] == ["Confirmation in AWS"]
    assert play.case.plan is None
    assert play.case.confirmed == ()


def test_a_begun_plan_does_not_lapse_with_its_confirmation() -> None:
    play = Play(world(key()), policy=STRICT)
    play.turn()
    plan = play.approve(Remedy.RETIRE)
    confirm(play, plan)
    assert play.to_close().outcome is Outcome.RETIRED
    assert play.now - NOW > timedelta(days=7)


def test_step_up_switched_on_later_makes_earlier_approvals_void() -> None:
    play = Play(world(), policy=POLICY)
    play.turn()
    play.approve(Remedy.RETIRE)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.policy = STRICT
    step = play.turn()
    assert isinstance(step, Ask)
    assert [d.what for d in step.differences] == ["Confirmation in AWS"]


def test_asked_again_the_old_confirmation_is_worth_nothing() -> None:
    play, plan = offered()
    confirm(play, plan)
    play.approve(Remedy.RETIRE, "alice")
    play.turn()
    play.change(lambda w: replace(w, keys=(*w.keys, key("new"))))
    assert isinstance(play.turn(), Ask)
    play.approve(Remedy.RETIRE)
    assert isinstance(play.turn(), Ask)
    assert play.calls == []


def test_the_forecast_takes_the_confirmation_as_given() -> None:
    snapshot = world(key(last_use=used(timedelta(days=90))))
    plans = all_plans(situation(snapshot, policy=STRICT))
    plan = next(p for p in plans if p.remedy is Remedy.RETIRE)
    foreseen = forecast(plan, situation(snapshot, policy=STRICT))
    assert foreseen.end is not None
    assert foreseen.calls[-1].operation is Operation.DELETE_CLUSTER

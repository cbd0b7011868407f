"""A yes to a rescue says in which subnets: the click's plan is the one with the boxes that were ticked."""

from __future__ import annotations

from chalicelib.answers import FieldError
from chalicelib.domain.remedies import rescue_subnets
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.flows.meant import meant_by, offered
from chalicelib.ports import Interaction
from tests.domain.test_rescue import OLD, lost, outage
from tests.domain.worlds import NOW, key

ROOM = Room(tuple(Subnet(f"subnet-{n}", f"1{n}", "vpc-1", 9) for n in "abc"), 1, 2)
A_AND_B, A_AND_C = ("subnet-a/1a/vpc-1,subnet-b/1b/vpc-1", "subnet-a/1a/vpc-1,subnet-c/1c/vpc-1")


def asked(*, known: bool = True) -> tuple[Case, Plan]:
    values = {"last_cluster": OLD} if known else {}
    case = outage(lost(key("a"), room=ROOM), **values).case  # type: ignore[arg-type]
    plan = case.offer(Remedy.RESCUE)
    assert plan
    return case, plan


def sent(case: Case, plan: Plan, **values: str) -> object:
    dialog = Interaction(
        "submission",
        "alice",
        "T1",
        action="decide",
        case_id=case.case_id,
        remedy="rescue",
        plan_hash=plan.plan_hash,
        values={"reason": "the keys fail", **values},
    )
    return meant_by(dialog, Act.APPROVE, case, now=NOW)


def test_the_boxes_as_they_were_mean_the_plan_that_was_shown() -> None:
    case, plan = asked()
    for boxes in ({"subnets": A_AND_B}, {}):
        click = sent(case, plan, **boxes)
        assert isinstance(click, Click)
        assert (click.plan_hash, click.target) == (plan.plan_hash, "")
        assert offered(case, click) == plan


def test_other_boxes_mean_another_plan() -> None:
    case, plan = asked()
    click = sent(case, plan, subnets=A_AND_C)
    assert isinstance(click, Click)
    other = rescue_subnets.with_subnets(plan, (("1a", "subnet-a"), ("1c", "subnet-c")))
    assert (click.plan_hash, click.target) == (other.plan_hash, "subnet-a/1a,subnet-c/1c")
    assert offered(case, click) == other


def test_boxes_that_aws_would_not_take_are_told_beside_them() -> None:
    case, plan = asked()
    for boxes in ("subnet-a/1a/vpc-1", "subnet-a/1a/vpc-1,subnet-b/1b/vpc-2"):
        said = sent(case, plan, subnets=boxes)
        assert isinstance(said, FieldError)
        assert said.block_id == "subnets"


def test_a_rescue_without_subnets_can_not_be_approved() -> None:
    case, plan = asked(known=False)
    assert plan.lacks_choice
    assert isinstance(sent(case, plan), FieldError)
    assert isinstance(sent(case, plan, subnets=A_AND_B), Click)

"""What a dialog of a repoint means: the plan for the cluster that was chosen, among those that can take the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.answers import CanNot, FieldError, PlanChanged, Private, WrongId
from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.flows.meant import meant_by, offered, remedy_of
from chalicelib.ports import Interaction
from tests.domain.worlds import CLUSTER, DAY, NOW, sibling
from tests.slack.moments import IN_USE, OLD, asked

ONE = sibling()
OTHER = sibling("cluster-4d5e6f7a2b3")


def offers() -> tuple[Case, Plan, Plan]:
    """The case, and its repoints to either cluster."""
    case = asked(OLD, siblings=(ONE, OTHER)).case
    one, other = (plan for plan in case.offers if plan.remedy is Remedy.REPOINT)
    return case, one, other


def sent(case: Case, plan: Plan, **values: str) -> object:
    known = {"cluster_id": CLUSTER, "reason": " it moves ", **values}
    clicked = Interaction(
        "submission",
        "alice",
        "T1",
        action="decide",
        case_id=case.case_id,
        remedy=str(plan.remedy),
        plan_hash=plan.plan_hash,
        values=known,
    )
    act = Act.KEEP if plan.remedy is Remedy.KEEP else Act.APPROVE
    return meant_by(clicked, act, case, now=NOW)


@pytest.mark.parametrize("chosen", ["", "its own", "the other"])
def test_the_plan_is_the_one_for_the_chosen_cluster(chosen: str) -> None:
    case, one, other = offers()
    target = {"": "", "its own": one.target_cluster_id, "the other": other.target_cluster_id}[
        chosen
    ]
    meant = other if chosen == "the other" else one
    click = sent(case, one, target=target)
    assert click == Click(
        Act.APPROVE,
        "alice",
        NOW,
        remedy=Remedy.REPOINT,
        plan_hash=meant.plan_hash,
        reason="it moves",
        target=meant.target_cluster_id,
    )
    assert offered(case, click) == meant


def test_a_cluster_that_can_t_take_the_keys_is_told_beside_its_field() -> None:
    case, one, _ = offers()
    assert sent(case, one, target="cluster-elsewhere") == FieldError(
        "target", "This cluster can’t take the key store now."
    )


def test_the_id_is_typed_with_or_without_blanks_and_capitals() -> None:
    case, one, _ = offers()
    assert isinstance(sent(case, one, cluster_id=f" {CLUSTER.upper()} "), Click)
    assert sent(case, one, cluster_id=one.target_cluster_id) == WrongId(one.target_cluster_id, case)


KEEPS: list[tuple[dict[str, str], FieldError | int]] = [
    ({"for": "1d"}, 1),
    ({"for": "365d"}, 365),
    ({"for": "366d"}, FieldError("for", "Choose 1 to 365 days, like 30d.")),
    ({"for": "0d"}, FieldError("for", "Choose 1 to 365 days, like 30d.")),
    ({"for": "30"}, FieldError("for", "Choose 1 to 365 days, like 30d.")),
    ({}, FieldError("for", "Choose 1 to 365 days, like 30d.")),
    ({"for": "1d", "reason": " "}, FieldError("reason", "Please give a reason.")),
]


@pytest.mark.parametrize(("values", "meant"), KEEPS)
def test_a_keep_has_a_reason_an_owner_and_a_day(
    values: dict[str, str], meant: FieldError | int
) -> None:
    case, *_ = offers()
    keep = case.offer(Remedy.KEEP)
    assert keep
    click = sent(case, keep, **values)
    if isinstance(meant, FieldError):
        assert click == meant
        return
    assert click == Click(
        Act.KEEP,
        "alice",
        NOW,
        remedy=Remedy.KEEP,
        reason="it moves",
        owner="alice",
        keep_until=NOW + meant * DAY,
    )
    looked_after = sent(case, keep, owner="carol", **values)
    assert isinstance(looked_after, Click)
    assert looked_after.owner == "carol"


def test_keys_in_use_need_their_box_among_those_that_are_ticked() -> None:
    case = asked(IN_USE).case
    plan = case.offer(Remedy.RETIRE)
    assert plan
    lacks = FieldError("override", "Tick this box to say that you know what will fail.")
    for ticked in ({}, {"override": ""}, {"override": "in_use_too"}):
        assert sent(case, plan, **ticked) == lacks
    for box in ("in_use", "other,in_use"):
        click = sent(case, plan, override=box)
        assert isinstance(click, Click)
        assert click.override
    without = asked(OLD).case
    free = without.offer(Remedy.RETIRE)
    assert free
    plain = sent(without, free, override="in_use")
    assert isinstance(plain, Click)
    assert not plain.override, "nothing is overridden"


def test_a_yes_lacks_nothing() -> None:
    case, one, _ = offers()
    assert sent(case, one, reason=" ") == FieldError(
        "reason", "Please give a reason. Everybody in the thread will see it."
    )
    stale = replace(one, soak_days=one.soak_days + 1)
    assert sent(case, stale) == PlanChanged(case, Remedy.REPOINT)
    click = sent(case, one)
    assert isinstance(click, Click)
    said = replace(case, clicks=(replace(click, round=case.round),))
    assert sent(said, one) == Private("You approved this already. It counts once.")


def test_buttons_mean_what_they_say_or_why_they_can_t() -> None:
    case, *_ = offers()
    pressed = Interaction("button", "alice", "T1", action="reject", case_id=case.case_id)
    assert meant_by(pressed, Act.REJECT, case, now=NOW) == Click(Act.REJECT, "alice", NOW)
    undone = meant_by(replace(pressed, action="undo"), Act.UNDO, case, now=NOW)
    assert isinstance(undone, CanNot)
    assert (undone.why, undone.case) == (not_possible(case, Act.UNDO, None, by="alice"), case)
    assert remedy_of(replace(pressed, action="park", remedy="retire")) is Remedy.PARK
    assert remedy_of(replace(pressed, kind="submission", remedy="retire")) is Remedy.RETIRE
    assert remedy_of(pressed) is None


def test_a_long_reason_is_cut() -> None:
    case, one, _ = offers()
    keep = case.offer(Remedy.KEEP)
    assert keep
    for click in (
        sent(case, one, reason="x" * 600),
        sent(case, keep, reason="x" * 600, **{"for": "1d"}),
    ):
        assert isinstance(click, Click)
        assert click.reason == "x" * 500

"""A plan under way that waits for one fresh yes: clicks, log and reminders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.flows.open_case import open_case
from ops.evidence.approved import unapproved
from tests.flows.answers import private
from tests.flows.stand import Stand, key, world

Make = Callable[..., Stand]


def asking(case: Case) -> bool:
    return case.phase is Phase.WAITING and case.plan is not None


def asked(stand: Make) -> tuple[Stand, str]:
    it = stand(world(key(1)), go_again_after=48, pending_window_days=7)
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for person in ("alice", "bob"):
        it.approve(person, "retire", opened.case_id)
    it.run(opened.case_id, until=asking)
    return it, opened.case_id


def kinds(it: Stand, case_id: str) -> list[Kind]:
    return [entry.kind for entry in it.stored.entries(case_id)]


def test_who_said_yes_before_may_say_it_again_and_it_goes_on(stand: Make) -> None:
    it, case_id = asked(stand)
    plan = it.case(case_id).plan
    assert private(it.approve("alice", "retire", case_id)) == ""
    done = it.run(case_id, until=lambda case: case.is_closed)
    assert done.outcome is Outcome.RETIRED
    assert unapproved(it.stored.entries(case_id)) == ()
    assert done.last_plan == plan
    told = kinds(it, case_id)
    assert told.count(Kind.ONCE_MORE) == 1
    assert Kind.VOIDED not in told
    yes = [entry for entry in it.stored.entries(case_id) if entry.kind is Kind.APPROVED]
    assert [entry["again"] for entry in yes] == ["", "", "yes"]


def test_no_approval_can_be_taken_back_and_no_other_way_be_chosen(stand: Make) -> None:
    it, case_id = asked(stand)
    assert "Press Cancel instead" in private(it.click("alice", "withdraw", case_id))
    assert "Press Cancel instead" in private(it.click("alice", "reject", case_id))
    assert "not possible now" in private(it.submit("alice", "keep", case_id))
    assert "not possible now" in private(it.submit("alice", "park", case_id))
    assert it.run(case_id, until=asking).plan


def test_it_reminds_every_day_and_never_lapses(stand: Make) -> None:
    it, case_id = asked(stand)
    end = it.clock.now + timedelta(days=5)
    it.run(case_id, until=lambda _: it.clock.now >= end)
    reminders = [e for e in it.stored.entries(case_id) if e.kind is Kind.REMINDED]
    assert [e["what"] for e in reminders].count("once more") == 5
    assert asking(it.case(case_id))


def test_a_plan_that_stood_still_for_months_is_asked_about_afresh(stand: Make) -> None:
    """A yes of long ago is none to the world of now: everybody agrees once more."""
    it = stand(world(key(1)))
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for person in ("alice", "bob"):
        it.approve(person, "retire", opened.case_id)
    it.run(opened.case_id, until=lambda case: case.plan_has_begun)
    landed = list(it.aws.landed)
    it.clock.now += timedelta(days=90)
    case = it.run(opened.case_id, until=lambda case: case.phase is Phase.WAITING)
    assert it.aws.landed == landed
    assert "too old: nothing came of them for 90 days" in [item.now for item in case.differences]
    for person in ("alice", "bob"):
        it.approve(person, "retire", opened.case_id)
    assert it.run(opened.case_id, until=lambda c: c.is_closed).outcome is Outcome.RETIRED

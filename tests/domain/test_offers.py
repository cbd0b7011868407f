"""Offers stay still while people approve, and void approvals say why."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.offers import fresh_offers, request_reapproval
from chalicelib.domain.rules.gates import Gate
from chalicelib.domain.rules.step import Ask
from chalicelib.domain.state.case import Case, Difference, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot
from tests.domain.worlds import (
    DAY,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    case,
    cluster,
    key,
    sibling,
    situation,
    used,
    with_keys,
    world,
    yes,
)

P, R, M = Remedy.PARK, Remedy.RETIRE, Remedy.REPOINT
START = world(key("a", last_use=used(60 * DAY)), siblings=(sibling(), sibling("cluster-9")))
USED = with_keys(key("a", last_use=used(HOURS)))(START)
LATER = NOW + HOURS
USE = Difference("alias/a", "last used 1 Jan 2026", "used 2 Mar, 08:00 UTC")


def of(plans: tuple[Plan, ...], remedy: Remedy, target: str = "") -> Plan:
    return next(p for p in plans if p.remedy is remedy and target in {"", p.target_cluster_id})


RENAMED = with_keys(*(replace(k, aliases=("alias/z",)) for k in START.keys))(START)
OFFERED = all_plans(situation(START))
RETIRE = of(OFFERED, R)
BEFORE = case(offers=OFFERED, reminded=True, expires_at=NOW + DAY)
AGREED = replace(BEFORE, clicks=(yes("alice", RETIRE),))


def refreshed(it: Case, snapshot: Snapshot) -> tuple[Case, tuple[Difference, ...]]:
    return fresh_offers(situation(snapshot, case=it, now=LATER))


def test_what_nobody_approved_is_planned_afresh() -> None:
    it, void = refreshed(BEFORE, USED)
    assert void == ()
    assert it.offers == all_plans(situation(USED, now=LATER))
    assert (it.expires_at, it.reminded, it.differences) == (NOW + DAY, True, ())


def test_what_people_approved_stands_while_nothing_that_matters_changed() -> None:
    more = RENAMED
    it, void = refreshed(AGREED, more)
    assert void == ()
    assert of(it.offers, R) == RETIRE, "planned anew it would have the new name"
    assert of(it.offers, P) != of(OFFERED, P)
    confirmed = replace(BEFORE, clicks=(replace(yes("arn", RETIRE), act=Act.CONFIRM),))
    assert of(refreshed(confirmed, more)[0].offers, R) == RETIRE


def test_approvals_that_do_not_count_keep_no_offer_still() -> None:
    more = RENAMED
    for click in (
        replace(yes("alice", RETIRE), plan_hash="old"),
        Click(Act.LOOK, "alice", NOW, remedy=R, plan_hash=RETIRE.plan_hash),
    ):
        it, void = refreshed(replace(BEFORE, clicks=(click,)), more)
        assert (of(it.offers, R) == RETIRE, void) == (False, ())
    asked_since = replace(AGREED, reset_at_click=1)
    assert of(refreshed(asked_since, more)[0].offers, R) != RETIRE


def test_where_something_changed_all_approvals_are_void_and_it_is_said() -> None:
    both = replace(AGREED, clicks=(yes("alice", RETIRE), yes("bob", of(OFFERED, P))))
    it, void = refreshed(both, USED)
    assert USE in void
    assert it.differences == void
    assert len(set(void)) == len(void), "each difference once"
    assert (it.reset_at_click, it.reminded) == (2, False)
    assert it.expires_at == LATER + DAY
    assert [p.after_click for p in it.offers if p.remedy is not Remedy.KEEP] == [2] * 5
    assert it.offers == all_plans(situation(USED, case=it, now=LATER))


def test_a_difference_that_two_plans_share_is_said_once() -> None:
    new = with_keys(key("new", created_at=NOW))(START)
    both = replace(AGREED, clicks=(yes("alice", RETIRE), yes("bob", of(OFFERED, P))))
    _, void = refreshed(both, new)
    assert [d.what for d in void].count("alias/new") == 1


def test_each_target_of_a_repoint_is_an_offer_of_its_own() -> None:
    plans = [of(OFFERED, M, OTHER_CLUSTER), of(OFFERED, M, "cluster-9")]
    clicks = tuple(yes("alice", plan) for plan in plans)
    it, void = refreshed(replace(BEFORE, clicks=clicks), RENAMED)
    assert void == ()
    assert [p for p in it.offers if p.remedy is M] == sorted(plans, key=lambda p: p.target_cluster_id)  # fmt: skip
    gone = replace(START, siblings=START.siblings[:1])
    _, void = refreshed(replace(BEFORE, clicks=clicks), gone)
    assert void == (Difference("Cluster cluster-9", "could take the key store", "can’t any more"),)


def test_an_approved_remedy_that_is_not_possible_any_more_is_said_so() -> None:
    no_hsm = replace(START, cluster=cluster())
    parked = replace(BEFORE, clicks=(yes("alice", of(OFFERED, P)),))
    it, void = refreshed(parked, no_hsm)
    assert {d.what for d in void} == {"HSMs in 1a", "HSMs in 1b"}, "if the world says why"
    assert P not in [p.remedy for p in it.offers]
    waits = with_keys(key("a", KeyState.PENDING_DELETION))(START)
    _, void = refreshed(parked, waits)
    assert void == (Difference("Park", "possible", "not possible any more"),)
    _, void = refreshed(AGREED, no_hsm)
    gone = Difference("HSMs", "2", "none, so KMS can’t delete the keys’ material")
    assert void == (gone,), "if the world says why, that is said"
    both = replace(AGREED, clicks=(*AGREED.clicks, *parked.clicks))
    _, void = refreshed(both, no_hsm)
    assert {d.what for d in void} == {"HSMs", "HSMs in 1a", "HSMs in 1b"}


RUNNING = replace(
    AGREED,
    phase=Phase.RUNNING,
    plan=RETIRE,
    last_plan=RETIRE,
    approved=AGREED.clicks,
    confirmed=AGREED.clicks,
    waiting_for="something",
)


def test_asking_again_takes_back_the_plan_and_shows_why() -> None:
    it = request_reapproval(situation(USED, case=RUNNING, now=LATER), Ask(differences=(USE,)))
    assert (it.phase, it.plan, it.approved, it.confirmed) == (Phase.WAITING, None, (), ())
    assert (it.waiting_for, it.last_plan, it.differences) == ("", RETIRE, (USE,))
    assert (it.reset_at_click, it.reminded, it.expires_at) == (1, False, LATER + DAY)
    assert it.offers == all_plans(situation(USED, case=it, now=LATER))
    gate = Gate("A backup that is ready", "There is none", "wait")
    closed = request_reapproval(situation(USED, case=RUNNING, now=LATER), Ask(gates=(gate,)))
    assert closed.differences == (Difference("A backup that is ready", "held", "There is none"),)

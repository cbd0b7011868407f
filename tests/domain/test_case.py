"""A case as a value: what a seal vouches for, and what is remembered of calls and people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.state.case import Before, CallRecord, CallStatus, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation, Remedy
from tests.domain.scenes import made, offer
from tests.domain.worlds import CI, CLUSTER, NOW, case, key, sso, world

HSM, ON = Operation.DELETE_HSM, Operation.CONNECT_KEY_STORE
DONE, INTENT, REFUSED = CallStatus.DONE, CallStatus.INTENT, CallStatus.REFUSED


def test_what_lets_a_plan_begin_counts_in_its_own_round_alone() -> None:
    kinds = (Act.APPROVE, Act.CONFIRM, Act.WITHDRAW)
    old = tuple(Click(act, "alice", NOW, round=1) for act in kinds)
    new = tuple(Click(act, "bob", NOW, round=2) for act in kinds)
    it = case(clicks=(*old, *old, *new), round=2, reset_at_click=3)
    assert it.current_clicks == (old[2], *new)


def test_the_requester_is_who_made_the_first_failed_call() -> None:
    it = case()
    again = replace(it.attempts[0], event_id="event-2", caller=sso("bob"))
    assert replace(it, attempts=(*it.attempts, again)).requester == CI
    assert replace(it, attempts=()).requester is None


def test_a_call_is_remembered_in_place_of_an_earlier_one_on_the_same_target() -> None:
    first, other, elsewhere = made(HSM, "1a"), made(HSM, "1b"), made(ON, "1a")
    again = replace(first, status=REFUSED, tries=2)
    it = case(calls=(first, other, elsewhere)).with_call(again)
    assert it.calls == (other, elsewhere, again)
    assert (it.call(HSM, "1a"), it.call(ON, "1a"), it.call(ON, "1b")) == (again, elsewhere, None)


def test_the_request_is_remembered_of_a_call_that_aws_refused_alone() -> None:
    done = replace(made(HSM, "1a"), request_id="r1")
    refused = replace(made(HSM, "1b", status=REFUSED), request_id="r2")
    open_ = replace(made(HSM, "1c", status=INTENT), request_id="r3")
    it = case().with_calls([done, refused, open_])
    assert [call.request_id for call in it.calls] == ["", "r2", "r3"]


@pytest.mark.parametrize(("status", "did", "tried"), [(DONE, True, True), (INTENT, False, True), (REFUSED, False, False)])  # fmt: skip
def test_what_was_done_and_what_may_have_been(status: CallStatus, did: bool, tried: bool) -> None:
    it = case(calls=(made(HSM, "1a", status=status),))
    assert (it.did(HSM, "1a"), it.tried(HSM, "1a")) == (did, tried)
    assert (it.did(HSM, "1b"), it.tried(HSM, "1b")) == (False, False)


PLAN = offer(Remedy.PARK, world(key()))


@pytest.mark.parametrize(
    ("calls", "begun"),
    [
        ((), False),
        ((made(HSM, "1a", plan_hash=PLAN.plan_hash),), True),
        ((made(HSM, "1a", plan_hash=PLAN.plan_hash, status=INTENT),), True),
        ((made(HSM, "1a", plan_hash=PLAN.plan_hash, status=REFUSED),), False),
        ((made(HSM, "1a", plan_hash="old"),), False),
    ],
)
def test_a_plan_has_begun_with_its_own_first_call(
    calls: tuple[CallRecord, ...], begun: bool
) -> None:
    assert case(plan=PLAN, calls=calls).plan_has_begun is begun
    assert not case(calls=calls).plan_has_begun


def test_a_case_has_begun_with_what_may_be_restored() -> None:
    assert not case().has_begun
    assert case(before=Before(NOW, None, (), (), CLUSTER)).has_begun


def test_new_clicks_are_those_not_heard_yet() -> None:
    it = case(clicks=(Click(Act.LOOK, "alice", NOW), Click(Act.LOOK, "bob", NOW)), clicks_seen=1)
    assert [click.by for click in it.new_clicks] == ["bob"]


def test_an_offer_is_found_by_its_remedy() -> None:
    it = case(offers=(PLAN,))
    assert it.offer(Remedy.PARK) is PLAN
    assert it.offer(Remedy.RETIRE) is it.offer(None) is None


def test_only_a_closed_case_is_closed() -> None:
    assert [case(phase=phase).is_closed for phase in Phase] == [False, False, True]

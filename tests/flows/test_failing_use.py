"""Failed uses of keys: a store that is really down has one case, which knows who fails; others have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Basis, Plan, Remedy, Terms
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.failing_use import hear_use
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Opened
from tests.flows.stand import HUB, NOW, REGION, STORE, Stand, key, world
from tests.flows.town import ELSEWHERE, HOUR, Build, Town, cluster_id, store_id

DOWN: list[Callable[[Town], None]] = [
    Town.fails,
    Town.loses_hsms,
    Town.loses_cluster,
    Town.is_off,
]
"""Somebody complains, so a store that is only off counts, too."""


def failed(it: Town, event_id: str = "use-1", number: int = 1) -> Opened | None:
    heard = it.heard(Trigger.STORE_DOWN, number, event_id=event_id)
    return hear_use(it.ports, heard, [it.use(number, event_id=event_id)])


@pytest.mark.parametrize("happens", DOWN)
def test_a_store_that_is_really_down_opens_its_case_which_knows_the_use(
    town: Build, happens: Callable[[Town], None]
) -> None:
    it = town(2)
    happens(it)
    opened = failed(it)
    assert opened
    assert opened.is_new
    (case,) = it.cases()
    assert (case.trigger, case.cluster_id) == (Trigger.STORE_DOWN, cluster_id(1))
    assert [a.key_store_id for a in case.attempts] == [store_id(1)]
    assert [(use.event_id, use.who) for use in case.key_uses] == [("use-1", it.use().who)]
    assert it.runs.started == [(opened.case_id, 0)]


def test_further_uses_are_those_of_the_open_case_and_wake_it(town: Build) -> None:
    it = town()
    it.fails()
    opened = failed(it)
    assert opened
    (case,) = it.cases()
    assert it.stored.sleep(case.case_id, version=case.version, token="asleep")
    for event_id in ("use-2", "use-3", "use-2"):
        again = failed(it, event_id)
        assert again
        assert (again.case_id, again.is_new) == (opened.case_id, False)
    (case,) = it.cases()
    assert [use.event_id for use in case.key_uses] == ["use-1", "use-2", "use-3"]
    assert set(it.runs.woken) == {"asleep"}
    assert it.counted.count("CasesOpened") == 1


def test_both_keys_of_one_call_are_known(town: Build) -> None:
    it = town()
    it.fails()
    uses = [it.use(key_id="key-1"), it.use(key_id="key-2")]
    hear_use(it.ports, it.heard(Trigger.STORE_DOWN, event_id="use-1"), uses)
    (case,) = it.cases()
    assert [use.key_id for use in case.key_uses] == ["key-1", "key-2"]


def test_a_use_turns_to_the_open_case_of_the_blocked_delete(town: Build) -> None:
    it = town()
    it.is_off()
    first = open_case(it.ports, it.deleted())
    opened = failed(it)
    assert first
    assert opened
    assert (opened.case_id, opened.is_new) == (first.case_id, False)
    (case,) = it.cases()
    assert [a.trigger for a in case.attempts] == [Trigger.DELETE_BLOCKED, Trigger.STORE_DOWN]
    assert len(case.key_uses) == 1


@pytest.mark.parametrize(
    "state", [StoreState.CONNECTED, StoreState.CONNECTING, StoreState.DISCONNECTING]
)
def test_a_store_that_serves_or_is_on_its_way_opens_none(town: Build, state: StoreState) -> None:
    it = town()
    it.lists.stores[store_id(1)] = replace(it.lists.stores[store_id(1)], state=state)
    assert failed(it) is None
    assert (it.cases(), it.runs.started) == ([], [])


def test_neither_does_an_external_store_nor_an_account_that_is_not_served(town: Build) -> None:
    it = town()
    it.fails()
    external = it.heard(Trigger.STORE_DOWN, store="cks-external")
    foreign = it.heard(Trigger.STORE_DOWN, account=ELSEWHERE)
    assert [hear_use(it.ports, heard, [it.use()]) for heard in (external, foreign)] == [None, None]
    assert it.cases() == []


def test_what_aws_does_not_tell_is_asked_again_later(town: Build) -> None:
    it = town()
    it.fails()
    it.lists.unread = ("AWS refuses cloudhsm:DescribeClusters",)
    with pytest.raises(TemporaryError, match="DescribeClusters"):
        failed(it)
    assert it.cases() == []


def test_a_store_that_a_plan_of_ours_has_off_opens_none(stand: Callable[..., Stand]) -> None:
    """Whoever approved it knew what would fail."""
    it = stand(world(key(1)), quiet_minutes=0)
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for person in ("alice", "bob"):
        it.approve(person, "retire", opened.case_id)
    case = it.run(opened.case_id, until=lambda _: "DisconnectCustomKeyStore" in it.aws.operations)
    assert case.plan
    it.clock.now += HOUR
    held = it.aws.seen().holder
    assert held
    assert held.state is StoreState.DISCONNECTED
    attempt = replace(it.failed("use-1").attempt, trigger=Trigger.STORE_DOWN, key_store_id=STORE)
    assert hear_use(it.ports, Heard(HUB, REGION, attempt), []) is None
    assert [a.event_id for a in it.case(opened.case_id).attempts] == ["event-1"]


PLAN = Plan(
    Remedy.PARK,
    HUB,
    REGION,
    cluster_id(2),
    store_id(2),
    calls=(),
    basis=Basis(StoreState.CONNECTED, (), ()),
    terms=Terms(
        1, (), override=False, dry_run=False, recent_use_days=30, go_again_after=7, quiet_minutes=0
    ),
)


@pytest.mark.parametrize(
    "at_work",
    [
        {"plan": PLAN},
        {"last_plan": PLAN, "ending": Click(Act.CANCEL, "alice", NOW)},
    ],
)
def test_a_plan_speaks_for_its_own_store_alone_until_it_is_taken_back(
    town: Build, at_work: dict[str, Any]
) -> None:
    it = town(2)
    it.is_off(1)
    it.is_off(2)
    opened = open_case(it.ports, it.deleted(2))
    assert opened
    it.edit(opened.case_id, lambda case: replace(case, **at_work))
    assert failed(it, "use-2", 2) is None
    other = failed(it, "use-1", 1)
    assert other
    assert other.is_new
    it.edit(opened.case_id, lambda case: replace(case, plan=None, last_plan=PLAN, ending=None))
    again = failed(it, "use-3", 2)
    assert again
    assert (again.case_id, again.is_new) == (opened.case_id, False), "its plan is over"


def test_a_plan_of_another_place_says_nothing_of_this_store(town: Build) -> None:
    it = town()
    it.is_off()
    elsewhere = replace(it.deleted(event_id="event-2"), region="eu-west-1")
    opened = open_case(it.ports, elsewhere)
    assert opened
    it.edit(
        opened.case_id,
        lambda case: replace(case, plan=replace(PLAN, key_store_id=store_id(1))),
    )
    here = failed(it)
    assert here
    assert here.is_new


def test_a_case_that_cannot_be_read_keeps_no_other_from_opening(
    town: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = town(2)
    it.fails(1)
    spoilt = open_case(it.ports, it.deleted(2, event_id="event-2"))
    assert spoilt
    load = it.stored.load

    def torn(case_id: str) -> Case:
        if case_id == spoilt.case_id:
            raise PermanentError("Unlatch can’t read it.")
        return load(case_id)

    monkeypatch.setattr(it.stored, "load", torn)
    opened = failed(it)
    assert opened
    assert opened.is_new
    assert ("case not read", spoilt.case_id) in [(said, m.get("case_id")) for said, m in it.logged]
    assert [use.event_id for use in load(opened.case_id).key_uses] == ["use-1"]

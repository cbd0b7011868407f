"""Park and keep: the two ways out that lose nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.remedies import keep, park
from chalicelib.domain.rules.step import Call, Close
from chalicelib.domain.state.case import Keep, Outcome
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.plan import Basis, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from tests.domain.scenes import Told, made, scene, told
from tests.domain.worlds import (
    ACCOUNT,
    CLUSTER,
    DAY,
    HOURS,
    NOW,
    REGION,
    STORE,
    case,
    cluster,
    hsms,
    key,
    situation,
    store,
    used,
    world,
)

S = StoreState
OFF, HSM = Operation.DISCONNECT_KEY_STORE, Operation.DELETE_HSM
START = world(key("a", last_use=used(HOURS)), zones=("1b", "1a", "1a"))
DARK = store(S.DISCONNECTED)
PARKED = Close(
    Outcome.PARKED,
    "The key store is disconnected and the HSMs are deleted. "
    "The keys, the store and the cluster are all still there.",
)
STEPS: list[tuple[str, Snapshot, Told]] = [
    ("connected", world(), Call(OFF, (STORE,), "disconnecting the key store")),
    ("off", world(held=DARK), Call(HSM, ("1a",), "deleting the HSMs")),
    ("an HSM is going", world(held=DARK, cluster=cluster(hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS))), "the HSMs are being deleted"),
    ("no HSM is left", world(held=DARK, zones=()), PARKED),
    ("no store, no HSM", world(free=True, zones=()), PARKED),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "step"), STEPS, ids=[r[0] for r in STEPS])
def test_parking(why: str, snapshot: Snapshot, step: Told) -> None:
    it = scene(Remedy.PARK, snapshot, basis=world(), quiet_since=NOW - HOURS)
    assert told(park.next_step(it)) == step, why


def test_park_waits_for_the_quiet_time_before_an_hsm_goes() -> None:
    step = park.next_step(scene(Remedy.PARK, world(held=DARK), made(OFF)))
    assert told(step) == "checking that no other program uses the HSMs"


def planned(snapshot: Snapshot) -> Plan | str:
    return park.plan(situation(snapshot, case=case(reset_at_click=3)))


def test_a_plan_to_park_names_what_it_stops_and_who_must_agree() -> None:
    plan = planned(START)
    assert isinstance(plan, Plan)
    assert (plan.remedy, plan.account, plan.region) == (Remedy.PARK, ACCOUNT, REGION)
    assert (plan.cluster_id, plan.key_store_id, plan.after_click) == (CLUSTER, STORE, 3)
    assert plan.names(OFF) == (STORE,)
    assert plan.names(HSM) == ("1a", "1a#2", "1b")
    assert plan.basis.zones == ("1a", "1a", "1b")
    assert (plan.terms.people, plan.terms.override) == (2, False), "a key in use would fail"


def test_a_plan_to_park_starts_where_the_store_is() -> None:
    for state in StoreState:
        plan = planned(world(held=store(state)))
        assert isinstance(plan, Plan)
        assert plan.names(OFF) == (() if state is S.DISCONNECTED else (STORE,))
    free = planned(world(free=True))
    assert isinstance(free, Plan)
    assert (free.key_store_id, free.names(OFF), free.terms.people) == (None, (), 1)


GOING = cluster(hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS))
DYING = key("c", KeyState.PENDING_DELETION)
NOT_NEEDED = "Park is not needed: no HSM is left that costs anything."


def test_why_there_is_nothing_to_park() -> None:
    for snapshot in (world(cluster=None), world(zones=()), world(cluster=GOING)):
        assert planned(snapshot) == NOT_NEEDED
    assert planned(world(DYING, key("d", KeyState.PENDING_DELETION), key("a"))) == (
        "Park is not possible: KMS deletes keys only while the store is connected, and "
        "2 of its keys are waiting for deletion."
    )


def test_keep_is_always_possible_and_makes_no_call() -> None:
    for snapshot in (START, world(cluster=None), world(free=True, unread=("a call",))):
        plan = keep.plan(situation(snapshot))
        assert isinstance(plan, Plan)
        assert (plan.remedy, plan.account, plan.region) == (Remedy.KEEP, ACCOUNT, REGION)
        assert (plan.cluster_id, plan.key_store_id, plan.calls) == (CLUSTER, None, ())
        assert plan.basis == Basis(None, (), ())
        assert (plan.terms.people, plan.terms.override) == (1, False)


def test_the_owner_of_a_keep_is_who_decided_it_unless_another_is_named() -> None:
    until = NOW + 30 * DAY
    click = Click(Act.KEEP, "alice", NOW, keep_until=until, reason="audit")
    assert keep.decision(click) == Keep("alice", "alice", until, "audit")
    assert keep.decision(replace(click, owner="bob")) == Keep("alice", "bob", until, "audit")


def test_a_keep_lapses_on_its_date() -> None:
    kept = Keep("alice", "bob", NOW, "")
    assert not keep.lapsed(kept, NOW - HOURS)
    assert keep.lapsed(kept, NOW)

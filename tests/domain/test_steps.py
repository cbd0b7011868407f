"""The steps that the remedies share: each legal in this world, none repeated, none claimed too early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.remedies.planning import basis_of, moved_store
from chalicelib.domain.remedies.steps import connect, delete_cluster, delete_hsms, disconnect, quiet
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Ask, Call, Close, Step, Wait
from chalicelib.domain.state.case import CallRecord, CallStatus, Outcome
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import KeyBasis, Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from chalicelib.domain.state.zones import hsm_for, zone_labels
from tests.domain.scenes import AGED, AGED_SECONDS, JUST, Told, made, scene, told
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    REGION,
    STORE,
    busy,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    used,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
S = StoreState
REFUSED, INTENT, DONE = CallStatus.REFUSED, CallStatus.INTENT, CallStatus.DONE
OFF, ON = Operation.DISCONNECT_KEY_STORE, Operation.CONNECT_KEY_STORE
HSM, END = Operation.DELETE_HSM, Operation.DELETE_CLUSTER
Calls = tuple[CallRecord, ...]

SWITCH_OFF = Call(OFF, (STORE,), "disconnecting the key store")
DISCONNECTS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("no store", world(free=True), (), None),
    ("off", world(held=store(S.DISCONNECTED)), (), None),
    ("connected", world(), (), SWITCH_OFF),
    ("failed", world(held=store(S.FAILED)), (), SWITCH_OFF),
    ("refused a minute ago", world(), (made(OFF, ago=JUST, status=REFUSED),), SWITCH_OFF),
    ("long ago, and connected since", world(), (made(OFF),), SWITCH_OFF),
    ("two minutes ago", world(), (made(OFF, ago=2 * MINUTE),), SWITCH_OFF),
    ("just now", world(), (made(OFF, ago=JUST),), "the key store is disconnecting"),
    ("perhaps", world(), (made(OFF, ago=JUST, status=INTENT),), "the key store is disconnecting"),
    ("just now, for an earlier plan", world(), (made(OFF, ago=JUST, plan_hash="old"),), "the key store is disconnecting"),
    ("under way", world(held=store(S.DISCONNECTING)), (made(OFF, ago=6 * MINUTE),), "the key store is disconnecting"),
    ("under way by others", world(held=store(S.DISCONNECTING)), (), "the key store is disconnecting"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), DISCONNECTS, ids=[r[0] for r in DISCONNECTS])  # fmt: skip
def test_disconnecting(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert told(disconnect(scene(P, snapshot, *calls))) == step, why


ASKED = Click(Act.APPROVE, "alice", NOW - 2 * HOURS)
ASKED_SINCE = Click(Act.REFRESH, "alice", NOW - MINUTE)
LOOKED_SINCE = Click(Act.LOOK, "alice", NOW - MINUTE)
AT_THAT_TIME = Click(Act.REFRESH, "alice", NOW - HOURS)
FAILED = world(key(), held=store(S.FAILED, error="NETWORK_ERRORS"))
SWITCH_ON = Call(ON, (STORE,), "so that it works")
STOPPED = Close(
    Outcome.STOPPED,
    "The key store could not be connected: NETWORK_ERRORS.",
    ("Fix what the error names (KMS guide, “Fix a custom key store”).",),
)
CONNECTS: list[tuple[str, Snapshot, Calls, tuple[Click, ...], Told]] = [
    ("there", world(key()), (), (), None),
    ("off", world(key(), held=store(S.DISCONNECTED)), (), (), SWITCH_ON),
    ("off, called long ago", world(key(), held=store(S.DISCONNECTED)), (made(ON),), (), SWITCH_ON),
    ("just called", world(key(), held=store(S.DISCONNECTED)), (made(ON, ago=JUST),), (), "the key store is connecting"),
    ("under way", world(key(), held=store(S.CONNECTING)), (made(ON, ago=6 * MINUTE),), (), "the key store is connecting"),
    ("still going off", world(key(), held=store(S.DISCONNECTING)), (made(ON),), (), "the key store is disconnecting"),
    ("failed before we came", FAILED, (), (ASKED,), SWITCH_OFF),
    ("failed under us", FAILED, (made(ON),), (ASKED,), STOPPED),
    ("failed under us, and nobody asked", FAILED, (made(ON),), (), STOPPED),
    ("failed under us, and asked just then", FAILED, (made(ON),), (AT_THAT_TIME,), STOPPED),
    ("failed under us, and only looked at", FAILED, (made(ON),), (ASKED, LOOKED_SINCE), STOPPED),
    ("failed under us, and asked since", FAILED, (made(ON),), (ASKED, ASKED_SINCE), SWITCH_OFF),
    ("failed, perhaps by our call", FAILED, (made(ON, status=INTENT),), (ASKED,), SWITCH_OFF),
    ("just disconnected after a failure", FAILED, (made(OFF, ago=JUST),), (), "the key store is disconnecting"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "clicks", "step"), CONNECTS, ids=[r[0] for r in CONNECTS])  # fmt: skip
def test_connecting(
    why: str, snapshot: Snapshot, calls: Calls, clicks: tuple[Click, ...], step: Told
) -> None:
    it = scene(R, snapshot, *calls, clicks=clicks)
    found = connect(it, snapshot.key_stores[0], why="so that it works")
    assert told(found) == step, why


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "USER_LOCKED_OUT"])
def test_where_only_a_crypto_officer_can_help_the_commands_are_said(code: str) -> None:
    failed = world(key(), held=store(S.FAILED, error=code))
    step = connect(scene(P, failed, made(ON)), failed.key_stores[0], why="")
    assert isinstance(step, Close)
    assert step.outcome is Outcome.STOPPED
    assert step.reason == (
        f"AWS can’t log in to {CLUSTER} ({code}): only a crypto officer of that cluster can help."
    )
    off, officer, update = step.advice
    which = f"--region {REGION} --custom-key-store-id {STORE}"
    assert off.endswith(f"aws kms disconnect-custom-key-store {which}")
    assert "user change-password --username kmsuser --role crypto-user" in officer
    assert f'aws kms update-custom-key-store {which} --key-store-password "$PASSWORD"' in update


def test_a_failure_without_a_reason_is_told_as_such() -> None:
    failed = replace(FAILED, key_stores=(store(S.FAILED),))
    end = connect(scene(R, failed, made(ON)), failed.key_stores[0], why="")
    assert isinstance(end, Close)
    assert end.reason == "The key store could not be connected: AWS gives no reason."


TWO = world(free=True)
LAST = world(free=True, zones=("1b",))
GOING = world(free=True, cluster=cluster(hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS)))
HIDDEN = world(free=True, cluster=None, unread=("cloudhsm:DescribeClusters was refused",))
HSM_WAIT = "finding out whether AWS took the last call"


def one(zone: str) -> Call:
    return Call(HSM, (zone,), "deleting the HSMs")


HSMS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("all there", TWO, (), one("1a")),
    ("one done, still showing", TWO, (made(HSM, "1a"),), one("1b")),
    ("one gone by itself", LAST, (), one("1b")),
    ("perhaps a minute ago", TWO, (made(HSM, "1a", ago=JUST, status=INTENT),), HSM_WAIT),
    ("perhaps long ago", TWO, (made(HSM, "1a", status=INTENT),), one("1a")),
    ("refused", TWO, (made(HSM, "1a", ago=JUST, status=REFUSED),), one("1a")),
    ("done for an earlier plan", TWO, (made(HSM, "1a", plan_hash="old"),), one("1a")),
    ("one that nobody planned, not by our call", world(free=True, zones=("1c",)), (), "the HSMs are being deleted"),
    ("going", GOING, (made(HSM, "1b", ago=9 * MINUTE), made(HSM, "1a", ago=6 * MINUTE)), "the HSMs are being deleted"),
    ("gone", world(free=True, zones=()), (made(HSM, "1a"), made(HSM, "1b")), None),
    ("no cluster", world(free=True, cluster=None), (), None),
    ("something else unread", replace(TWO, unread=("kms:ListKeys was refused",)), (), one("1a")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), HSMS, ids=[r[0] for r in HSMS])
def test_deleting_the_hsms(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert told(delete_hsms(scene(R, snapshot, *calls, basis=TWO))) == step, why


def test_hsms_that_can_not_be_seen_are_not_gone() -> None:
    step = delete_hsms(scene(R, HIDDEN, basis=TWO))
    assert isinstance(step, Ask)
    assert [gate.check for gate in step.gates] == ["Everything could be read"]


def test_hsms_are_named_by_zone_and_counted_there() -> None:
    assert zone_labels(("1a", "1a", "1a", "1b")) == ("1a", "1a#2", "1a#3", "1b")


def test_the_second_hsm_of_a_zone_is_any_hsm_there() -> None:
    """AWS replaces HSMs by itself, so an id would bind nothing."""
    snapshot = world(zones=("1a", "1b"))
    found = hsm_for("1b#2", snapshot)
    assert found
    assert found.zone == "1b"
    assert hsm_for("1c", snapshot) is None


def being(state: ClusterState) -> Snapshot:
    return world(free=True, cluster=replace(cluster(), state=state))


GO = Call(END, (CLUSTER,), "deleting the cluster")
CLUSTERS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("there", being(ClusterState.ACTIVE), (), GO),
    ("called long ago", being(ClusterState.ACTIVE), (made(END, CLUSTER),), GO),
    ("just called", being(ClusterState.ACTIVE), (made(END, CLUSTER, ago=JUST),), "the cluster is being deleted"),
    ("going", being(ClusterState.DELETE_IN_PROGRESS), (made(END, CLUSTER, ago=6 * MINUTE),), "the cluster is being deleted"),
    ("deleted", being(ClusterState.DELETED), (), "the cluster is being deleted"),
    ("gone", world(free=True, cluster=None), (made(END, CLUSTER, ago=6 * MINUTE),), "the cluster is being deleted"),
    ("updating", being(ClusterState.UPDATE_IN_PROGRESS), (), "the cluster is busy (UPDATE_IN_PROGRESS)"),
    ("changing", being(ClusterState.MODIFY_IN_PROGRESS), (), "the cluster is busy (MODIFY_IN_PROGRESS)"),
    ("rolling back", being(ClusterState.ROLLBACK_IN_PROGRESS), (), "the cluster is busy (ROLLBACK_IN_PROGRESS)"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), CLUSTERS, ids=[r[0] for r in CLUSTERS])  # fmt: skip
def test_deleting_the_cluster(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert told(delete_cluster(scene(R, snapshot, *calls, basis=TWO))) == step, why


UNDER_WAY: list[tuple[str, Callable[[PlanContext], Step | None], Snapshot, CallRecord]] = [
    ("the store going off", disconnect, world(held=store(S.DISCONNECTING)), made(OFF, ago=AGED)),
    ("the store coming", lambda it: connect(it, store(S.CONNECTING), why=""), world(held=store(S.CONNECTING)), made(ON, ago=AGED)),
    ("the HSMs", delete_hsms, GOING, made(HSM, "1a", ago=AGED)),
    ("the cluster", delete_cluster, being(ClusterState.DELETE_IN_PROGRESS), made(END, CLUSTER, ago=AGED)),
]  # fmt: skip


@pytest.mark.parametrize(("why", "step", "snapshot", "call"), UNDER_WAY, ids=[r[0] for r in UNDER_WAY])  # fmt: skip
def test_what_we_began_long_ago_is_looked_at_less_often(
    why: str, step: Callable[[PlanContext], Step | None], snapshot: Snapshot, call: CallRecord
) -> None:
    earlier = replace(call, target="1b", at=NOW - HOURS)
    found = step(scene(R, snapshot, earlier, call))
    assert isinstance(found, Wait)
    assert found.seconds == AGED_SECONDS, why


def test_no_hsm_is_gone_within_two_minutes() -> None:
    just = made(HSM, "1a", ago=timedelta(seconds=20))
    step = delete_hsms(scene(R, GOING, just, basis=TWO))
    assert step == Wait(100, "the HSMs are being deleted")


BUSY = world(held=store(S.DISCONNECTED), other_use=busy(3))
CALM = world(held=store(S.DISCONNECTED))
CHECKING = "checking that no other program uses the HSMs"


def test_the_quiet_time_is_the_configured_minutes_and_one_more() -> None:
    """CloudWatch counts in whole minutes."""
    assert quiet(scene(P, CALM)) == Wait(361, CHECKING)
    assert quiet(scene(P, BUSY, basis=CALM, quiet_since=NOW)) == Wait(361, CHECKING)
    assert quiet(scene(P, CALM, quiet_since=NOW - 5 * MINUTE)) == Wait(61, CHECKING)
    assert quiet(scene(P, CALM, quiet_since=NOW - 6 * MINUTE)) is None
    none = replace(POLICY, quiet_minutes=0)
    assert quiet(scene(P, CALM, policy=none)) is None


def test_after_the_quiet_time_sessions_are_somebodys() -> None:
    step = quiet(scene(P, BUSY, basis=CALM, quiet_since=NOW - HOURS))
    assert isinstance(step, Ask)
    assert [gate.found for gate in step.gates] == [
        "hsm-1 never had fewer than 3 connections, and at most 2 can be AWS’s own"
    ]


def test_no_quiet_time_where_it_would_tell_nothing() -> None:
    """No store: no sessions of KMS. No HSM: nobody can use one. An override: people know."""
    assert quiet(scene(P, TWO)) is None
    assert quiet(scene(P, world(held=store(S.DISCONNECTED), zones=()), basis=CALM)) is None
    assert quiet(scene(P, BUSY)) is None
    free = world(free=True, other_use=busy(3))
    assert isinstance(quiet(scene(P, free, basis=TWO)), Ask)


def test_a_plan_rests_on_what_people_saw() -> None:
    fresh = key("b", KeyState.DISABLED, last_use=used(HOURS))
    basis = basis_of(situation(world(fresh, key("a"), zones=("1b", "1a"))))
    assert basis.keys == (
        KeyBasis("key-a", "alias/a", KeyState.ENABLED, NOW - 90 * DAY, in_use=False),
        KeyBasis("key-b", "alias/b", KeyState.DISABLED, None, in_use=True),
    )
    assert (basis.store_state, basis.zones) == (S.CONNECTED, ("1a", "1b"))
    empty = basis_of(situation(world(free=True, cluster=None)))
    assert (empty.store_state, empty.zones) == (None, ())


TO_MOVE = world(key(), siblings=(sibling(),))
THERE = replace(TO_MOVE, key_stores=(store(cluster_id=OTHER_CLUSTER),))
FOREIGN = replace(TO_MOVE, key_stores=(store(cluster_id="cluster-elsewhere"),))


def test_a_store_is_moved_only_by_a_repoint_of_this_case() -> None:
    repoint = scene(M, TO_MOVE).case
    assert moved_store(repoint, THERE) == THERE.key_stores[0]
    assert moved_store(repoint, TO_MOVE) is None
    assert moved_store(repoint, FOREIGN) is None
    assert moved_store(repoint, world(free=True)) is None
    assert moved_store(case(), THERE) is None
    assert moved_store(scene(R, TO_MOVE).case, replace(TO_MOVE, key_stores=(store(cluster_id=""),))) is None  # fmt: skip


def test_what_a_plan_did_and_what_it_may_have_done() -> None:
    rows = [(DONE, True, True), (INTENT, False, True), (REFUSED, False, False)]
    for status, did, tried in rows:
        it = scene(P, TWO, made(HSM, "1a", status=status))
        assert (it.did(HSM, "1a"), it.tried(HSM, "1a")) == (did, tried)
        assert (it.case.did(HSM, "1a"), it.case.tried(HSM, "1a")) == (did, tried)
        assert not it.tried(HSM, "1b")
        assert not it.case.tried(HSM, "1b")
    other = scene(P, TWO, made(HSM, "1a", plan_hash="old"))
    assert not other.tried(HSM, "1a"), "an earlier plan's call is history"
    assert other.case.tried(HSM, "1a")
    assert other.just_did(HSM, "1a") is False

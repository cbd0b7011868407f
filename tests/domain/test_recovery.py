"""What a cancel brings back: what we changed and what can still come back, by the last look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.recovery import (
    StoreEnd,
    can_restore,
    is_whole,
    lost_keys,
    minutes_to_unpark,
    missing_hsms,
    reconnects,
    store_end,
    usual_unpark,
)
from chalicelib.domain.rules.situation import last_seen
from chalicelib.domain.state.case import Before, CallRecord, CallStatus, Case, KeyBefore
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from tests.domain.scenes import made, scene
from tests.domain.worlds import (
    CLUSTER,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    case,
    cluster,
    key,
    sibling,
    store,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
REFUSED = CallStatus.REFUSED
START = world(key("a"), key("b"), siblings=(sibling(),))
OFF, ON = made(Operation.DISCONNECT_KEY_STORE, ago=2 * HOURS), made(Operation.CONNECT_KEY_STORE)
DELETED = made(Operation.DELETE_HSM, "1a")
CREATED = made(Operation.CREATE_HSM, "1a")


def held(state: StoreState, *, zones: tuple[str, ...] = ("1a", "1b")) -> Snapshot:
    return replace(START, key_stores=(store(state),), cluster=cluster(*zones))


AWAY = replace(START, key_stores=(store(cluster_id=OTHER_CLUSTER),))


def after(
    seen: Snapshot | None,
    *calls: CallRecord,
    remedy: Remedy = R,
    was: StoreState | None = StoreState.CONNECTED,
) -> Case:
    """A case with these calls behind it, and its last look."""
    it = scene(remedy, START, *calls).case
    keys = (KeyBefore("key-a", KeyState.ENABLED), KeyBefore("key-b", KeyState.ENABLED))
    return replace(it, snapshot=seen, before=Before(NOW, was, keys, ("1a", "1b"), CLUSTER))


CONNECTS: list[tuple[str, Case, bool]] = [
    ("we disconnected it", after(held(StoreState.DISCONNECTED), OFF), True),
    ("it is on its way", after(held(StoreState.DISCONNECTING), OFF), True),
    ("just called, and not shown yet", after(held(StoreState.CONNECTED), OFF), True),
    ("AWS refused us", after(held(StoreState.CONNECTED), replace(OFF, status=REFUSED)), True),
    ("somebody else disconnected it", after(held(StoreState.DISCONNECTED)), False),
    ("connected again", after(held(StoreState.CONNECTED), OFF, ON), False),
    ("connected in vain", after(held(StoreState.DISCONNECTED), OFF, ON), True),
    ("it was off before", after(held(StoreState.DISCONNECTED), OFF, was=StoreState.DISCONNECTED), False),
    ("it was connecting", after(held(StoreState.DISCONNECTED), OFF, was=StoreState.CONNECTING), True),
    ("it is gone", after(replace(START, key_stores=()), OFF), False),
    ("nothing was changed", replace(after(held(StoreState.DISCONNECTED), OFF), before=None), False),
    ("never looked", after(None, OFF), False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "it", "comes"), CONNECTS, ids=[row[0] for row in CONNECTS])
def test_the_store_is_connected_again(why: str, it: Case, comes: bool) -> None:
    assert reconnects(it) is comes, why


ENDS: list[tuple[str, Case, StoreEnd]] = [
    ("as it is", after(held(StoreState.CONNECTED)), StoreEnd.STAYS),
    ("connected again", after(held(StoreState.DISCONNECTED), OFF), StoreEnd.CONNECTED),
    ("deleted", after(replace(START, key_stores=())), StoreEnd.GONE),
    ("moved", after(AWAY), StoreEnd.MOVES_BACK),
    ("moved and connected there", after(AWAY, ON), StoreEnd.MOVES_BACK_BY_OFFICER),
    ("the old cluster can’t take it", after(replace(AWAY, cluster=cluster("1a"))), StoreEnd.STAYS_AWAY),
    ("the old cluster is gone", after(replace(AWAY, cluster=None)), StoreEnd.STAYS_AWAY),
]  # fmt: skip


@pytest.mark.parametrize(("why", "it", "end"), ENDS, ids=[row[0] for row in ENDS])
def test_where_a_cancel_leaves_the_store(why: str, it: Case, end: StoreEnd) -> None:
    assert it.plan
    assert store_end(it, it.plan) is end, why


def test_a_plan_without_a_store_leaves_none() -> None:
    it = after(world(free=True))
    assert it.plan
    assert store_end(it, replace(it.plan, key_store_id=None)) is StoreEnd.NONE


def test_keys_that_were_there_and_are_gone() -> None:
    assert lost_keys(after(START)) == 0
    assert lost_keys(after(replace(START, keys=(key("b"),)))) == 1
    assert lost_keys(after(replace(START, keys=(key("c"),)))) == 2
    assert lost_keys(after(None)) == 2
    assert lost_keys(case(snapshot=world())) == 0


def test_hsms_that_are_missing_or_about_to_be() -> None:
    assert missing_hsms(after(START)) == 0
    assert missing_hsms(after(held(StoreState.CONNECTED, zones=("1a",)))) == 1
    assert missing_hsms(after(START, DELETED)) == 1, "called, and not shown yet"
    assert missing_hsms(after(START, replace(DELETED, status=REFUSED))) == 0
    assert missing_hsms(after(START, DELETED, CREATED)) == 0
    assert missing_hsms(after(None)) == 2
    assert missing_hsms(case(snapshot=world(cluster=None))) == 0


def test_how_long_a_way_back_usually_takes() -> None:
    one_left = held(StoreState.DISCONNECTED, zones=("1a",))
    assert usual_unpark(after(held(StoreState.CONNECTED))) == timedelta()
    assert usual_unpark(after(one_left)) == 10 * MINUTE, "an HSM, and the store stays off"
    assert usual_unpark(after(one_left, OFF)) == 20 * MINUTE
    back = after(held(StoreState.DISCONNECTED), OFF, DELETED, CREATED)
    assert usual_unpark(back) == 20 * MINUTE, "the same until the last step back"
    assert usual_unpark(after(held(StoreState.DISCONNECTED), OFF)) == 10 * MINUTE
    assert usual_unpark(after(held(StoreState.CONNECTED), CREATED)) == timedelta()


def test_something_can_still_come_back() -> None:
    def restores(it: Case) -> bool:
        return can_restore(last_seen(it, policy=POLICY, now=NOW))

    assert restores(after(held(StoreState.DISCONNECTED), OFF))
    assert restores(after(held(StoreState.CONNECTED), replace(OFF, at=NOW)))
    assert not restores(after(START))
    assert not restores(after(None, OFF))
    off = after(held(StoreState.DISCONNECTED), OFF)
    assert not restores(replace(off, before=None))
    assert not restores(replace(off, plan=None, last_plan=None))
    schedule = made(Operation.SCHEDULE_KEY_DELETION, "key-a", ago=2 * HOURS)
    going = replace(START, keys=(key("a", state=KeyState.PENDING_DELETION), key("b")))
    assert restores(after(going, schedule)), "the undo has something to do"


def test_all_is_there_again() -> None:
    assert is_whole(after(START))
    assert not is_whole(after(None))
    assert not is_whole(case(snapshot=START))
    assert not is_whole(after(replace(START, cluster=None)))
    assert not is_whole(after(replace(START, keys=())))
    assert not is_whole(after(held(StoreState.CONNECTED, zones=("1a",))))
    no_store = replace(START, key_stores=())
    assert not is_whole(after(no_store))
    assert is_whole(after(no_store, was=None)), "there was none"


@pytest.mark.parametrize(
    ("seen", "minutes"),
    [
        (None, 0),
        (world(), 20),
        (world(free=True), 10),
        (world(held=store(StoreState.DISCONNECTED)), 10),
        (world(cluster=cluster()), 10),
        (world(free=True, cluster=cluster()), 0),
    ],
)
def test_what_an_undo_of_a_park_will_take(seen: Snapshot | None, minutes: int) -> None:
    assert minutes_to_unpark(seen) == minutes

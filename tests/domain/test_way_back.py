"""The way back, step by step: only what we changed, to where it was, and told as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.remedies.undo import recorded, undo_step
from chalicelib.domain.rules.step import Call, Close
from chalicelib.domain.state.case import Before, CallRecord, CallStatus, KeyBefore, Outcome
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from tests.domain.scenes import JUST, Told, made, scene, told
from tests.domain.worlds import (
    CLUSTER,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    STORE,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
S, K = StoreState, KeyState
OFF, ON = Operation.DISCONNECT_KEY_STORE, Operation.CONNECT_KEY_STORE
UPDATE = Operation.UPDATE_KEY_STORE
SCHEDULE, CANCEL = Operation.SCHEDULE_KEY_DELETION, Operation.CANCEL_KEY_DELETION
DISABLE, ENABLE = Operation.DISABLE_KEY, Operation.ENABLE_KEY
DELETE, CREATE = Operation.DELETE_HSM, Operation.CREATE_HSM
INTENT, REFUSED = CallStatus.INTENT, CallStatus.REFUSED
Calls = tuple[CallRecord, ...]

A, B = key("a"), key("b", K.DISABLED)
A_OFF, A_DARK = replace(A, state=K.DISABLED), replace(A, state=K.UNAVAILABLE)
A_DYING = key("a", K.PENDING_DELETION)
START = world(A, B, siblings=(sibling(),))
DONE = "2 keys are as before. Nothing more happens."


def before(state: StoreState | None = S.CONNECTED, *zones: str) -> Before:
    keys = (KeyBefore("key-a", K.ENABLED), KeyBefore("key-b", K.DISABLED))
    return Before(NOW - HOURS, state, keys, zones or ("1a", "1b"), CLUSTER, "payments")


def back(remedy: Remedy, snapshot: Snapshot, *calls: CallRecord, was: Before | None = None) -> Told:
    """What is done next; of the end, what it says."""
    it = scene(remedy, snapshot, *calls, basis=START, before=was or before())
    step = undo_step(it)
    if isinstance(step, Close) and step.outcome is Outcome.CANCELLED:
        assert step.advice == ()
        return step.reason
    return told(step)


def with_a(a: object, **values: object) -> Snapshot:
    return replace(START, keys=(a, B), **values)  # type: ignore[arg-type]


UNDELETE = Call(CANCEL, ("key-a",), "cancelling the deletion of the keys")
SWITCH_ON = Call(ENABLE, ("key-a",), "enabling the keys that were enabled")
CHANGED = "1 key is as before. 1 key is not as before: somebody else changed that. Nothing more happens."  # fmt: skip
KEYS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("scheduled", with_a(A_DYING), (made(SCHEDULE, "key-a"),), UNDELETE),
    ("perhaps scheduled", with_a(A_DYING), (made(SCHEDULE, "key-a", status=INTENT),), UNDELETE),
    ("scheduled by an earlier plan", with_a(A_DYING), (made(SCHEDULE, "key-a", plan_hash="old"),), UNDELETE),
    ("scheduled by somebody", with_a(A_DYING), (), CHANGED),
    ("ours was refused", with_a(A_DYING), (made(SCHEDULE, "key-a", status=REFUSED),), CHANGED),
    ("just cancelled", with_a(A_DYING), (made(SCHEDULE, "key-a"), made(CANCEL, "key-a", ago=JUST)), "KMS does not show the cancellations yet"),
    ("perhaps cancelled long ago", with_a(A_DYING), (made(SCHEDULE, "key-a"), made(CANCEL, "key-a", status=INTENT)), UNDELETE),
    ("cancelled long ago, so scheduled anew", with_a(A_DYING), (made(SCHEDULE, "key-a"), made(CANCEL, "key-a")), CHANGED),
    ("both scheduled, one just cancelled", replace(START, keys=(A_DYING, key("b", K.PENDING_DELETION))), (made(SCHEDULE, "key-a"), made(SCHEDULE, "key-b"), made(CANCEL, "key-b", ago=JUST)), UNDELETE),
    ("off by our scheduling", with_a(A_OFF), (made(SCHEDULE, "key-a"),), SWITCH_ON),
    ("off by our disabling", with_a(A_OFF), (made(DISABLE, "key-a"),), SWITCH_ON),
    ("off and its store too", with_a(A_DARK), (made(DISABLE, "key-a"),), SWITCH_ON),
    ("off by somebody", with_a(A_OFF), (), CHANGED),
    ("never enabled", START, (made(SCHEDULE, "key-b"),), DONE),
    ("on", START, (made(SCHEDULE, "key-a"),), DONE),
    ("just enabled", with_a(A_OFF), (made(DISABLE, "key-a"), made(ENABLE, "key-a", ago=JUST)), "KMS does not show the enabled keys yet"),
    ("just enabled, in a dark store", with_a(A_DARK), (made(DISABLE, "key-a"), made(ENABLE, "key-a", ago=JUST)), DONE),
    ("enabled long ago, so off by somebody", with_a(A_OFF), (made(DISABLE, "key-a"), made(ENABLE, "key-a")), CHANGED),
    ("perhaps enabled long ago", with_a(A_OFF), (made(DISABLE, "key-a"), made(ENABLE, "key-a", status=INTENT)), SWITCH_ON),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), KEYS, ids=[r[0] for r in KEYS])
def test_keys_go_back(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert back(R, snapshot, *calls) == step, why


def zones(*names: str, **states: HsmState) -> Snapshot:
    """The start with HSMs in these zones, some of them in another state."""
    here = tuple(
        h for zone in names for h in hsms(zone, state=states.get(f"z{zone}", HsmState.ACTIVE))
    )
    off = (store(S.DISCONNECTED),)
    return replace(START, cluster=cluster(hsms=here), key_stores=off)


GONE = (made(OFF), made(DELETE, "1a"), made(DELETE, "1b"))
AGAIN = Call(ON, (STORE,), "connecting the key store again")
COMING = "the HSMs are being created"
OFFLINE = "2 keys are as before. The key store is not connected. Nothing more happens."
HSMS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("both gone", zones(), GONE, Call(CREATE, ("1a",), "creating the HSMs again")),
    ("one came", zones("1a"), GONE, Call(CREATE, ("1b",), "creating the HSMs again")),
    ("one just made, not visible", zones(), (*GONE, made(CREATE, "1a", ago=JUST)), COMING),
    ("one coming, one missing", zones("1a", z1a=HsmState.CREATE_IN_PROGRESS), GONE, Call(CREATE, ("1b",), "creating the HSMs again")),
    ("both coming", zones("1a", "1b", z1b=HsmState.CREATE_IN_PROGRESS), GONE, COMING),
    ("one still going", zones("1a", "1b", z1b=HsmState.DELETE_IN_PROGRESS), GONE, "the HSMs are still being deleted"),
    ("both back", zones("1a", "1b"), GONE, AGAIN),
    ("made, and gone again", zones("1a"), (*GONE, made(CREATE, "1b")), AGAIN),
    ("none back", zones(), (*GONE, made(CREATE, "1a"), made(CREATE, "1b")), OFFLINE),
    ("somebody else deleted it", zones("1a"), (made(OFF), made(DELETE, "1a")), AGAIN),
    ("our delete was refused", zones("1a"), (made(OFF), made(DELETE, "1b", status=REFUSED)), AGAIN),
    ("perhaps ours", zones("1a"), (made(OFF), made(DELETE, "1b", status=INTENT)), Call(CREATE, ("1b",), "creating the HSMs again")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), HSMS, ids=[r[0] for r in HSMS])
def test_park_s_hsms_come_back(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert back(P, snapshot, *calls) == step, why


def test_hsms_come_back_after_park_alone_and_only_in_a_cluster() -> None:
    for remedy in (R, M):
        assert back(remedy, zones("1a"), *GONE) == AGAIN
    assert "The cluster is gone." in str(back(P, replace(zones(), cluster=None), *GONE))


def test_two_hsms_of_one_zone_come_back_as_two() -> None:
    was = before(S.CONNECTED, "1a", "1a")
    gone = (made(DELETE, "1a"), made(DELETE, "1a#2"))
    assert back(P, zones("1a"), *gone, made(CREATE, "1a"), was=was) == Call(
        CREATE, ("1a#2",), "creating the HSMs again"
    )


def at(where: str, state: StoreState = S.CONNECTED, **values: object) -> Snapshot:
    return replace(START, key_stores=(store(state, cluster_id=where),), **values)  # type: ignore[arg-type]


HOME, AWAY = CLUSTER, OTHER_CLUSTER
POINT = Call(UPDATE, (STORE,), "pointing the key store back to this cluster", to_cluster=CLUSTER)
STAYS = f"2 keys are as before. The key store stays on {AWAY}. Nothing more happens."
SMALL = cluster("1a")
BROKEN = cluster(hsms=hsms("1a", "1b", state=HsmState.DEGRADED))
ONE_BROKEN = cluster(hsms=(*hsms("1a", state=HsmState.DEGRADED), *hsms("1b")))
MOVED = (made(OFF), made(UPDATE))
STORES: list[tuple[str, Snapshot, Calls, Before, Told]] = [
    ("off by us", at(HOME, S.DISCONNECTED), (made(OFF),), before(), AGAIN),
    ("perhaps off by us", at(HOME, S.DISCONNECTED), (made(OFF, status=INTENT),), before(), AGAIN),
    ("was connecting", at(HOME, S.DISCONNECTED), (made(OFF),), before(S.CONNECTING), AGAIN),
    ("off by somebody", at(HOME, S.DISCONNECTED), (), before(), OFFLINE),
    ("off by somebody, ours was refused", at(HOME, S.DISCONNECTED), (made(OFF, status=REFUSED),), before(), OFFLINE),
    ("off, after we had connected it", at(HOME, S.DISCONNECTED), (made(ON),), before(), AGAIN),
    ("off by us, no HSM works", at(HOME, S.DISCONNECTED, cluster=BROKEN), (made(OFF),), before(), OFFLINE),
    ("off by us, one HSM works", at(HOME, S.DISCONNECTED, cluster=ONE_BROKEN), (made(OFF),), before(), AGAIN),
    ("on", START, (made(OFF),), before(), DONE),
    ("was off, on by us", START, (made(ON),), before(S.DISCONNECTED), Call(OFF, (STORE,), "disconnecting the key store")),
    ("was off, on by somebody", START, (made(OFF),), before(S.DISCONNECTED), DONE),
    ("was off, off", at(HOME, S.DISCONNECTED), (made(ON),), before(S.DISCONNECTED), DONE),
    ("there was none", START, (made(ON),), before(None), DONE),
    ("deleted", replace(START, key_stores=()), (made(OFF),), before(), "2 keys are as before. The key store is deleted. Nothing more happens."),
    ("there was none, and is none", replace(START, key_stores=()), (), before(None), DONE),
    ("moved by us", at(AWAY), MOVED, before(), Call(OFF, (STORE,), "disconnecting the key store")),
    ("moved by us, off", at(AWAY, S.DISCONNECTED), MOVED, before(), POINT),
    ("perhaps moved by us", at(AWAY, S.DISCONNECTED), (made(UPDATE, status=INTENT),), before(), POINT),
    ("just moved back", at(AWAY, S.DISCONNECTED), (made(OFF), made(UPDATE, ago=JUST)), before(), "KMS does not show the old cluster yet"),
    ("moved by somebody", at(AWAY), (made(OFF),), before(), STAYS),
    ("moved by us, no way back", at(AWAY, S.DISCONNECTED, cluster=SMALL), MOVED, before(), AGAIN),
    ("moved by us, no way back, on", at(AWAY, cluster=SMALL), MOVED, before(), STAYS),
    ("moved by us, the cluster is gone", at(AWAY, S.DISCONNECTED, cluster=None), MOVED, before(), AGAIN),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "was", "step"), STORES, ids=[r[0] for r in STORES])  # fmt: skip
def test_the_store_goes_back(
    why: str, snapshot: Snapshot, calls: Calls, was: Before, step: Told
) -> None:
    assert back(M, snapshot, *calls, was=was) == step, why


ENDS: list[tuple[str, Snapshot, str]] = [
    ("a key is gone", replace(START, keys=(A,)), "1 key is as before. 1 key is gone and can’t come back. Nothing more happens."),
    ("all keys are gone", replace(START, keys=()), "2 keys are gone and can’t come back. Nothing more happens."),
    ("a key hides in a dark store", with_a(A_DARK), DONE),
    ("the cluster is gone", replace(START, cluster=None), "2 keys are as before. The cluster is gone. Nothing more happens."),
    ("the cluster is going", replace(START, cluster=replace(cluster("1a"), state=ClusterState.DELETE_IN_PROGRESS)), "2 keys are as before. AWS is deleting the cluster already. Nothing more happens."),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "words"), ENDS, ids=[r[0] for r in ENDS])
def test_the_end_tells_what_is_back_and_what_is_not(
    why: str, snapshot: Snapshot, words: str
) -> None:
    assert back(M, snapshot) == words, why


UNSEEN = ("Allow the role unlatch-reader to read it.",)


@pytest.mark.parametrize(
    ("snapshot", "what"),
    [
        (replace(START, unread=("kms:ListKeys was refused",)), "kms:ListKeys was refused"),
        (with_a(replace(A, state=K.UNKNOWN)), "alias/a"),
        (with_a(replace(A, state=K.UNKNOWN), unread=("a call",)), "a call"),
    ],
)
def test_what_can_not_be_seen_is_not_claimed_to_be_back(snapshot: Snapshot, what: str) -> None:
    reason = f"Unlatch could not see everything, so something may not be back yet: {what}."
    assert back(R, snapshot) == Close(Outcome.STOPPED, reason, UNSEEN)


def test_where_nothing_was_recorded_nothing_had_been_changed() -> None:
    step = undo_step(scene(R, START))
    assert step == Close(Outcome.CANCELLED, "Nothing had been changed.")


def test_what_may_be_restored_is_recorded_before_the_first_call() -> None:
    held = store(S.CONNECTING, name="orders")
    snapshot = world(A, B, key("c", K.PENDING_DELETION), held=held, zones=("1b", "1a"))
    keys = (KeyBefore("key-a", K.ENABLED), KeyBefore("key-b", K.DISABLED))
    assert recorded(situation(snapshot)) == Before(
        NOW, S.CONNECTING, keys, ("1a", "1b"), CLUSTER, "orders"
    )
    assert recorded(situation(world(free=True, cluster=None))) == Before(NOW, None, (), (), CLUSTER)  # fmt: skip


def record_again(first: KeyState, now: KeyState | None, *calls: CallRecord) -> Before:
    """Key a was recorded in one state, is in another now (None: gone), and key b is new."""
    was = replace(before(), keys=(KeyBefore("key-a", first),))
    keys = (B,) if now is None else (key("a", now), B)
    return recorded(situation(world(*keys), case=case(before=was, calls=calls), now=NOW + MINUTE))


RECORDS = [
    ("what was recorded stays", K.ENABLED, K.DISABLED, (), K.ENABLED),
    ("hidden at first", K.UNAVAILABLE, K.ENABLED, (), K.ENABLED),
    ("unknown at first", K.UNKNOWN, K.DISABLED, (), K.DISABLED),
    ("hidden, and touched by us", K.UNAVAILABLE, K.DISABLED, (made(DISABLE, "key-a"),), K.UNAVAILABLE),
    ("hidden, perhaps scheduled by us", K.UNAVAILABLE, K.DISABLED, (made(SCHEDULE, "key-a", status=INTENT),), K.UNAVAILABLE),
    ("hidden, ours was refused", K.UNAVAILABLE, K.DISABLED, (made(DISABLE, "key-a", status=REFUSED),), K.DISABLED),
    ("hidden, and gone", K.UNAVAILABLE, None, (), K.UNAVAILABLE),
]  # fmt: skip


@pytest.mark.parametrize(("why", "first", "now", "calls", "kept"), RECORDS, ids=[r[0] for r in RECORDS])  # fmt: skip
def test_a_later_record_adds_what_shows_only_now(
    why: str, first: KeyState, now: KeyState | None, calls: Calls, kept: KeyState
) -> None:
    later = record_again(first, now, *calls)
    assert later.keys == (KeyBefore("key-a", kept), KeyBefore("key-b", K.DISABLED)), why
    assert replace(later, keys=()) == replace(before(), keys=()), "time, store and zones stay"

"""Plans and their hash: one hash for one meaning, and another for everything that people should see."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

import pytest

from chalicelib.domain.diagnosis import (
    Cause,
    WayOut,
    all_plans,
    cause_of,
    daily_cost,
    way_out,
    ways_out,
)
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import LATER, NEWEST_BACKUP, Operation, Plan, Remedy, _plain
from chalicelib.domain.state.snapshot import Backup, KeyState, Snapshot, StoreState
from chalicelib.domain.state.zones import zone_labels
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    busy,
    case,
    cluster,
    key,
    sibling,
    situation,
    store,
    used,
    world,
)

KEYS = (key("a"), key("b", KeyState.DISABLED))
TWO = world(*KEYS, siblings=(sibling(),))


def plan_in(
    snapshot: Snapshot,
    remedy: Remedy = Remedy.RETIRE,
    *,
    of: Case | None = None,
    policy: Policy = POLICY,
) -> Plan:
    offers = all_plans(situation(snapshot, case=of or case(), policy=policy))
    return next(plan for plan in offers if plan.remedy is remedy)


SAME: list[tuple[str, Snapshot]] = [
    ("keys in another order", replace(TWO, keys=KEYS[::-1])),
    ("HSMs in another order", replace(TWO, cluster=cluster("1b", "1a"))),
    ("looked at later", replace(TWO, at=NOW + HOURS)),
    ("a new backup", replace(TWO, cluster=cluster("1a", "1b", backups=(Backup("x", BackupState.READY, NOW),)))),
    ("more sessions", replace(TWO, other_use=busy(7))),
    ("more keys of others seen", replace(TWO, keys_seen=9_000)),
    ("grants", replace(TWO, keys=(replace(KEYS[0], grants=5), KEYS[1]))),
]  # fmt: skip
OTHER: list[tuple[str, Snapshot]] = [
    ("one key more", replace(TWO, keys=(*KEYS, key("c")))),
    ("a key in another state", replace(TWO, keys=(KEYS[0], key("b")))),
    ("a key used since", replace(TWO, keys=(key("a", last_use=used(60 * DAY)), KEYS[1]))),
    ("a key in use now", replace(TWO, keys=(key("a", last_use=used(DAY)), KEYS[1]))),
    ("another alias first", replace(TWO, keys=(key("a", aliases=("alias/x",)), KEYS[1]))),
    ("one HSM more", replace(TWO, cluster=cluster("1a", "1b", "1c"))),
    ("another store", replace(TWO, key_stores=(replace(store(), key_store_id="cks-2"),))),
    ("the store's state", replace(TWO, key_stores=(store(StoreState.CONNECTING),))),
]


@pytest.mark.parametrize(("why", "snapshot"), SAME, ids=[row[0] for row in SAME])
def test_the_hash_stands(why: str, snapshot: Snapshot) -> None:
    for remedy in set(Remedy) - {Remedy.RESCUE}:
        hashes = {plan_in(s, remedy).plan_hash for s in (TWO, snapshot)}
        assert len(hashes) == 1, (why, remedy)


@pytest.mark.parametrize(("why", "snapshot"), OTHER, ids=[row[0] for row in OTHER])
def test_the_hash_changes(why: str, snapshot: Snapshot) -> None:
    for remedy in (Remedy.RETIRE, Remedy.REPOINT):
        assert plan_in(TWO, remedy).plan_hash != plan_in(snapshot, remedy).plan_hash, why


def test_use_of_a_key_that_is_in_use_does_not_move_the_hash() -> None:
    first, later = (world(key("a", last_use=used(age))) for age in (3 * HOURS, MINUTE))
    assert plan_in(first).plan_hash == plan_in(later).plan_hash


def test_the_hash_is_the_same_in_every_process() -> None:
    """A change here voids the approvals of all open cases: fields that came later may be missing."""
    assert plan_in(world(free=True), Remedy.PARK).plan_hash == (
        plan_in(world(free=True), Remedy.PARK).plan_hash
    )
    assert len(plan_in(TWO).plan_hash) == 64
    assert _plain(NOW) == "2026-03-02T09:00:00+00:00"
    for plan in all_plans(situation(TWO)):
        text = json.dumps(_old(asdict(plan)), sort_keys=True, separators=(",", ":"), default=_plain)
        assert plan.plan_hash == hashlib.sha256(text.encode()).hexdigest()


def _old(value: object) -> object:
    """Without what came later and says nothing."""
    if isinstance(value, dict):
        return {n: _old(v) for n, v in value.items() if n not in LATER or v}
    return [_old(one) for one in value] if isinstance(value, list | tuple) else value


def test_settings_that_people_should_know_of_are_in_the_hash() -> None:
    changes: list[dict[str, object]] = [
        {"pending_window_days": 7},
        {"quarantine_days": 3},
        {"quorum_irreversible": 3},
        {"dry_run": True},
        {"go_again_after": 5},
        {"recent_use_days": 40},
        {"quiet_minutes": 9},
    ]
    hashes = {plan_in(TWO, policy=replace(POLICY, **c)).plan_hash for c in changes}  # type: ignore[arg-type]
    assert len(hashes | {plan_in(TWO).plan_hash}) == len(changes) + 1
    soak = replace(POLICY, repoint_soak_days=1)
    assert plan_in(TWO, Remedy.REPOINT, policy=soak) != plan_in(TWO, Remedy.REPOINT)


def test_a_plan_that_is_offered_again_is_another_plan() -> None:
    """Else old approvals, and old calls, would count in a world that is back as it was."""
    for remedy in (Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT):
        again = plan_in(TWO, remedy, of=case(reset_at_click=2))
        assert again.plan_hash != plan_in(TWO, remedy).plan_hash


C, D, F = StoreState.CONNECTED, StoreState.DISCONNECTED, StoreState.FAILED
CONNECT, DISCONNECT = Operation.CONNECT_KEY_STORE, Operation.DISCONNECT_KEY_STORE
SCHEDULE, DISABLE, UPDATE = (
    Operation.SCHEDULE_KEY_DELETION,
    Operation.DISABLE_KEY,
    Operation.UPDATE_KEY_STORE,
)
END = (Operation.DELETE_HSM, Operation.KEEP_BACKUP, Operation.DELETE_CLUSTER)
STORE_GOES = (DISCONNECT, Operation.DELETE_KEY_STORE)
PROVE = Operation.PROVE_KEY
SHAPES: list[tuple[str, Remedy, Snapshot, tuple[Operation, ...]]] = [
    ("retire", Remedy.RETIRE, world(*KEYS), (SCHEDULE, *STORE_GOES, *END)),
    ("retire an empty store", Remedy.RETIRE, world(), (*STORE_GOES, *END)),
    ("retire without a store", Remedy.RETIRE, world(free=True), END),
    ("retire what is going", Remedy.RETIRE, world(key("a", KeyState.PENDING_DELETION)), (*STORE_GOES, *END)),
    ("retire without HSMs", Remedy.RETIRE, world(zones=()), (*STORE_GOES, *END[1:])),
    ("retire, disconnected", Remedy.RETIRE, world(*KEYS, held=store(D)), (CONNECT, SCHEDULE, *STORE_GOES, *END)),
    ("retire, disconnecting", Remedy.RETIRE, world(*KEYS, held=store(StoreState.DISCONNECTING)), (CONNECT, SCHEDULE, *STORE_GOES, *END)),
    ("retire, connecting", Remedy.RETIRE, world(*KEYS, held=store(StoreState.CONNECTING)), (SCHEDULE, *STORE_GOES, *END)),
    ("retire, failed", Remedy.RETIRE, world(*KEYS, held=store(F)), (DISCONNECT, CONNECT, SCHEDULE, *STORE_GOES, *END)),
    ("park", Remedy.PARK, world(*KEYS), (DISCONNECT, Operation.DELETE_HSM)),
    ("park, disconnected", Remedy.PARK, world(*KEYS, held=store(D)), (Operation.DELETE_HSM,)),
    ("park without a store", Remedy.PARK, world(free=True), (Operation.DELETE_HSM,)),
    ("repoint", Remedy.REPOINT, TWO, (DISCONNECT, UPDATE, CONNECT, PROVE, Operation.KEEP_BACKUP, Operation.DELETE_HSM, Operation.DELETE_CLUSTER)),
    ("repoint, disconnected", Remedy.REPOINT, replace(TWO, key_stores=(store(D),)), (UPDATE, CONNECT, PROVE, Operation.KEEP_BACKUP, Operation.DELETE_HSM, Operation.DELETE_CLUSTER)),
    ("repoint of disabled keys, no HSM", Remedy.REPOINT, replace(TWO, keys=(KEYS[1],), cluster=cluster()), (DISCONNECT, UPDATE, CONNECT, Operation.KEEP_BACKUP, Operation.DELETE_CLUSTER)),
    ("keep", Remedy.KEEP, TWO, ()),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "shape"), SHAPES, ids=[r[0] for r in SHAPES])
def test_the_calls_of_a_plan(
    why: str, remedy: Remedy, snapshot: Snapshot, shape: tuple[Operation, ...]
) -> None:
    plan = plan_in(snapshot, remedy)
    assert tuple(call.operation for call in plan.calls) == shape, why


def test_a_plan_names_every_target() -> None:
    plan = plan_in(world(*KEYS, zones=("1b", "1a", "1a")))
    assert plan.names(SCHEDULE) == ("key-a", "key-b")
    assert plan.names(DISCONNECT) == (STORE,)
    assert plan.names(Operation.DELETE_HSM) == ("1a", "1a#2", "1b")
    assert plan.names(Operation.KEEP_BACKUP) == (NEWEST_BACKUP,)
    assert plan.names(Operation.DELETE_CLUSTER) == (CLUSTER,)
    assert plan.names(Operation.CREATE_HSM) == ()
    assert zone_labels(()) == ()


PENDING = key("a", KeyState.PENDING_DELETION)
SMALL = replace(sibling(), hsms=sibling().hsms[:1])
IMPOSSIBLE: list[tuple[str, Remedy, Snapshot, str]] = [
    ("no cluster", Remedy.RETIRE, world(cluster=None), "the cluster is gone"),
    ("keys, but no HSM", Remedy.RETIRE, world(*KEYS, zones=()), "active HSM"),
    ("nothing to park", Remedy.PARK, world(zones=()), "no HSM is left"),
    ("no cluster to park", Remedy.PARK, world(cluster=None), "no HSM is left"),
    ("keys that go", Remedy.PARK, world(PENDING), "1 of its keys is waiting"),
    ("no store to move", Remedy.REPOINT, world(free=True), "no key store"),
    ("no cluster to leave", Remedy.REPOINT, world(cluster=None), "the cluster is gone"),
    ("no keys to move", Remedy.REPOINT, world(siblings=(sibling(),)), "no keys to move"),
    ("keys that go, repoint", Remedy.REPOINT, world(PENDING, siblings=(sibling(),)), "waiting"),
    ("no sibling", Remedy.REPOINT, world(*KEYS), "no other cluster"),
    ("a small sibling", Remedy.REPOINT, world(*KEYS, siblings=(SMALL,)), "two zones"),
]


@pytest.mark.parametrize(("why", "remedy", "snapshot", "words"), IMPOSSIBLE, ids=[r[0] for r in IMPOSSIBLE])  # fmt: skip
def test_what_is_not_possible_says_why(
    why: str, remedy: Remedy, snapshot: Snapshot, words: str
) -> None:
    ways = {w.remedy: w for w in ways_out(situation(snapshot))}
    assert list(ways) == [remedy for remedy in Remedy if remedy in ways]
    assert words in ways[remedy].impossible, why
    assert ways[remedy].plan is None
    assert not ways[remedy].is_open


def test_a_closed_gate_closes_the_way_but_not_the_plan() -> None:
    snapshot = world(*KEYS, unread=("kms:ListKeys was refused",))
    ways = {w.remedy: w for w in ways_out(situation(snapshot))}
    assert ways[Remedy.RETIRE].plan
    assert not ways[Remedy.RETIRE].is_open
    assert ways[Remedy.PARK].is_open


CAUSES: list[tuple[Cause, Snapshot]] = [
    (Cause.NO_CLUSTER, world(cluster=None)),
    (Cause.INCOMPLETE, world(cluster=None, unread=("x",))),
    (Cause.LIVE_KEYS, world(*KEYS, unread=("x",))),
    (Cause.INCOMPLETE, world(unread=("x",))),
    (Cause.PENDING_KEYS, world(PENDING)),
    (Cause.DISCONNECTING, world(held=store(StoreState.DISCONNECTING))),
    (Cause.EMPTY_STORE, world()),
    (Cause.ONLY_HSMS, world(free=True)),
    (Cause.NOTHING, world(free=True, zones=())),
]


@pytest.mark.parametrize(("cause", "snapshot"), CAUSES)
def test_the_cause(cause: Cause, snapshot: Snapshot) -> None:
    assert cause_of(snapshot) is cause


def test_the_cost_of_a_day() -> None:
    assert daily_cost(world(), POLICY) == pytest.approx(76.8)


def test_the_default_target_is_the_first_by_id() -> None:
    snapshot = replace(TWO, siblings=(sibling("cluster-z"), sibling(), SMALL))
    targets = [
        p.target_cluster_id for p in all_plans(situation(snapshot)) if p.remedy is Remedy.REPOINT
    ]
    assert targets == [OTHER_CLUSTER, "cluster-z"]


def test_a_key_without_an_alias_has_a_name_all_the_same() -> None:
    assert key("abcdefghij", aliases=()).name == "key-abcd… (no alias)"


def test_a_way_that_is_not_spoken_of_is_none() -> None:
    """Nothing is broken, so nobody speaks of a rescue."""
    assert way_out(Remedy.RESCUE, situation(world())) == WayOut(Remedy.RESCUE, None)

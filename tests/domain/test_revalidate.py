"""What voids an approval, each difference in words; what our own steps explain is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import CallRecord, CallStatus, Difference
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, OtherUse, Snapshot, StoreState
from tests.domain.scenes import JUST, made, scene
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    cluster,
    hsms,
    key,
    sibling,
    store,
    used,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
S, K = StoreState, KeyState
OFF, ON = Operation.DISCONNECT_KEY_STORE, Operation.CONNECT_KEY_STORE
SCHEDULE, DISABLE = Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY
DELETE = Operation.DELETE_HSM
INTENT, REFUSED = CallStatus.INTENT, CallStatus.REFUSED
Calls = tuple[CallRecord, ...]

A, B = key("a"), key("b", K.DISABLED)
START = world(A, B, siblings=(sibling(),))
HELD = "Key store payments"


def differ(
    remedy: Remedy, now: Snapshot, *calls: CallRecord, basis: Snapshot = START
) -> list[tuple[str, str, str]]:
    found = changes(scene(remedy, now, *calls, basis=basis))
    return [(d.what, d.before, d.now) for d in found]


def on(state: StoreState, where: str = CLUSTER, **values: object) -> Snapshot:
    return replace(START, key_stores=(store(state, cluster_id=where),), **values)  # type: ignore[arg-type]


FAILED = replace(START, key_stores=(store(S.FAILED, error="NETWORK_ERRORS"),))
WAS_OFF = on(S.DISCONNECTED)
CAME = (HELD, "disconnected by Unlatch", "connected again by somebody")
WENT = (HELD, "connected", "disconnected by somebody")
GOING = (HELD, "connected", "disconnecting by somebody")
Row = tuple[str, str, str]
CONNECTIONS: list[tuple[str, Remedy, Snapshot, Snapshot, Calls, list[Row]]] = [
    ("nothing happened", R, START, START, (), []),
    ("connecting counts as connected", R, on(S.CONNECTING), START, (), []),
    ("and connected as connecting", R, START, on(S.CONNECTING), (), []),
    ("off, keys need it", R, WAS_OFF, START, (), [WENT]),
    ("going off, keys need it", R, on(S.DISCONNECTING), START, (), [GOING]),
    ("was connecting, is off", R, WAS_OFF, on(S.CONNECTING), (), [WENT]),
    ("was off, is off", R, WAS_OFF, WAS_OFF, (), []),
    ("off, no key left", R, replace(WAS_OFF, keys=()), replace(START, keys=()), (), []),
    ("off, and park wants that", P, WAS_OFF, START, (), []),
    ("off before repoint begins", M, WAS_OFF, START, (), []),
    ("failed, keys need it", R, FAILED, START, (), [(HELD, "connected", "failed (NETWORK_ERRORS)")]),
    ("failed without a reason", R, on(S.FAILED), START, (), [(HELD, "connected", "failed (no reason given)")]),
    ("failed, and the plan connects it", R, FAILED, WAS_OFF, (made(ON),), []),
    ("off by us", P, WAS_OFF, START, (made(OFF),), []),
    ("off by us, and on again", P, START, START, (made(OFF),), [CAME]),
    ("off by us, and coming", P, on(S.CONNECTING), START, (made(OFF),), [CAME]),
    ("off by us just now, not visible", P, START, START, (made(OFF, ago=JUST),), []),
    ("two minutes later it is", P, START, START, (made(OFF, ago=2 * MINUTE),), [CAME]),
    ("perhaps off by us", P, START, START, (made(OFF, status=INTENT),), []),
    ("our disconnect was refused", P, START, START, (made(OFF, status=REFUSED),), []),
    ("off by an earlier plan", P, START, START, (made(OFF, plan_hash="old"),), []),
    ("off by us, coming by ours", M, on(S.CONNECTING), START, (made(OFF),), []),
    ("off by us, on in a plan that connects", M, START, START, (made(OFF),), [CAME]),
    ("connected by us, off by somebody", R, WAS_OFF, WAS_OFF, (made(ON),), [WENT]),
    ("connected by us just now", R, WAS_OFF, WAS_OFF, (made(ON, ago=JUST),), []),
    ("connected by us after our disconnect", M, WAS_OFF, START, (made(OFF, ago=2 * HOURS), made(ON), made(Operation.PROVE_KEY, "key-a")), [WENT]),
    ("not proven there: a person may be at it", M, WAS_OFF, START, (made(OFF, ago=2 * HOURS), made(ON)), []),
    ("connected by us before our disconnect", M, WAS_OFF, START, (made(ON, ago=2 * HOURS), made(OFF)), []),
    ("perhaps connected by us", R, WAS_OFF, WAS_OFF, (made(ON, status=INTENT),), []),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "now", "basis", "calls", "rows"), CONNECTIONS, ids=[r[0] for r in CONNECTIONS])  # fmt: skip
def test_the_connection(  # noqa: PLR0917  # the columns of the table
    why: str, remedy: Remedy, now: Snapshot, basis: Snapshot, calls: Calls, rows: list[Row]
) -> None:
    assert differ(remedy, now, *calls, basis=basis) == rows, why


OTHER_STORE = replace(store(), key_store_id="cks-2", name="orders")
NEW_HOLDER = ("Key store orders", "did not exist", "holds the cluster now")
NO_STORE = replace(START, key_stores=())
UNFIT = (f"Cluster {OTHER_CLUSTER}", "could take the key store", "can’t any more")
THERE, HAS = f"Cluster {OTHER_CLUSTER}", "has the key store"
STORES: list[tuple[str, Remedy, Snapshot, list[Row]]] = [
    ("gone in a repoint", M, NO_STORE, [("Key store", "was there", "is gone")]),
    ("gone in a park", P, NO_STORE, [("Key store", "was there", "is gone")]),
    ("gone in a retire", R, NO_STORE, [("Key store", "was there", "is gone")]),
    ("another one beside it", P, replace(START, key_stores=(OTHER_STORE, store(cluster_id="x"))), [NEW_HOLDER, (HELD, "held this cluster", "holds another one")]),
    ("another one in its place", R, replace(START, key_stores=(OTHER_STORE,)), [NEW_HOLDER, ("Key store", "was there", "is gone")]),
    ("moved away", P, on(S.CONNECTED, "x"), [(HELD, "held this cluster", "holds another one")]),
    ("moved where repoint wants it", M, on(S.CONNECTED, OTHER_CLUSTER), []),
    ("moved there in a park", P, on(S.CONNECTED, OTHER_CLUSTER), [(HELD, "held this cluster", "holds another one")]),
    ("the target is gone", M, replace(START, siblings=()), [UNFIT]),
    ("the target is small", M, replace(START, siblings=(replace(sibling(), hsms=hsms("1a")),)), [UNFIT]),
    ("another one could", M, replace(START, siblings=(sibling("cluster-z"),)), [UNFIT]),
    ("the target is gone, and park", P, replace(START, siblings=()), []),
    ("the target is small, and has the store", M, on(S.CONNECTED, OTHER_CLUSTER, siblings=(replace(sibling(), hsms=hsms("1a")),)), []),
    ("the target has the store, and is gone", M, on(S.CONNECTED, OTHER_CLUSTER, siblings=()), [(THERE, HAS, "is gone")]),
    ("the target has the store, and goes", M, on(S.CONNECTED, OTHER_CLUSTER, siblings=(replace(sibling(), state=ClusterState.DELETE_IN_PROGRESS),)), [(THERE, HAS, "is being deleted")]),
    ("the target has the store, and no HSM", M, on(S.CONNECTED, OTHER_CLUSTER, siblings=(replace(sibling(), hsms=()),)), [(THERE, HAS, "has no HSM left")]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "now", "rows"), STORES, ids=[r[0] for r in STORES])
def test_the_store(why: str, remedy: Remedy, now: Snapshot, rows: list[Row]) -> None:
    assert differ(remedy, now) == rows, why


@pytest.mark.parametrize("state", [S.CONNECTED, S.DISCONNECTED])
def test_a_store_that_others_moved_back_is_not_moved_again(state: StoreState) -> None:
    moved = made(Operation.UPDATE_KEY_STORE)
    back = [(HELD, "moved by Unlatch", "moved back by somebody")]
    assert differ(M, on(state), moved) == back
    assert differ(M, on(S.DISCONNECTED), replace(moved, at=NOW - JUST)) == [], "old news"
    assert differ(M, on(S.DISCONNECTED), replace(moved, status=INTENT)) == [], (
        "it may never have been"
    )
    assert differ(M, on(S.DISCONNECTED), replace(moved, plan_hash="earlier")) == [], (
        "another plan's"
    )


def test_a_plan_without_a_store_minds_only_one_that_comes() -> None:
    free = world(free=True)
    assert differ(P, free, basis=free) == []
    came = ("Key store payments", "did not exist", "holds the cluster now")
    assert differ(P, world(), basis=free) == [came]


def with_a(**values: object) -> Snapshot:
    return replace(START, keys=(replace(A, **values), B))  # type: ignore[arg-type]


NAME = "alias/a"
DATE = NOW + 5 * DAY
ON_A = with_a()
OFF_A, DARK_A = with_a(state=K.DISABLED), with_a(state=K.UNAVAILABLE)
DYING_A = with_a(state=K.PENDING_DELETION, deletion_date=DATE)
BACK = (NAME, "deletion scheduled by Unlatch", "brought back by somebody")
OFF_BY = (NAME, "Enabled", "Disabled by somebody")
ON_BY = (NAME, "Disabled by Unlatch", "Enabled by somebody")
GONE = (NAME, "was there", "is gone")
KEYS: list[tuple[str, Snapshot, Snapshot, Calls, list[Row]]] = [
    ("off by somebody", OFF_A, START, (), [OFF_BY]),
    ("on by somebody", ON_A, OFF_A, (), [(NAME, "Disabled", "Enabled by somebody")]),
    ("dark with its store", DARK_A, START, (), []),
    ("dark before and now", DARK_A, DARK_A, (), []),
    ("not dark any more, on", ON_A, DARK_A, (), []),
    ("not dark any more, off", OFF_A, DARK_A, (), []),
    ("unknown now", with_a(state=K.UNKNOWN), START, (), [(NAME, "Enabled", "Unknown by somebody")]),
    ("off by us", OFF_A, START, (made(DISABLE, "key-a"),), []),
    ("off by us, and dark", DARK_A, START, (made(DISABLE, "key-a"),), []),
    ("off by us, and on again", ON_A, START, (made(DISABLE, "key-a"),), [ON_BY]),
    ("just off by us, not visible", ON_A, START, (made(DISABLE, "key-a", ago=JUST),), []),
    ("perhaps off by us, on", ON_A, START, (made(DISABLE, "key-a", status=INTENT),), []),
    ("perhaps off by us, off", OFF_A, START, (made(DISABLE, "key-a", status=INTENT),), []),
    ("ours was refused, off", OFF_A, START, (made(DISABLE, "key-a", status=REFUSED),), [OFF_BY]),
    ("scheduled by us", DYING_A, START, (made(SCHEDULE, "key-a"),), []),
    ("scheduled by somebody", DYING_A, START, (), []),
    ("scheduled by us, and back", OFF_A, START, (made(SCHEDULE, "key-a"),), [BACK]),
    ("just scheduled, not visible", ON_A, START, (made(SCHEDULE, "key-a", ago=JUST),), []),
    ("perhaps scheduled, on", ON_A, START, (made(SCHEDULE, "key-a", status=INTENT),), []),
    ("was going, is back", ON_A, DYING_A, (), [(NAME, "waiting for deletion", "brought back by somebody")]),
    ("gone", replace(START, keys=(B,)), START, (), [GONE]),
    ("gone, and somebody scheduled it before", replace(START, keys=(B,)), DYING_A, (), []),
    ("gone when its time is over", replace(START, keys=(B,)), START, (made(SCHEDULE, "key-a", ago=30 * DAY),), []),
    ("gone, perhaps scheduled, its time is over", replace(START, keys=(B,)), START, (made(SCHEDULE, "key-a", ago=30 * DAY, status=INTENT),), []),
    ("gone before its time", replace(START, keys=(B,)), START, (made(SCHEDULE, "key-a", ago=29 * DAY),), [GONE]),
    ("gone, ours was refused", replace(START, keys=(B,)), START, (made(SCHEDULE, "key-a", ago=30 * DAY, status=REFUSED),), [GONE]),
    ("gone, and an earlier plan scheduled it", replace(START, keys=(B,)), START, (made(SCHEDULE, "key-a", ago=30 * DAY, plan_hash="old"),), [GONE]),
    ("used since", with_a(last_use=used(MINUTE)), START, (), [(NAME, "last used 2 Dec 2025", "used 2 Mar, 08:59 UTC")]),
    ("used for the first time", with_a(last_use=used(MINUTE)), with_a(last_use=used(None)), (), [(NAME, "not used", "used 2 Mar, 08:59 UTC")]),
    ("in use, and used again", with_a(last_use=used(MINUTE)), with_a(last_use=used(HOURS)), (), []),
    ("last use told no more", with_a(last_use=used(None)), START, (), []),
    ("last use told as earlier", with_a(last_use=used(99 * DAY)), START, (), []),
    ("off and used", with_a(state=K.DISABLED, last_use=used(MINUTE)), START, (), [OFF_BY, (NAME, "last used 2 Dec 2025", "used 2 Mar, 08:59 UTC")]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "now", "basis", "calls", "rows"), KEYS, ids=[r[0] for r in KEYS])
def test_a_key_in_retire(
    why: str, now: Snapshot, basis: Snapshot, calls: Calls, rows: list[Row]
) -> None:
    terms = ("Override", "People needed")
    found = differ(R, now, *calls, basis=basis)
    assert [row for row in found if row[0] not in terms] == rows, why


def test_a_store_that_we_deleted_is_gone_as_planned() -> None:
    for status, rows in (
        (CallStatus.DONE, []),
        (INTENT, []),
        (REFUSED, [("Key store", "was there", "is gone")]),
    ):
        call = made(Operation.DELETE_KEY_STORE, status=status)
        keyless = replace(NO_STORE, keys=())
        assert differ(R, keyless, call, basis=replace(START, keys=())) == rows


def test_park_does_not_mind_what_becomes_of_a_key_and_repoint_only_until_it_is_proven() -> None:
    assert differ(P, OFF_A) == differ(P, DYING_A) == []
    assert differ(M, OFF_A) == [("alias/a", "can be checked", "is Disabled, so it can’t be")]
    assert differ(M, DYING_A) == [
        ("alias/a", "can be checked", "is PendingDeletion, so it can’t be")
    ]
    for remedy in (P, M):
        assert differ(remedy, replace(START, keys=(B,))) == [GONE]
    for now in (OFF_A, DYING_A):
        assert differ(M, now, made(Operation.PROVE_KEY, "key-a")) == []
    denied = replace(
        made(Operation.PROVE_KEY, "key-a", status=CallStatus.REFUSED),
        error="AccessDeniedException: User: arn:x is not authorized to perform: kms:Y",
        denied=True,
    )
    told = ("alias/a", "can be checked", "can’t be: AWS refuses Unlatch to use it")
    assert differ(M, START, denied) == [told]


def test_a_new_key_matters_to_each_remedy() -> None:
    new = key("new", created_at=NOW - HOURS)
    told = ("alias/new", "did not exist", "new key, made on 2 Mar, 08:00 UTC")
    for remedy in (R, P, M):
        assert differ(remedy, replace(START, keys=(new, A, B))) == [told]
    unread = replace(START, keys=(replace(new, created_at=None), A, B))
    assert ("alias/new", "did not exist", "new key") in differ(P, unread)


TWO = world(free=True)
NO_HSM = ("HSMs", "2", "none, so KMS can’t delete the keys’ material")
HSMS: list[tuple[str, Remedy, tuple[str, ...], Calls, list[Row]]] = [
    ("as planned", P, ("1a", "1b"), (), []),
    ("one less", P, ("1a",), (), [("HSMs in 1b", "1", "0")]),
    ("one more in a zone", P, ("1a", "1b", "1b"), (), [("HSMs in 1b", "1", "2")]),
    ("one in a new zone", P, ("1a", "1b", "1c"), (), [("HSMs in 1c", "0", "1")]),
    ("two zones", P, ("1b", "1b", "1a", "1a"), (), [("HSMs in 1a", "1", "2"), ("HSMs in 1b", "1", "2")]),
    ("one deleted", P, ("1b",), (made(DELETE, "1a"),), []),
    ("one deleted, and one came", P, ("1a", "1b"), (made(DELETE, "1a"),), [("HSMs in 1a", "0", "1")]),
    ("one just deleted, still shown", P, ("1a", "1b"), (made(DELETE, "1a", ago=JUST),), []),
    ("one just deleted, and one came", P, ("1a", "1a", "1b"), (made(DELETE, "1a", ago=JUST),), [("HSMs in 1a", "0", "2")]),
    ("perhaps deleted", P, ("1a", "1b"), (made(DELETE, "1a", status=INTENT),), []),
    ("deleted by an earlier plan", P, ("1a", "1b"), (made(DELETE, "1a", plan_hash="old"),), []),
    ("none is left for the keys", R, (), (), [NO_HSM]),
    ("one perhaps deleted, and gone", P, ("1b",), (made(DELETE, "1a", status=INTENT),), []),
    ("one perhaps deleted, and both gone", P, (), (made(DELETE, "1a", status=INTENT),), [("HSMs in 1b", "1", "0")]),
    ("one deletion refused, and gone", P, ("1b",), (made(DELETE, "1a", status=REFUSED),), [("HSMs in 1a", "1", "0")]),
    ("none is left for park", P, (), (), [("HSMs in 1a", "1", "0"), ("HSMs in 1b", "1", "0")]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "zones", "calls", "rows"), HSMS, ids=[r[0] for r in HSMS])  # fmt: skip
def test_hsms(
    why: str, remedy: Remedy, zones: tuple[str, ...], calls: Calls, rows: list[Row]
) -> None:
    now = replace(START, cluster=cluster(*zones))
    assert differ(remedy, now, *calls) == rows, why


def test_material_is_missed_only_while_there_are_keys_and_where_hsms_were_planned() -> None:
    keyless = replace(START, keys=())
    rows = differ(R, replace(keyless, cluster=cluster()), basis=keyless)
    assert rows == [("HSMs in 1a", "1", "0"), ("HSMs in 1b", "1", "0")]
    dying = replace(START, keys=(key("a", K.PENDING_DELETION),), cluster=cluster())
    assert differ(R, dying, basis=dying) == [], "there was none when people agreed"


def test_two_hsms_of_a_zone_are_counted_as_two() -> None:
    basis = replace(START, cluster=cluster("1a", "1a", "1b"))
    both = (made(DELETE, "1a"), made(DELETE, "1a#2"))
    assert differ(P, replace(START, cluster=cluster("1a", "1b")), both[0], basis=basis) == []
    assert differ(P, replace(START, cluster=cluster("1a", "1b")), *both, basis=basis) == [
        ("HSMs in 1a", "0", "1")
    ]
    just = tuple(replace(call, at=NOW - JUST) for call in both)
    assert differ(P, basis, *just, basis=basis) == []


def in_terms(policy: Policy, now: Snapshot, **case_values: Any) -> tuple[Difference, ...]:
    """What differs if a retire was agreed under the usual policy, and this one is in force."""
    it = scene(R, now, basis=START, plan=None, **case_values)
    return changes(replace(it, policy=policy))


STRICT = replace(POLICY, step_up_roles=("arn:aws:iam::111122223333:role/security",))
MORE, LESS = replace(POLICY, quorum_irreversible=4), replace(POLICY, quorum_irreversible=1)
TAGGED = replace(START, cluster=cluster("1a", "1b", tags=(("env", "prod"),)))
PROD = replace(POLICY, quorum_by_tag=(("env=prod", 3),))
DRY = replace(POLICY, dry_run=True)


def test_tighter_terms_void_an_approval_and_looser_ones_do_not() -> None:
    assert in_terms(POLICY, START) == in_terms(LESS, START) == ()
    assert in_terms(MORE, START) == (Difference("People needed", "2", "4"),)
    why = "because the cluster is tagged env=prod"
    assert in_terms(PROD, TAGGED) == (Difference("People needed", "2", f"3 {why}"),)
    assert in_terms(STRICT, START) == (Difference("Confirmation in AWS", "not needed", "needed"),)
    assert in_terms(DRY, START) == (Difference("Mode", "for real", "dry run"),)
    real = changes(replace(scene(R, START, policy=DRY), policy=POLICY))
    assert real == (Difference("Mode", "dry run", "for real"),)
    confirmed = changes(replace(scene(R, START, policy=STRICT), policy=POLICY))
    assert confirmed == ()
    sure = changes(replace(scene(R, START, policy=STRICT), policy=STRICT))
    assert sure == ()


ONE_KEY = world(key("a"))
SAFER: list[tuple[str, Remedy, dict[str, int], Difference]] = [
    ("a longer window", R, {"pending_window_days": 30}, Difference("Days that keys wait", "7", "30")),
    ("a watch", R, {"quarantine_days": 3}, Difference("Days of watch", "0", "3")),
    ("more quiet", R, {"quiet_minutes": 9}, Difference("Quiet minutes", "5", "9")),
    ("a fresh yes", R, {"go_again_after": 9}, Difference("Asking once more", "never", "after 9 h")),
    ("more soak", Remedy.REPOINT, {"repoint_soak_days": 9}, Difference("Days on the other cluster", "7", "9")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "remedy", "setting", "found"), SAFER, ids=[row[0] for row in SAFER]
)
def test_a_safer_setting_counts_until_the_first_mutation(
    why: str, remedy: Remedy, setting: dict[str, int], found: Difference
) -> None:
    now = replace(ONE_KEY, siblings=(sibling(),))
    agreed = replace(POLICY, pending_window_days=7)
    it = scene(remedy, now, policy=agreed)
    assert changes(it) == (), why
    assert changes(replace(it, policy=replace(agreed, **setting))) == (found,), why  # type: ignore[arg-type]
    begun = scene(remedy, now, made(Operation.DISCONNECT_KEY_STORE), policy=agreed)
    assert found not in changes(replace(begun, policy=replace(agreed, **setting)))  # type: ignore[arg-type]


def test_a_laxer_setting_and_a_watch_that_is_over_change_nothing() -> None:
    strict = replace(POLICY, go_again_after=9, quiet_minutes=9, quarantine_days=3)
    it = scene(R, ONE_KEY, policy=strict)
    lax = replace(POLICY, pending_window_days=7, go_again_after=12, quarantine_days=0)
    assert changes(replace(it, policy=lax)) == ()
    sooner = changes(replace(it, policy=replace(strict, go_again_after=4)))
    assert sooner == (Difference("Asking once more", "9 h", "after 4 h"),)
    off = world(key("a", KeyState.DISABLED))
    assert changes(replace(scene(R, off), policy=replace(POLICY, quarantine_days=9))) == ()


def test_other_programs_matter_before_the_plan_is_chosen_and_then_at_the_quiet_time() -> None:
    """After our disconnect KMS's own sessions stay in the numbers for minutes."""
    blind = replace(START, other_use=OtherUse())
    override = Difference("Override", "not needed", "needed: something is in use")
    people = Difference("People needed", "2", "3 because other programs use the HSMs, or may")
    assert in_terms(POLICY, blind) == (people, override)
    assert changes(scene(R, blind, basis=START)) == ()
    assert changes(scene(R, START, basis=blind)) == (), "and the override covers that"

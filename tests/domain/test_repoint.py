"""Repoint, step by step: move the store, prove every key there, let it soak, then delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.remedies import repoint
from chalicelib.domain.rules.step import Ask, Call, Step, Wait
from chalicelib.domain.state.case import Attempt, CallRecord, CallStatus, Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState, ClusterState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Backup, Cluster, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.scenes import JUST, Told, made, offer, scene, told
from tests.domain.worlds import (
    ACCOUNT,
    CI,
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    REGION,
    STORE,
    approved,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    store,
    world,
)

M = Remedy.REPOINT
S = StoreState
OFF, ON = Operation.DISCONNECT_KEY_STORE, Operation.CONNECT_KEY_STORE
UPDATE, PROVE = Operation.UPDATE_KEY_STORE, Operation.PROVE_KEY
KEEP = Operation.KEEP_BACKUP
HSM, END = Operation.DELETE_HSM, Operation.DELETE_CLUSTER
REFUSED = CallStatus.REFUSED
Calls = tuple[CallRecord, ...]

KEYS = (key("a"), key("b", KeyState.DISABLED))
START = world(*KEYS, siblings=(sibling(),))


def at(where: str, state: StoreState = S.CONNECTED, **values: Any) -> Snapshot:
    """The start, with the store in this state on this cluster."""
    return replace(START, key_stores=(store(state, cluster_id=where),), **values)


def there(state: StoreState = S.CONNECTED, **values: Any) -> Snapshot:
    return at(OTHER_CLUSTER, state, **values)


POINT = Call(UPDATE, (STORE,), "pointing the key store to the other cluster", to_cluster=OTHER_CLUSTER)  # fmt: skip
PROOF = Call(PROVE, ("key-a",), "making sure that each key works on the other cluster")
PROVED = made(PROVE, "key-a")
DENIED = replace(
    made(PROVE, "key-a", status=CallStatus.REFUSED),
    error="AccessDeniedException: User: arn:x is not authorized to perform: kms:Y",
    denied=True,
)
KEEPS = Call(KEEP, (NEWEST_BACKUP,), "keeping the newest backup for good")
KEPT = made(KEEP, NEWEST_BACKUP)
TWO_ON = (key("a"), key("b"))
DARK = (key("a"), key("b", KeyState.UNAVAILABLE))
ALONE = cluster(hsms=())
KEPT_ONE = Backup("backup-1", BackupState.READY, NOW - DAY, never_expires=True)
NEWER = Backup("backup-2", BackupState.READY, NOW)
SAFE = replace(ALONE, backups=(KEPT_ONE, NEWER))
STEPS: list[tuple[str, Snapshot, Calls, Told]] = [
    ("here and connected", START, (), Call(OFF, (STORE,), "disconnecting the key store")),
    ("here and off", at(CLUSTER, S.DISCONNECTED), (), POINT),
    ("here and off, pointed long ago", at(CLUSTER, S.DISCONNECTED), (made(UPDATE),), POINT),
    ("just pointed, not visible yet", at(CLUSTER, S.DISCONNECTED), (made(UPDATE, ago=JUST),), "KMS does not show the new cluster yet"),
    ("there and off", there(S.DISCONNECTED), (), Call(ON, (STORE,), "connecting the key store to the other cluster")),
    ("connecting there", there(S.CONNECTING), (made(ON, ago=6 * MINUTE),), "the key store is connecting"),
    ("there", there(), (), PROOF),
    ("there, proved by an earlier plan", there(), (made(PROVE, "key-a", plan_hash="old"),), PROOF),
    ("there, perhaps proved", there(), (made(PROVE, "key-a", status=CallStatus.INTENT),), PROOF),
    ("there, called otherwise", there(), (made(ON, "key-a"),), PROOF),
    ("there, one proved", there(keys=TWO_ON), (PROVED,), replace(PROOF, targets=("key-b",))),
    ("there, one dark", there(keys=DARK), (PROVED,), "KMS is bringing the keys back"),
    ("there and proved", there(), (PROVED,), "the keys run on the other cluster until 9 Mar"),
    ("nothing left to delete but the cluster", there(cluster=ALONE), (PROVED,), KEEPS),
    ("somebody deleted the kept backup", there(cluster=replace(ALONE, backups=(NEWER,))), (PROVED, KEPT), KEEPS),
    ("it is not seen to be kept", there(cluster=replace(ALONE, backups=(replace(KEPT_ONE, never_expires=False),))), (PROVED, KEPT), KEEPS),
    ("the backup is kept", there(cluster=SAFE), (PROVED, KEPT), Call(END, (CLUSTER,), "deleting the cluster")),
    ("the cluster is gone", there(cluster=None), (PROVED,), "the cluster is being deleted"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls", "step"), STEPS, ids=[r[0] for r in STEPS])
def test_move_prove_soak(why: str, snapshot: Snapshot, calls: Calls, step: Told) -> None:
    assert told(repoint.next_step(scene(M, snapshot, *calls, basis=START))) == step, why


def test_the_keys_run_there_for_days_before_anything_is_deleted() -> None:
    def soaking(since: timedelta, *calls: CallRecord) -> Step:
        times: dict[str, Any] = {"soaking_since": NOW - since, "quiet_since": NOW - DAY}
        kept = (
            there(cluster=replace(cluster("1a", "1b"), backups=(KEPT_ONE,))) if calls else there()
        )
        return repoint.next_step(scene(M, kept, PROVED, *calls, basis=START, **times))

    wait = "the keys run on the other cluster until 2 Mar"
    assert soaking(7 * DAY - HOURS) == Wait(3_601, wait)
    assert soaking(7 * DAY) == KEEPS, "before HSMs go, whose deletion makes newer ones"
    assert soaking(7 * DAY, KEPT) == Call(HSM, ("1a",), "deleting the HSMs")


def test_the_old_cluster_stays_once_the_other_one_can_not_serve_the_keys() -> None:
    """Somebody deletes its HSMs in the days of the soak; KMS goes on showing the store as connected."""
    play = approved(START, M)
    play.to_call(PROVE)
    play.change(lambda w: replace(w, siblings=(replace(sibling(), hsms=()),)))
    assert isinstance(play.to_question(), Ask)
    assert {END, HSM} & set(play.operations) == set()
    play.click(Act.UNDO)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.model.world.key_stores[0].cluster_id == CLUSTER


def test_a_plan_of_before_backups_were_kept_goes_on_as_approved() -> None:
    it = scene(M, there(), PROVED, basis=START, soaking_since=NOW - 8 * DAY, quiet_since=NOW - DAY)
    old = replace(it.plan, calls=tuple(c for c in it.plan.calls if c.operation is not KEEP))
    own = tuple(replace(call, plan_hash=old.plan_hash) for call in it.case.calls)
    case_then = replace(it.case, plan=old, calls=own)
    step = repoint.next_step(replace(it, plan=old, case=case_then))
    assert step == Call(HSM, ("1a",), "deleting the HSMs")


def test_without_a_soak_the_hsms_go_once_nobody_uses_them() -> None:
    none = replace(POLICY, repoint_soak_days=0)
    step = repoint.next_step(scene(M, there(), PROVED, basis=START, policy=none))
    assert told(step) == "checking that no other program uses the HSMs"


def test_only_a_cluster_that_is_fit_can_take_the_store() -> None:
    one = sibling("cluster-b")
    plan = offer(M, replace(START, siblings=(one, sibling("cluster-a"))))
    assert plan.target_cluster_id == "cluster-a"
    ids = [c.cluster_id for c in repoint.targets(replace(START, siblings=(one, sibling("cluster-a"))))]  # fmt: skip
    assert ids == ["cluster-a", "cluster-b"]
    small = replace(one, hsms=hsms("1a", "1a"))
    assert repoint.targets(replace(START, siblings=(small, replace(one, state=ClusterState.UNINITIALIZED)))) == ()  # fmt: skip


def planned(snapshot: Snapshot, *, target: str = "", **values: Any) -> Plan | str:
    return repoint.plan(situation(snapshot, case=case(**values)), target=target)


def operations(plan: Plan | str) -> list[Operation]:
    assert isinstance(plan, Plan), plan
    return [call.operation for call in plan.calls]


DELETING = [PROVE, KEEP, HSM, END]
GO_ON: list[tuple[str, Snapshot, list[Operation]]] = [
    ("here, connected", START, [OFF, UPDATE, ON, *DELETING]),
    ("here, off", at(CLUSTER, S.DISCONNECTED), [UPDATE, ON, *DELETING]),
    ("here, failed", at(CLUSTER, S.FAILED), [OFF, UPDATE, ON, *DELETING]),
    ("there, connected", there(), DELETING),
    ("there, off", there(S.DISCONNECTED), [ON, *DELETING]),
    ("there, failed", there(S.FAILED), [OFF, ON, *DELETING]),
    ("there, a key that can’t be seen", there(keys=(key("a", KeyState.UNAVAILABLE),)), DELETING),
    ("there, no key that works", there(keys=(KEYS[1],)), [KEEP, HSM, END]),
    ("there, no HSM", there(cluster=ALONE), [PROVE, KEEP, END]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "calls"), GO_ON, ids=[r[0] for r in GO_ON])
def test_a_plan_holds_what_is_still_to_do(
    why: str, snapshot: Snapshot, calls: list[Operation]
) -> None:
    assert operations(planned(snapshot, last_plan=offer(M, START))) == calls, why


def test_a_plan_says_where_it_acts_and_on_what() -> None:
    plan = planned(START, target="cluster-none", reset_at_click=3)
    assert isinstance(plan, Plan)
    assert plan.after_click == 3
    assert (plan.account, plan.region, plan.cluster_id) == (ACCOUNT, REGION, CLUSTER)
    assert (plan.remedy, plan.key_store_id, plan.target_cluster_id) == (M, STORE, OTHER_CLUSTER)
    assert (plan.soak_days, plan.window_days, plan.terms.people) == (7, 0, 2)
    assert [k.key_id for k in plan.basis.keys] == ["key-a", "key-b"]
    for operation in (OFF, UPDATE, ON):
        assert plan.names(operation) == (STORE,)
    assert plan.names(PROVE) == ("key-a",), "a disabled key can prove nothing"
    assert plan.unproven == ("key-b",)
    assert plan.names(KEEP) == (NEWEST_BACKUP,)
    assert plan.names(HSM) == ("1a", "1b")
    assert plan.names(END) == (CLUSTER,)


def test_a_key_that_nobody_may_use_is_named_in_the_next_plan_and_not_tried_again() -> None:
    it = scene(M, there(), DENIED, basis=START)
    assert repoint.lost_key(it) == "", "that says nothing of the other cluster"
    plan = planned(there(), last_plan=it.plan, calls=it.case.calls)
    assert isinstance(plan, Plan)
    assert (plan.unproven, plan.names(PROVE)) == (("key-a", "key-b"), ())
    assert plan.plan_hash != replace(plan, unproven=()).plan_hash
    assert repoint.unproved(plan, it.case, there()) == ()


def test_a_repoint_may_need_a_confirmation() -> None:
    strict = replace(POLICY, step_up_roles=("arn:aws:iam::111122223333:role/security",))
    assert offer(M, START, policy=strict).terms.step_up


def test_people_choose_the_target_among_those_that_are_fit() -> None:
    both = replace(START, siblings=(sibling(), sibling("cluster-z")))
    chosen = planned(both, target="cluster-z")
    assert isinstance(chosen, Plan)
    assert chosen.target_cluster_id == "cluster-z"


def test_a_store_that_was_moved_already_stays_where_it_is() -> None:
    """Also if another sibling could take it, and if its own could not any more."""
    own = replace(sibling(), hsms=hsms("1a"))
    for more in (
        there(siblings=(sibling("cluster-0"), own)),
        there(siblings=(), unread=("a call",)),
    ):
        plan = planned(more, target="cluster-0", last_plan=offer(M, START))
        assert isinstance(plan, Plan)
        assert (plan.target_cluster_id, plan.key_store_id) == (OTHER_CLUSTER, STORE)


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ((), "is gone"),
        ((replace(sibling(), state=ClusterState.DELETE_IN_PROGRESS),), "is being deleted"),
        ((replace(sibling(), hsms=()),), "has no HSM left"),
    ],
    ids=["gone", "going", "no HSM"],
)
def test_where_the_store_was_moved_to_a_cluster_that_serves_nobody_nothing_more_is_planned(
    own: tuple[Cluster, ...], why: str
) -> None:
    """The cluster that a repoint would delete has the only copy of the keys."""
    lost = planned(there(siblings=own), last_plan=offer(M, START))
    words = f"Repoint is not possible: the cluster that has the key store {why}. Cancel brings the key store back."
    assert lost == words


DYING = key("c", KeyState.PENDING_DELETION)
NOT: list[tuple[str, Snapshot, str]] = [
    ("no cluster", replace(START, cluster=None), "Repoint is not possible: the cluster is gone. Rescue comes first."),
    ("no store", replace(START, key_stores=()), "Repoint is not needed: no key store uses the cluster."),
    ("no keys", replace(START, keys=()), "Repoint is not needed: there are no keys to move."),
    ("keys that go", replace(START, keys=(*KEYS, DYING)), "Repoint is not possible: some keys are waiting for deletion."),
    ("no sibling", replace(START, siblings=()), "Repoint is not possible: no other cluster in this account holds a copy of these keys."),
    ("a small sibling", replace(START, siblings=(replace(sibling(), hsms=hsms("1a")),)), "Repoint is not possible: no cluster with the same certificate is active with HSMs in two zones."),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "words"), NOT, ids=[r[0] for r in NOT])
def test_why_there_is_no_plan(why: str, snapshot: Snapshot, words: str) -> None:
    assert planned(snapshot) == words, why


def test_a_repoint_helps_a_taken_cluster_only_if_a_copy_was_asked_for() -> None:
    taken = Attempt("event-1", NOW, "", CI, Trigger.CLUSTER_TAKEN)
    own = planned(START, trigger=Trigger.CLUSTER_TAKEN, attempts=(taken,))
    assert "AWS would refuse again" in str(own)
    copied = replace(taken, asked=OTHER_CLUSTER)
    for attempts in ((copied,), (taken, replace(taken, trigger=Trigger.DELETE_BLOCKED))):
        found = planned(START, trigger=Trigger.CLUSTER_TAKEN, attempts=attempts)
        assert isinstance(found, Plan)


def lost(*calls: CallRecord, snapshot: Snapshot = START) -> str:
    return repoint.lost_key(scene(M, snapshot, *calls, basis=START))


def test_a_key_that_failed_to_prove_itself_is_named() -> None:
    failed = replace(made(PROVE, "key-a", status=REFUSED), error="KMSInternalException")
    told = "alias/a does not work there (KMSInternalException)."
    assert lost(failed) == told
    assert lost(made(PROVE, "key-b"), made(ON, status=REFUSED), failed) == told
    assert lost(failed, snapshot=replace(START, keys=())).startswith("key-a does not work")
    assert lost() == lost(PROVED) == lost(replace(failed, plan_hash="old")) == ""
    assert lost(made(ON, status=REFUSED), made(PROVE, "key-a", status=CallStatus.INTENT)) == ""

"""Each step of a rescue in worlds between two looks: what AWS is still doing is waited for, never asked for twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from chalicelib.domain.progress import Standing, progress
from chalicelib.domain.remedies import rescue, rescue_back
from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules.outage import ended
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Call, Close, Wait
from chalicelib.domain.state.case import CallRecord, CallStatus, Outcome
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Remedy
from chalicelib.domain.state.snapshot import Backup, Cluster, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.test_rescue import BACKUP, OLD, lost, outage
from tests.domain.worlds import (
    NOW,
    OTHER_CLUSTER,
    STORE,
    case,
    hsms,
    key,
    situation,
    store,
    world,
)

O = Operation  # noqa: E741  # they stand in every line
NEW = Cluster(
    "cluster-made",
    ClusterState.ACTIVE,
    hsms=hsms("1a", "1b"),
    tags=((CASE_TAG, "case-1"),),
    source_backup="backup-1",
)
GOING = replace(BACKUP, state=BackupState.PENDING_DELETION)


@cache
def approved() -> PlanContext:
    """A new cluster from a backup is approved, and nothing is called yet."""
    play = outage(lost(key("a"), backups=(GOING,)), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.turn()
    plan = play.case.current_plan
    assert plan
    it = replace(play.case, plan=plan, calls=())
    return situation(play.model.at(play.now), case=it).on(plan)


def shown(
    *calls: tuple[Operation, str],
    backup: Backup = BACKUP,
    made: tuple[Cluster, ...] = (),
    **seen: object,
) -> PlanContext:
    """In this world, with these calls just made."""
    it = approved()
    snapshot = replace(it.snapshot, backups=(backup,), siblings=made, **seen)  # type: ignore[arg-type]
    records = tuple(
        CallRecord(operation, target, NOW, CallStatus.DONE, it.plan.plan_hash)
        for operation, target in calls
    )
    return replace(it, snapshot=snapshot, case=replace(it.case, calls=records))


KEPT = replace(BACKUP, never_expires=True)
THERE = replace(NEW, state=ClusterState.ACTIVE, hsms=())
WAITS: list[tuple[str, PlanContext, str]] = [
    ("the backup is being taken back", shown((O.RESTORE_BACKUP, "backup-1"), backup=GOING), "being restored"),
    ("it is not ready", shown(backup=replace(BACKUP, state=BackupState.CREATE_IN_PROGRESS)), "made ready"),
    ("it does not show as kept yet", shown((O.KEEP_BACKUP, "backup-1")), "backup is kept"),
    ("the new cluster is being made", shown(backup=KEPT, made=(replace(THERE, state=ClusterState.CREATE_IN_PROGRESS),)), "being created"),
    ("nobody knows whether the cluster was made", shown((O.CREATE_CLUSTER, "backup-1"), backup=KEPT), "finding out whether AWS made the cluster"),
    ("the HSM does not show yet", shown((O.CREATE_HSM, "1a"), backup=KEPT, made=(THERE,)), "HSMs are being created"),
    ("an HSM that failed is going", shown(backup=KEPT, made=(replace(THERE, hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS)),)), "failed is being deleted"),
    ("the cluster is not active yet", shown(backup=KEPT, made=(replace(NEW, state=ClusterState.UPDATE_IN_PROGRESS),)), "becomes active"),
    ("KMS does not show the new cluster yet", shown((O.UPDATE_KEY_STORE, STORE), backup=KEPT, made=(NEW,)), "does not show the new cluster"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "context", "words"), WAITS, ids=[row[0] for row in WAITS])
def test_what_aws_is_at_is_waited_for(why: str, context: PlanContext, words: str) -> None:
    step = rescue.next_step(context)
    assert isinstance(step, Wait), why
    assert words in step.why


def test_keys_that_kms_still_brings_back_are_waited_for() -> None:
    moved = store(StoreState.CONNECTED)
    on_new = replace(moved, cluster_id=NEW.cluster_id)
    dark = replace(approved().snapshot.keys[0], state=KeyState.UNAVAILABLE)
    context = shown(
        (O.PROVE_KEY, dark.key_id),
        (O.CONNECT_KEY_STORE, STORE),
        backup=KEPT,
        made=(NEW,),
        key_stores=(on_new,),
        keys=(dark,),
    )
    context = replace(context, now=NOW + timedelta(minutes=30))
    step = rescue.next_step(context)
    assert isinstance(step, Wait)
    assert "bringing the keys back" in step.why


def served(**seen: object) -> PlanContext:
    """All is made and connected, and the key has shown that it works."""
    on_new = store(cluster_id=NEW.cluster_id)
    done = ((O.PROVE_KEY, key("a").key_id), (O.CONNECT_KEY_STORE, STORE))
    context = shown(*done, backup=KEPT, made=(NEW,), key_stores=(on_new,), **seen)
    return replace(context, now=NOW + timedelta(minutes=30))


def test_only_a_whole_look_shows_that_keys_are_rescued() -> None:
    end = rescue.next_step(served())
    assert isinstance(end, Close)
    assert end.reason == "The enabled key works again: each was used once to check."
    blind = rescue.next_step(served(unread=("kms:ListKeys was refused",)))
    assert isinstance(blind, Wait)
    assert "read whole" in blind.why


def test_a_key_that_others_switched_off_is_said_to_be_unchecked() -> None:
    it = served(keys=(key("a", KeyState.PENDING_DELETION),))
    calls = tuple(c for c in it.case.calls if c.operation is not O.PROVE_KEY)
    end = rescue.next_step(replace(it, case=replace(it.case, calls=calls)))
    assert isinstance(end, Close)
    assert end.reason == "The key store is connected again. Could not be checked: alias/a."


def test_nothing_that_was_never_made_is_removed() -> None:
    assert rescue_back.made(shown()) is None
    refused = shown((O.CREATE_CLUSTER, "backup-1"))
    call = replace(refused.case.calls[0], status=CallStatus.REFUSED)
    assert rescue_back.made(replace(refused, case=replace(refused.case, calls=(call,)))) is None


def test_a_cluster_whose_answer_is_not_known_is_looked_for_before_the_way_back_ends() -> None:
    asked = shown((O.CREATE_CLUSTER, "backup-1"))
    soon = rescue_back.made(asked)
    assert isinstance(soon, Wait)
    assert "whether AWS made the cluster" in soon.why
    assert rescue_back.made(replace(asked, now=NOW + timedelta(minutes=5))) is None


def test_what_the_rescue_made_goes_one_after_the_other() -> None:
    coming = shown(made=(replace(NEW, hsms=hsms("1a", state=HsmState.CREATE_IN_PROGRESS)),))
    assert isinstance(rescue_back.made(coming), Wait), "no HSM goes while it comes"
    empty = shown(made=(replace(NEW, hsms=(), state=ClusterState.CREATE_IN_PROGRESS),))
    assert isinstance(rescue_back.made(empty), Wait)
    step = rescue_back.made(shown(made=(THERE,)))
    assert isinstance(step, Call)
    assert step.operation is O.DELETE_CLUSTER
    again = rescue_back.made(shown((O.DELETE_CLUSTER, NEW.cluster_id), made=(THERE,)))
    assert isinstance(again, Wait), "it is asked for once"


def test_a_backup_that_is_kept_and_a_store_that_is_off_need_no_call() -> None:
    off = lost(key("a"), backups=(KEPT,), held=store(StoreState.DISCONNECTED))
    plan = outage(off, last_cluster=OLD).case.offer(Remedy.RESCUE)
    assert plan
    planned = [call.operation for call in plan.calls]
    assert O.KEEP_BACKUP not in planned
    assert O.DISCONNECT_KEY_STORE not in planned


def test_a_store_that_is_gone_or_elsewhere_asks() -> None:
    gone = changes(shown(key_stores=()))
    assert [(one.what, one.now) for one in gone] == [("Key store", "is gone")]
    held = replace(approved().snapshot.key_stores[0], cluster_id=OTHER_CLUSTER)
    (other,) = changes(shown(key_stores=(held,)))
    assert other.now == "holds another one"


def standing(context: PlanContext, operation: Operation) -> Standing:
    return next(stage.standing for stage in progress(context) if stage.operation is operation)


def test_the_steps_stand_as_aws_shows_them() -> None:
    called = ((O.RESTORE_BACKUP, "backup-1"), (O.KEEP_BACKUP, "backup-1"))
    assert standing(shown(called[0], backup=GOING), O.RESTORE_BACKUP) is Standing.NOW
    assert standing(shown(called[0]), O.RESTORE_BACKUP) is Standing.DONE
    made = (*called, (O.CREATE_CLUSTER, "backup-1"))
    assert standing(shown(*made, backup=KEPT), O.CREATE_CLUSTER) is Standing.NOW
    coming = replace(THERE, state=ClusterState.CREATE_IN_PROGRESS)
    assert standing(shown(*made, backup=KEPT, made=(coming,)), O.CREATE_CLUSTER) is Standing.NOW
    assert standing(shown(*made, backup=KEPT, made=(THERE,)), O.CREATE_CLUSTER) is Standing.DONE
    assert standing(shown(*made, backup=KEPT, made=(NEW,)), O.CREATE_HSM) is Standing.DONE


@pytest.mark.parametrize(
    ("trigger", "seen", "outcome"),
    [
        (Trigger.STORE_DOWN, world(key("a"), free=True), Outcome.RESOLVED),
        (Trigger.STORE_DOWN, world(), Outcome.EXPLAINED),
        (Trigger.STORE_DOWN, world(key("a"), held=store(StoreState.CONNECTING)), None),
        (Trigger.STORE_DOWN, world(key("a")), Outcome.RESOLVED),
        (Trigger.DELETE_BLOCKED, world(key("a")), None),
    ],
)
def test_an_outage_ends_by_itself(
    trigger: Trigger, seen: Snapshot, outcome: Outcome | None
) -> None:
    end = ended(situation(seen, case=case(trigger=trigger, snapshot=seen)))
    assert (end.outcome if isinstance(end, Close) else None) is outcome

"""A rescue while others act, too: nothing is made that nobody needs, and no cluster is touched that it did not make."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.step import Ask, Call, Close
from chalicelib.domain.state.case import CallStatus, Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState, ClusterState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Remedy
from chalicelib.domain.state.snapshot import Cluster, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.test_rescue import BACKUP, OLD, lost, outage
from tests.domain.test_rescue_stopped import WORLDS, begun
from tests.domain.test_rescue_subnets import A_AND_C, HELD, room
from tests.domain.worlds import CLUSTER, OTHER_CLUSTER, Play, hsms, key, sibling, store, world

O = Operation  # noqa: E741  # they stand in every line
TAGS = ((CASE_TAG, "case-1"),)


def connected(snapshot: Snapshot) -> Snapshot:
    """Somebody else connects the store to its old cluster."""
    held = replace(snapshot.key_stores[0], state=StoreState.CONNECTED, error="")
    return replace(snapshot, key_stores=(held,))


def new_cluster() -> Play:
    """The old one lives, and a subnet of it is full."""
    full = store(StoreState.FAILED, error="INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET")
    play = outage(world(key("a"), cluster=HELD, held=full, room=room(b=0)), Trigger.STORE_DOWN)
    play.choose(*A_AND_C)
    return play


def test_an_answer_that_was_lost_makes_no_second_cluster() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    crashes = iter(["after"])
    play.crash = lambda operation, _: next(crashes, "") if operation is O.CREATE_CLUSTER else ""
    assert play.to_close().outcome is Outcome.RESCUED
    assert play.operations.count(O.CREATE_CLUSTER) == 1


@pytest.mark.parametrize("how", ["before intent", "before", "after"])
@pytest.mark.parametrize("name", WORLDS)
def test_a_crash_at_each_call_comes_to_the_same_end(name: str, how: str) -> None:
    play, seen = begun(name), set[tuple[Operation, str]]()

    def once(operation: Operation, target: str) -> str:
        if (operation, target) in seen:
            return ""
        seen.add((operation, target))
        return how

    play.crash = once
    assert play.to_close().outcome is Outcome.RESCUED
    for operation in (O.CREATE_CLUSTER, O.CREATE_HSM):
        made = [target for did, target in play.calls if did is operation]
        assert len(made) == len(set(made)), "none was made twice"


def test_a_cluster_that_somebody_tagged_is_not_ours() -> None:
    """Whoever may tag a cluster could have it used, and deleted by a cancel."""
    theirs = replace(sibling(), tags=TAGS, source_backup="backup-0")
    play = outage(lost(key("a"), siblings=(theirs,)), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.click(Act.CANCEL)
    play.to_close()
    assert [c.cluster_id for c in play.model.world.siblings] == [OTHER_CLUSTER]


def test_of_two_that_it_made_it_goes_on_with_one_and_removes_both() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    second = Cluster("cluster-zzz", ClusterState.UNINITIALIZED, tags=TAGS, source_backup="backup-1")
    play.change(lambda w: replace(w, siblings=(second, *w.siblings)))
    play.to_call(O.CREATE_HSM)
    assert {c.cluster_id: len(c.hsms) for c in play.model.world.siblings} == {
        "cluster-made": 2,
        "cluster-zzz": 0,
    }
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.model.world.siblings == ()


def test_hsms_that_others_made_meanwhile_are_enough() -> None:
    play = begun("no HSM")
    play.to_call(O.CREATE_HSM)
    play.now += timedelta(minutes=15)
    play.change(lambda w: replace(w, cluster=replace(OLD, hsms=hsms("1a", "1c"))))
    assert play.to_close().outcome is Outcome.RESCUED
    assert play.operations == [O.CREATE_HSM, O.PROVE_KEY], "and no third one is made"


def test_an_outage_that_others_ended_before_the_first_call_needs_no_rescue() -> None:
    """Such as while all changes were frozen."""
    play = begun("no HSM")
    play.crash = lambda *_: "before intent"
    step = play.until(lambda step: isinstance(step, Call))
    assert isinstance(step, Call)
    plan = play.case.offer(Remedy.RESCUE)
    play.case = replace(play.case, plan=plan, last_plan=plan, before=None)
    play.crash = lambda *_: ""
    play.change(lambda w: replace(w, cluster=OLD))
    assert play.to_close().outcome is Outcome.RESOLVED
    assert play.calls == []


def test_keys_that_work_again_on_the_old_cluster_are_not_cut_off_by_the_new_one() -> None:
    play = new_cluster()
    play.to_call(O.CREATE_HSM)
    play.change(connected)
    play.now += timedelta(minutes=12)
    end = play.until(lambda step: isinstance(step, Close))
    assert isinstance(end, Close)
    assert end.outcome is Outcome.RESOLVED
    assert "Undo removes" in end.reason
    assert O.DISCONNECT_KEY_STORE not in play.operations
    play.click(Act.UNDO)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.model.world.siblings == ()
    assert play.model.world.key_stores[0].state is StoreState.CONNECTED


def test_a_store_that_others_moved_back_is_not_moved_to_the_new_cluster_again() -> None:
    """It does not serve yet: somebody is at it, and is not to be cut off."""
    play = new_cluster()
    play.to_call(O.UPDATE_KEY_STORE)
    play.now += timedelta(minutes=12)
    play.change(lambda w: replace(w, key_stores=(replace(w.key_stores[0], cluster_id=CLUSTER),)))
    assert isinstance(play.until(lambda step: isinstance(step, Ask | Call)), Ask)
    found = [(d.before, d.now) for d in play.case.differences]
    assert ("moved by Unlatch", "moved back by somebody") in found


def test_a_new_cluster_that_nobody_needs_any_more_is_not_made() -> None:
    play = new_cluster()
    play.change(lambda w: replace(w, room=room()))
    assert isinstance(play.turn(), Ask)
    assert "not needed" in play.case.differences[0].now
    plan = play.case.offer(Remedy.RESCUE)
    assert plan
    assert not plan.backup_id, "the old cluster can serve: a connection is enough"


def test_addresses_that_can_not_be_read_any_more_change_nothing() -> None:
    play = new_cluster()
    play.change(lambda w: replace(w, room=None))
    assert play.to_close().outcome is Outcome.RESCUED


def test_a_backup_that_goes_between_the_approval_and_the_call_is_asked_about() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    going = replace(BACKUP, state=BackupState.PENDING_DELETION)
    play.change(lambda w: replace(w, backups=(going,)))
    assert isinstance(play.sure_turn(), Ask), "nobody approved that it be restored"
    assert play.calls == []
    play.approve(Remedy.RESCUE, "alice")
    assert play.to_close().outcome is Outcome.RESCUED
    assert play.operations[0] is O.RESTORE_BACKUP


def test_a_backup_that_is_gone_once_the_cluster_is_made_is_needed_no_more() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_CLUSTER)
    play.change(lambda w: replace(w, backups=()))
    assert play.to_close().outcome is Outcome.RESCUED


def test_a_copy_of_the_same_lineage_is_left_alone() -> None:
    copy = sibling()
    play = outage(lost(key("a"), siblings=(copy,)), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    assert play.to_close().outcome is Outcome.RESCUED
    assert copy in play.model.world.siblings
    assert play.model.world.key_stores[0].cluster_id == "cluster-made"


def test_a_cluster_that_goes_under_its_own_rescue_turns_the_case() -> None:
    play = begun("no HSM")
    play.to_call(O.CREATE_HSM)
    play.change(lambda w: replace(w, cluster=None, backups=(BACKUP,)))
    play.now += timedelta(minutes=5)
    assert isinstance(play.sure_turn(), Ask)
    assert play.case.trigger is Trigger.CLUSTER_LOST
    play.approve(Remedy.RESCUE, "alice")
    assert play.to_close().outcome is Outcome.RESCUED


def test_what_was_refused_leaves_a_person_the_way_back() -> None:
    """CloudHSM is not in the zone: it refuses the HSM, and the case has stopped."""
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_CLUSTER)
    play.now += timedelta(minutes=6)
    refused = tuple(
        replace(call, status=CallStatus.REFUSED) if call.operation is O.CREATE_HSM else call
        for call in play.case.calls
    )
    play.case = replace(play.case, calls=refused)
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.model.world.siblings == ()

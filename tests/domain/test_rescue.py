"""Rescue: what is missing is made, the store is connected, each key proves itself; nothing is destroyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.decide import decide
from chalicelib.domain.remedies import rescue, rescue_plan
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.state.case import Attempt, CallRecord, CallStatus, Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import Backup, Cluster, Key, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    CI,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    Play,
    case,
    cluster,
    hsms,
    key,
    sibling,
    situation,
    sso,
    store,
    world,
)

O = Operation  # noqa: E741  # they stand in every line
SUBNETS = (("1a", "subnet-a"), ("1b", "subnet-b"))
OLD = cluster("1a", "1b", subnets=SUBNETS, mode="FIPS")
BACKUP = Backup("backup-1", BackupState.READY, NOW - 2 * HOURS, mode="FIPS")
NEWER = key("young", created_at=NOW - HOURS)


def told(trigger: Trigger, operation: str = "DeleteHsm", **values: object) -> Attempt:
    return Attempt("event-1", NOW, "", CI, trigger, operation, STORE, **values)  # type: ignore[arg-type]


def outage(snapshot: Snapshot, trigger: Trigger = Trigger.CLUSTER_LOST, **values: object) -> Play:
    """Just read, and put to people."""
    known = {"trigger": trigger, "attempts": (told(trigger),), **values}
    play = Play(snapshot, case=case(**known))  # type: ignore[arg-type]
    play.until(lambda step: isinstance(step, Ask | Close))
    return play


def lost(*keys: Key, **values: object) -> Snapshot:
    """The cluster is gone under its store."""
    known: dict[str, object] = {"cluster": None, "backups": (BACKUP,)}
    return world(*keys, **known | values)  # type: ignore[arg-type]


def rescued(play: Play) -> Close:
    play.approve(Remedy.RESCUE, "alice")
    return play.to_close()


def test_a_store_without_hsms_gets_two_and_its_keys_prove_themselves() -> None:
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    assert rescued(play).outcome is Outcome.RESCUED
    assert play.operations == [O.CREATE_HSM, O.CREATE_HSM, O.PROVE_KEY]
    assert [hsm.zone for hsm in play.model.world.live_hsms] == ["1a", "1b"]


def test_a_failed_connection_is_made_afresh() -> None:
    down = world(key("a"), held=store(StoreState.FAILED, error="NETWORK_ERRORS"), cluster=OLD)
    play = outage(down, Trigger.STORE_DOWN)
    assert rescued(play).outcome is Outcome.RESCUED
    assert play.operations == [O.DISCONNECT_KEY_STORE, O.CONNECT_KEY_STORE, O.PROVE_KEY]


def test_a_store_that_is_only_off_is_connected_if_somebody_complained() -> None:
    off = world(key("a"), held=store(StoreState.DISCONNECTED), cluster=OLD)
    play = outage(off, Trigger.STORE_DOWN)
    assert rescued(play).outcome is Outcome.RESCUED
    assert play.operations == [O.CONNECT_KEY_STORE, O.PROVE_KEY]
    quiet = Play(off)
    quiet.turn()
    assert quiet.case.offer(Remedy.RESCUE) is None, "it may be meant so"


def test_a_lost_cluster_is_made_anew_from_its_backup() -> None:
    play = outage(lost(key("a"), NEWER, key("off", KeyState.DISABLED)), last_cluster=OLD)
    plan = play.case.offer(Remedy.RESCUE)
    assert plan
    assert (plan.backup_id, plan.mode, plan.subnets) == (
        "backup-1",
        "FIPS",
        ("subnet-a", "subnet-b"),
    )
    assert plan.lost == ("key-young",)
    assert plan.terms.people == 1
    end = rescued(play)
    assert end.outcome is Outcome.RESCUED
    assert "lost: alias/young" in end.reason
    assert play.operations == [
        O.KEEP_BACKUP,
        O.CREATE_CLUSTER,
        O.CREATE_HSM,
        O.CREATE_HSM,
        O.DISCONNECT_KEY_STORE,
        O.UPDATE_KEY_STORE,
        O.CONNECT_KEY_STORE,
        O.PROVE_KEY,
    ]
    made = play.model.world.siblings[0]
    assert (CASE_TAG, "case-1") in made.tags
    assert play.model.world.key_stores[0].cluster_id == made.cluster_id


def test_a_backup_that_waits_for_deletion_is_taken_back_first() -> None:
    going = replace(BACKUP, state=BackupState.PENDING_DELETION)
    play = outage(lost(key("a"), backups=(going,)), last_cluster=OLD)
    rescued(play)
    assert play.operations[:2] == [O.RESTORE_BACKUP, O.KEEP_BACKUP]


def test_the_subnets_are_also_in_the_record_of_the_deletion() -> None:
    record = told(Trigger.CLUSTER_LOST, "DeleteCluster", subnets=SUBNETS)
    play = outage(lost(key("a")), attempts=(record,))
    plan = play.case.offer(Remedy.RESCUE)
    assert plan
    assert plan.names(O.CREATE_HSM) == ("1a", "1b")


@pytest.mark.parametrize(
    ("snapshot", "values", "words"),
    [
        (lost(key("a"), backups=()), {"last_cluster": OLD}, "no backup"),
        (lost(key("a")), {}, "subnets"),
        (lost(key("a")), {"last_cluster": replace(OLD, subnets=SUBNETS[:1])}, "which subnets"),
        (world(key("a"), cluster=replace(OLD, hsms=(), subnets=())), {}, "no subnet"),
        (
            world(key("a"), held=store(StoreState.FAILED, error="USER_LOCKED_OUT"), cluster=OLD),
            {"trigger": Trigger.STORE_DOWN},
            "password",
        ),
        (world(key("a"), cluster=OLD), {}, "serves its keys"),
    ],
)
def test_what_is_not_possible_says_why(
    snapshot: Snapshot, values: dict[str, object], words: str
) -> None:
    known = {"trigger": Trigger.CLUSTER_LOST, "attempts": (told(Trigger.CLUSTER_LOST),), **values}
    it = situation(snapshot, case=case(**known))  # type: ignore[arg-type]
    assert words in str(rescue_plan.plan(it))


def test_whoever_cut_the_keys_off_may_rescue_and_nobody_else_must() -> None:
    mine = replace(told(Trigger.CLUSTER_LOST), caller=sso("alice"))
    play = outage(lost(key("a")), last_cluster=OLD, attempts=(mine,))
    assert rescued(play).outcome is Outcome.RESCUED


def test_an_outage_does_not_expire_and_ends_by_itself() -> None:
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    play.now += timedelta(days=9)
    assert isinstance(play.turn(), Ask)
    assert (play.case.expires_at, play.case.phase) == (None, Phase.WAITING)
    play.change(lambda w: replace(w, cluster=OLD))
    end = play.until(lambda step: isinstance(step, Close))
    assert isinstance(end, Close)
    assert (end.outcome, "connected again" in end.reason) == (Outcome.RESOLVED, True)


def test_an_outage_that_hurts_nobody_or_whose_store_is_gone_ends() -> None:
    empty = outage(world(cluster=replace(OLD, hsms=())))
    assert (empty.case.outcome, "no keys" in empty.case.reason) == (Outcome.EXPLAINED, True)
    gone = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    gone.change(lambda w: replace(w, key_stores=(), keys=()))
    end = gone.until(lambda step: isinstance(step, Close))
    assert isinstance(end, Close)
    assert end.outcome is Outcome.RESOLVED


def test_a_cluster_that_others_delete_under_keys_turns_the_case() -> None:
    """It never closes as resolved while keys need it."""
    play = Play(world(key("a"), cluster=OLD))
    play.turn()
    assert play.case.trigger is Trigger.DELETE_BLOCKED
    play.change(lambda w: replace(w, cluster=None, backups=(BACKUP,)))
    assert isinstance(play.sure_turn(), Ask)
    assert (play.case.trigger, play.case.is_down) == (Trigger.CLUSTER_LOST, True)
    assert rescued(play).outcome is Outcome.RESCUED


def test_so_it_does_if_a_plan_was_approved_for_the_cluster() -> None:
    play = Play(world(key("a"), cluster=OLD), policy=replace(POLICY, pending_window_days=7))
    play.turn()
    play.approve(Remedy.RETIRE)
    play.to_call(O.SCHEDULE_KEY_DELETION)
    play.change(lambda w: replace(w, cluster=None, backups=(BACKUP,)))
    play.now += timedelta(minutes=5)
    assert isinstance(play.sure_turn(), Ask)
    assert play.case.trigger is Trigger.CLUSTER_LOST
    assert play.case.plan is None


def test_a_kept_case_wakes_for_an_outage() -> None:
    play = Play(world(key("a"), cluster=OLD))
    play.turn()
    play.click(Act.KEEP, keep_until=NOW + timedelta(days=30), reason="later", remedy=Remedy.KEEP)
    play.turn()
    assert play.case.outcome is Outcome.KEPT
    play.now = NOW + HOURS
    play.change(lambda w: replace(w, cluster=None, backups=(BACKUP,)))
    assert isinstance(play.sure_turn(), Ask)
    assert (play.case.keep, play.case.trigger) == (None, Trigger.CLUSTER_LOST)
    assert not play.case.reason, "that it was kept is over"


def broken_login(play: Play) -> None:
    """AWS can't log in on the new cluster: its password is older than the last connect."""

    def connects(world_: Snapshot) -> Snapshot:
        failed = replace(world_.key_stores[0], state=StoreState.FAILED, error="INVALID_CREDENTIALS")
        return replace(world_, key_stores=(failed,))

    play.to_call(O.CONNECT_KEY_STORE)
    play.model.due.clear()
    play.change(connects)
    play.now += timedelta(minutes=15)


def test_a_password_that_only_a_person_knows_stops_with_commands_and_ends_by_itself() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    broken_login(play)
    stop = play.to_close()
    assert stop.outcome is Outcome.STOPPED
    assert "crypto officer" in " ".join(stop.advice)
    assert (play.case.is_over, play.case.is_down) == (False, True)
    assert isinstance(play.turn(), Wait), "it looks on"
    play.change(
        lambda w: replace(w, key_stores=(replace(w.key_stores[0], state=StoreState.CONNECTED),))
    )
    assert play.to_close().outcome is Outcome.RESOLVED
    assert play.case.is_over


def test_a_stopped_rescue_is_not_over_while_aws_only_shows_the_store_as_connected() -> None:
    """AWS goes on showing CONNECTED when the cluster is gone: nobody has helped."""
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.KEEP_BACKUP)
    stopped = replace(play.case, phase=Phase.CLOSED, outcome=Outcome.STOPPED, is_down=True)
    for world_now in (play.model.at(play.now), world(key("a"), cluster=replace(OLD, hsms=()))):
        now = situation(replace(world_now, at=play.now), case=stopped, now=play.now)
        assert isinstance(decide(now).step, Wait)
    whole = situation(world(key("a"), cluster=OLD), case=stopped, now=play.now)
    step = decide(whole).step
    assert isinstance(step, Close)
    assert step.outcome is Outcome.RESOLVED


def test_a_rescue_that_stopped_at_its_first_hsm_is_not_over_though_the_store_serves_by_it() -> None:
    """KMS went on showing CONNECTED: with one HSM the keys work, and the next failure ends that."""
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.now += HOURS
    one = play.model.at(play.now)
    stopped = replace(play.case, phase=Phase.CLOSED, outcome=Outcome.STOPPED, is_down=True)
    assert [hsm.zone for hsm in one.live_hsms] == ["1a"]
    decision = decide(situation(one, case=stopped, now=play.now))
    assert decision.step == Close(Outcome.STOPPED, stopped.reason), "Try again makes the second"
    assert not decision.case.is_down, "nobody is told that the keys fail"
    whole = replace(one, cluster=replace(OLD, backups=()))
    end = decide(situation(whole, case=stopped, now=play.now)).step
    assert isinstance(end, Close)
    assert end.reason == "The key store is connected again. Unlatch has not checked its keys."


def test_try_again_goes_on_once_a_person_has_helped() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    broken_login(play)
    play.to_close()
    off = store(StoreState.DISCONNECTED, cluster_id="cluster-made")
    play.change(lambda w: replace(w, key_stores=(off,)))
    play.click(Act.REFRESH)
    assert play.to_close().outcome is Outcome.RESCUED


def test_cancelled_half_way_removes_the_cluster_that_it_made() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.model.world.siblings == ()
    assert play.operations[-2:] == [O.DELETE_HSM, O.DELETE_CLUSTER]


def test_nothing_is_removed_on_half_a_look() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.click(Act.CANCEL)
    play.change(lambda w: replace(w, unread=("kms:DescribeCustomKeyStores was refused",)))
    stop = play.to_close()
    assert (stop.outcome, "could not see everything" in stop.reason) == (Outcome.STOPPED, True)
    assert O.DELETE_HSM not in play.operations


def test_cancelled_once_the_store_is_on_it_leaves_it() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.UPDATE_KEY_STORE)
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert O.DELETE_CLUSTER not in play.operations
    assert play.model.world.key_stores[0].state is StoreState.CONNECTED


def test_cancelled_with_hsms_made_leaves_them_to_the_store() -> None:
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.click(Act.CANCEL)
    assert "HSMs that Unlatch made stay" in play.to_close().reason


def record(operation: Operation, target: str, status: CallStatus, plan: Plan) -> CallRecord:
    return CallRecord(operation, target, NOW, status, plan.plan_hash)


def begun(play: Play) -> tuple[Plan, Case]:
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.KEEP_BACKUP)
    assert play.case.plan
    return play.case.plan, play.case


def test_a_cluster_whose_answer_was_lost_is_looked_for_before_a_second_one() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    plan, it = begun(play)
    it = it.with_call(
        replace(record(O.CREATE_CLUSTER, "backup-1", CallStatus.INTENT, plan), at=play.now)
    )
    kept = replace(play.model.at(play.now))
    context = situation(kept, case=it, now=play.now + timedelta(minutes=4)).on(plan)
    assert isinstance(rescue.next_step(context), Wait)
    late = replace(context, now=play.now + timedelta(minutes=5))
    step = rescue.next_step(late)
    assert isinstance(step, Call)
    assert step.operation is O.CREATE_CLUSTER
    theirs = Cluster("cluster-theirs", ClusterState.ACTIVE, source_backup="backup-1")
    strange = replace(late, snapshot=replace(kept, siblings=(theirs,)))
    assert isinstance(rescue.next_step(strange), Ask)
    done = it.with_call(record(O.CREATE_CLUSTER, "backup-1", CallStatus.DONE, plan))
    assert isinstance(rescue.next_step(replace(late, case=done)), Ask), (
        "AWS said yes, and it is gone"
    )


def test_a_degraded_hsm_that_we_made_is_replaced() -> None:
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.model.due.clear()
    bad = replace(OLD, hsms=hsms("1a", state=HsmState.DEGRADED))
    play.change(lambda w: replace(w, cluster=bad))
    play.now += timedelta(minutes=12)
    assert play.to_close().outcome is Outcome.RESCUED
    assert play.operations[:3] == [O.CREATE_HSM, O.DELETE_HSM, O.CREATE_HSM]


def test_an_hsm_that_we_made_and_whose_state_nobody_knows_is_not_deleted() -> None:
    """AWS’s model does not demand a state, and may learn new ones: only a DEGRADED one is known to be bad."""
    play = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.CREATE_HSM)
    play.model.due.clear()
    play.change(lambda w: replace(w, cluster=replace(OLD, hsms=hsms("1a", state=HsmState.UNKNOWN))))
    play.now += timedelta(minutes=12)
    for _ in range(20):
        assert isinstance(play.turn(), Wait)
    assert play.operations == [O.CREATE_HSM]


def proved(play: Play, said: str, *, again: int) -> Close:
    """AWS refuses the proof so many times."""
    left = [again]

    def crash(operation: Operation, target: str) -> str:
        return ""

    play.crash = crash
    while True:
        step = play.turn()
        if isinstance(step, Call) and step.operation is O.PROVE_KEY and left[0]:
            left[0] -= 1
            calls = tuple(
                replace(c, status=CallStatus.REFUSED, error=said, denied="access denied" in said)
                if c.operation is O.PROVE_KEY
                else c
                for c in play.case.calls
            )
            play.case = replace(play.case, calls=calls)
        if isinstance(step, Close):
            return step


def test_a_key_that_fails_makes_the_store_connect_afresh_once() -> None:
    start = world(key("a"), cluster=replace(OLD, hsms=()))
    play = outage(start)
    play.approve(Remedy.RESCUE, "alice")
    assert proved(play, "KMSInvalidStateException", again=1).outcome is Outcome.RESCUED
    assert play.operations[2:] == [
        O.PROVE_KEY,
        O.DISCONNECT_KEY_STORE,
        O.CONNECT_KEY_STORE,
        O.PROVE_KEY,
    ]
    worse = outage(start)
    worse.approve(Remedy.RESCUE, "alice")
    stop = proved(worse, "KMSInvalidStateException", again=2)
    assert (stop.outcome, "still does not work" in stop.reason) == (Outcome.STOPPED, True)


def test_a_key_that_we_may_not_use_says_nothing_of_the_rescue() -> None:
    play = outage(world(key("a"), key("b"), cluster=replace(OLD, hsms=())))
    play.approve(Remedy.RESCUE, "alice")
    end = proved(play, "AWS refused it: access denied", again=1)
    assert end.outcome is Outcome.RESCUED
    assert end.reason == "The key store is connected again. Could not be checked: alias/a, alias/b."


def test_what_vanishes_under_a_rescue_asks() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(O.KEEP_BACKUP)
    play.change(lambda w: replace(w, backups=()))
    assert isinstance(play.to_question(), Ask)
    hsm = outage(world(key("a"), cluster=replace(OLD, hsms=())))
    hsm.approve(Remedy.RESCUE, "alice")
    hsm.to_call(O.CREATE_HSM)
    hsm.change(lambda w: replace(w, cluster=None, backups=(BACKUP,)))
    assert isinstance(hsm.to_question(), Ask)
    assert hsm.case.offer(Remedy.RESCUE) is not None


@pytest.mark.parametrize("remedy", [Remedy.PARK, Remedy.RETIRE])
def test_a_plan_that_has_begun_asks_if_others_delete_the_cluster_under_keys(remedy: Remedy) -> None:
    """Nothing ends as planned in a world in which the keys have lost their cluster."""
    play = Play(world(key("a"), cluster=OLD))
    play.turn()
    play.approve(remedy)
    first = {Remedy.PARK: O.DELETE_HSM, Remedy.RETIRE: O.SCHEDULE_KEY_DELETION}[remedy]
    play.to_call(first)
    play.change(lambda it: replace(it, cluster=None, backups=(BACKUP,)))
    asked = play.to_question()
    assert isinstance(asked, Ask)
    assert any(one.what == "Cluster" for one in asked.differences)
    assert play.case.trigger is Trigger.CLUSTER_LOST


def test_a_repoint_that_is_asked_about_again_is_not_over_with_the_outage() -> None:
    """The keys work on the other cluster; what becomes of the old one is still for people to say."""
    other = sibling(OTHER_CLUSTER, "1a", "1b")
    play = outage(world(key("a"), cluster=replace(OLD, hsms=()), siblings=(other,)))
    play.approve(Remedy.REPOINT, "alice", "bob")
    play.to_call(O.PROVE_KEY)
    clicks = len(play.case.clicks)
    void = replace(play.case, plan=None, approved=(), phase=Phase.WAITING, reset_at_click=clicks)
    decision = decide(situation(play.model.at(play.now), case=void, now=play.now))
    assert (type(decision.step), decision.case.is_down) == (Ask, False)

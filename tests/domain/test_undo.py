"""Cancel and undo: they stop at once, and bring back what we changed, no more and no less."""

from dataclasses import replace

import pytest

from chalicelib.domain.remedies.undo import undo_step
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.simulation import store_in, without_hsm
from chalicelib.domain.state.case import CallRecord, CallStatus, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    MINUTE,
    OTHER_CLUSTER,
    POLICY,
    RESTORING,
    STORE,
    Play,
    approved,
    cluster,
    key,
    sibling,
    situation,
    store,
    with_keys,
    world,
)


def states(play: Play) -> dict[str, KeyState]:
    return {k.key_id: k.state for k in play.model.world.keys}


def cancelled_after(play: Play, operation: Operation, act: Act = Act.CANCEL) -> Close:
    """Cancel right after this call; the calls before are forgotten."""
    play.to_call(operation)
    play.calls.clear()
    play.click(act, "carol")
    return play.to_close()


def test_keys_come_back_as_they_were() -> None:
    play = approved(
        world(key("on"), key("off", KeyState.DISABLED), key("theirs", KeyState.PENDING_DELETION)),
        Remedy.RETIRE,
    )
    end = cancelled_after(play, Operation.SCHEDULE_KEY_DELETION)
    assert end.outcome is Outcome.CANCELLED
    assert states(play) == {
        "key-on": KeyState.ENABLED,
        "key-off": KeyState.DISABLED,
        "key-theirs": KeyState.PENDING_DELETION,
    }
    assert set(play.operations) == {Operation.CANCEL_KEY_DELETION, Operation.ENABLE_KEY}
    assert end.reason.startswith("2 keys are as before.")


def test_a_key_that_somebody_scheduled_again_stays_theirs() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.to_call(Operation.ENABLE_KEY)
    play.now += 3 * MINUTE
    play.change(with_keys(key("a", KeyState.PENDING_DELETION)))
    end = play.to_close()
    assert states(play) == {"key-a": KeyState.PENDING_DELETION}
    assert "1 key is not as before" in end.reason


def test_a_key_that_we_only_disabled_and_somebody_scheduled_stays_theirs() -> None:
    play = approved(world(key("a")), Remedy.RETIRE, policy=replace(POLICY, quarantine_days=7))
    play.to_call(Operation.DISABLE_KEY)
    play.change(with_keys(key("a", KeyState.PENDING_DELETION)))
    play.click(Act.CANCEL)
    play.to_close()
    assert Operation.CANCEL_KEY_DELETION not in play.operations


def test_old_news_after_the_cancellation_is_waited_out() -> None:
    """KMS may show PendingDeletion for a while: the key must not stay disabled for that."""
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.to_call(Operation.CANCEL_KEY_DELETION)
    play.change(with_keys(key("a", KeyState.PENDING_DELETION)))
    step = play.turn()
    assert isinstance(step, Wait)
    play.change(with_keys(key("a", KeyState.DISABLED)))
    play.to_call(Operation.ENABLE_KEY)
    play.change(with_keys(key("a", KeyState.DISABLED)))
    assert isinstance(play.turn(), Wait)
    play.change(with_keys(key("a")))
    assert isinstance(play.turn(), Close)


def test_a_key_that_somebody_disables_during_the_undo_is_theirs() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.to_call(Operation.ENABLE_KEY)
    play.now += 3 * MINUTE
    play.change(with_keys(key("a", KeyState.DISABLED)))
    play.to_close()
    assert play.operations.count(Operation.ENABLE_KEY) == 1


def test_states_that_a_disconnected_store_hid_are_recorded_once_they_show() -> None:
    hidden = world(
        key("a", KeyState.UNAVAILABLE),
        key("b", KeyState.UNAVAILABLE),
        held=store(StoreState.DISCONNECTED),
    )
    play = approved(hidden, Remedy.RETIRE)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.change(with_keys(key("a"), key("b", KeyState.DISABLED)))
    end = cancelled_after(play, Operation.SCHEDULE_KEY_DELETION)
    assert end.outcome is Outcome.CANCELLED
    assert states(play) == {"key-a": KeyState.ENABLED, "key-b": KeyState.DISABLED}
    assert play.operations[-1] is Operation.DISCONNECT_KEY_STORE, "as it was before"
    assert play.model.world.key_stores[0].state is StoreState.DISCONNECTED


def test_a_park_is_undone() -> None:
    play = approved(world(key("a")), Remedy.PARK)
    assert play.to_close().outcome is Outcome.PARKED
    play.calls.clear()
    play.now += DAY
    play.click(Act.UNDO, "dave")
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.calls == [
        (Operation.CREATE_HSM, "1a"),
        (Operation.CREATE_HSM, "1b"),
        (Operation.CONNECT_KEY_STORE, STORE),
    ]
    assert play.case.phase is Phase.CLOSED
    assert set(play.operations) <= RESTORING


def test_a_park_cancelled_half_way_brings_back_only_the_hsm_that_we_deleted() -> None:
    play = approved(world(), Remedy.PARK)
    play.to_call(Operation.DELETE_HSM)
    play.change(without_hsm("hsm-1b-1"))
    play.calls.clear()
    play.click(Act.CANCEL)
    play.to_close()
    assert play.calls == [(Operation.CREATE_HSM, "1a"), (Operation.CONNECT_KEY_STORE, STORE)]


def test_an_hsm_that_is_slow_to_show_is_waited_for() -> None:
    play = approved(world(), Remedy.PARK)
    play.to_close()
    play.click(Act.UNDO)
    play.to_call(Operation.CREATE_HSM)
    play.change(lambda s: replace(s, cluster=cluster()))
    assert isinstance(play.turn(), Wait)


def test_an_hsm_that_vanishes_again_is_no_endless_wait() -> None:
    play = approved(world(zones=("1a",)), Remedy.PARK)
    play.to_close()
    play.click(Act.UNDO)
    play.to_call(Operation.CREATE_HSM)
    play.model.due.clear()
    play.change(lambda s: replace(s, cluster=cluster()))
    end = play.to_close()
    assert end.outcome is Outcome.CANCELLED
    assert "The key store is not connected." in end.reason


def test_a_store_that_somebody_else_disconnected_is_left_alone() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(store_in(STORE, StoreState.DISCONNECTED))
    play.click(Act.CANCEL)
    play.to_close()
    assert Operation.CONNECT_KEY_STORE not in play.operations


def test_a_store_that_somebody_else_moved_is_left_there() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda s: replace(s, key_stores=(store(cluster_id=OTHER_CLUSTER),)))
    play.click(Act.CANCEL)
    end = play.to_close()
    assert Operation.UPDATE_KEY_STORE not in play.operations
    assert f"stays on {OTHER_CLUSTER}" in end.reason


@pytest.mark.parametrize(
    "after",
    [
        Operation.DISCONNECT_KEY_STORE,
        Operation.UPDATE_KEY_STORE,
        Operation.CONNECT_KEY_STORE,
        Operation.PROVE_KEY,
    ],
)
def test_a_repoint_is_cancelled(after: Operation) -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    assert cancelled_after(play, after).outcome is Outcome.CANCELLED
    back = play.model.world.key_stores[0]
    assert (back.cluster_id, back.state) == (CLUSTER, StoreState.CONNECTED)


@pytest.mark.parametrize("operation", [Operation.CANCEL_KEY_DELETION, Operation.ENABLE_KEY])
def test_a_key_whose_policy_denies_it_keeps_no_other_one_from_coming_back(
    operation: Operation,
) -> None:
    play = approved(world(key("a"), key("b")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)

    def refuse(denied: bool) -> None:
        def crash(called: Operation, target: str) -> str:
            return "no call" if called is operation and target == "key-a" and denied else ""

        play.crash = crash

    refuse(denied=True)
    play.to_call(operation)
    plan_hash = play.case.plan.plan_hash if play.case.plan else ""
    refused = CallRecord(operation, "key-a", play.now, CallStatus.REFUSED, plan_hash, denied=True)
    play.case = play.case.with_call(refused)
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert end.reason == f"A policy denies {operation}, so not every key could be brought back."
    states = {k.key_id: k.state for k in play.model.at(play.now).keys}
    off = {Operation.ENABLE_KEY: KeyState.DISABLED}.get(operation, KeyState.PENDING_DELETION)
    assert states == {"key-a": off, "key-b": KeyState.ENABLED}
    refuse(denied=False)
    play.click(Act.REFRESH)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert {k.state for k in play.model.at(play.now).keys} == {KeyState.ENABLED}


def test_a_repoint_that_left_no_hsm_behind_stays_where_the_keys_work() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    end = cancelled_after(play, Operation.DELETE_HSM)
    assert play.calls == []
    assert f"stays on {OTHER_CLUSTER}" in end.reason


def test_a_key_that_fails_on_the_other_cluster_brings_the_store_back() -> None:
    play = approved(world(key("a"), key("b"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    failed = play.case.call(Operation.PROVE_KEY, "key-b")
    assert failed
    refused = replace(failed, status=CallStatus.REFUSED, error="KMSInternalException")
    play.case = play.case.with_call(refused)
    # The other cluster is unfit as well, and an approver is gone: the way back is open all the same.
    play.change(lambda s: replace(s, siblings=()))
    play.people["alice"] = replace(play.people["alice"], is_gone=True)
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "alias/b does not work there" in end.reason
    assert "The store is back on this cluster" in end.reason
    assert play.model.world.key_stores[0].cluster_id == CLUSTER


def shown_as(world: Snapshot, state: StoreState, error: str = "") -> Snapshot:
    return replace(world, key_stores=(replace(world.key_stores[0], state=state, error=error),))


def test_a_store_that_cant_connect_on_its_way_back_goes_on_with_that() -> None:
    """KMS set a new password for kmsuser on the other cluster, so this one needs its crypto officer."""
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    failed = play.case.call(Operation.PROVE_KEY, "key-a")
    assert failed
    refused = replace(failed, status=CallStatus.REFUSED, error="KMSInternalException")
    play.case = play.case.with_call(refused)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.change(lambda s: shown_as(s, StoreState.FAILED, "INVALID_CREDENTIALS"))
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert end.reason.startswith(
        "alias/a does not work there (KMSInternalException). AWS can’t log"
    )
    assert "kmsuser" in end.advice[1], "the crypto officer’s commands"
    play.change(lambda s: shown_as(s, StoreState.DISCONNECTED))
    play.calls.clear()
    play.click(Act.REFRESH)
    again = play.to_close()
    assert "The store is back on this cluster" in again.reason
    assert play.calls == [(Operation.CONNECT_KEY_STORE, STORE)], "and not away once more"
    play.click(Act.REFRESH)
    play.to_call(Operation.UPDATE_KEY_STORE)  # back and connected: now it may be tried anew


def test_what_did_not_come_back_is_not_claimed() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    failed = play.case.call(Operation.PROVE_KEY, "key-a")
    assert failed
    play.case = play.case.with_call(replace(failed, status=CallStatus.REFUSED, error="X"))
    play.change(lambda s: replace(s, cluster=cluster("1a")))
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "The store is back" not in end.reason
    assert f"stays on {OTHER_CLUSTER}" in end.reason


def test_an_undo_that_can_not_see_everything_stops_and_goes_on_when_asked_again() -> None:
    """An empty list that AWS refused to fill must not end in “as before”."""
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    whole = play.model.world
    play.change(lambda s: replace(s, keys=(), unread=("kms:ListKeys was refused",)))
    play.click(Act.CANCEL)
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "ListKeys" in end.reason
    play.change(lambda s: replace(s, keys=whole.keys, unread=()))
    play.click(Act.REFRESH, "bob")
    assert play.to_close().outcome is Outcome.CANCELLED
    assert states(play) == {"key-a": KeyState.ENABLED}


def test_trying_again_after_a_stopped_undo_never_goes_on_with_the_plan() -> None:
    play = approved(world(), Remedy.PARK)
    play.to_call(Operation.DELETE_HSM)
    play.click(Act.CANCEL)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.model.due.clear()
    failed = store(StoreState.FAILED, error="INVALID_CREDENTIALS")
    play.change(lambda s: replace(s, key_stores=(failed,)))
    play.now += 3 * MINUTE
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "INVALID_CREDENTIALS" in end.reason
    play.now += HOURS
    play.calls.clear()
    play.click(Act.REFRESH)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.operations == [Operation.DISCONNECT_KEY_STORE, Operation.CONNECT_KEY_STORE]


def test_a_failed_connection_stops_and_is_tried_anew_when_people_ask() -> None:
    play = approved(world(key("a"), held=store(StoreState.DISCONNECTED)), Remedy.RETIRE)
    play.to_call(Operation.CONNECT_KEY_STORE)
    play.model.due.clear()
    play.change(store_in(STORE, StoreState.FAILED))
    play.now += 3 * MINUTE
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "AWS gives no reason" in end.reason
    assert end.advice
    play.now += HOURS
    play.click(Act.REFRESH)
    step = play.turn()
    assert isinstance(step, Call | Ask)
    if isinstance(step, Ask):
        play.approve(Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED


def test_cancel_while_asked_again_restores_what_the_begun_plan_did() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += DAY
    play.change(with_keys(key("new")))
    assert isinstance(play.turn(), Ask)
    assert play.case.phase is Phase.WAITING
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert states(play)["key-a"] is KeyState.ENABLED


def test_a_begun_case_that_nobody_decides_can_still_be_undone() -> None:
    policy = replace(POLICY, quarantine_days=7)
    play = approved(world(key("a")), Remedy.RETIRE, policy=policy)
    play.to_call(Operation.DISABLE_KEY)
    play.now += HOURS
    play.change(with_keys(key("new")))
    assert isinstance(play.turn(), Ask)
    end = play.to_close()
    assert end.outcome is Outcome.EXPIRED
    assert "stays as it is" in end.reason
    play.click(Act.UNDO)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert states(play)["key-a"] is KeyState.ENABLED


def test_cancel_brings_keys_back_also_where_the_cluster_is_gone() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda s: replace(s, cluster=None))
    play.click(Act.CANCEL)
    end = play.to_close()
    assert end.outcome is Outcome.CANCELLED
    assert "The cluster is gone." in end.reason
    assert states(play) == {"key-a": KeyState.ENABLED}


def test_undo_of_a_finished_repoint_says_that_the_cluster_is_gone() -> None:
    play = approved(world(key("a"), siblings=(sibling(),)), Remedy.REPOINT)
    assert play.to_close().outcome is Outcome.REPOINTED
    play.calls.clear()
    play.click(Act.UNDO)
    end = play.to_close()
    assert end.outcome is Outcome.CANCELLED
    assert "The cluster is gone." in end.reason
    assert play.calls == []


@pytest.mark.parametrize("remedy", [r for r in Remedy if r is not Remedy.RESCUE])
@pytest.mark.parametrize("act", [Act.REJECT, Act.CANCEL, Act.UNDO])
def test_before_the_first_call_all_three_just_close(remedy: Remedy, act: Act) -> None:
    play = Play(world(key("a"), siblings=(sibling(),)))
    play.turn()
    play.approve(remedy, "alice") if remedy is not Remedy.KEEP else None
    play.click(act, "bob")
    end = play.to_close()
    assert end.outcome is (Outcome.REJECTED if act is Act.REJECT else Outcome.CANCELLED)
    assert end.reason == "Nothing was changed."
    assert play.calls == []


def test_reject_does_not_stop_a_begun_plan_and_a_second_cancel_changes_nothing() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.REJECT)
    play.turn()
    assert play.case.ending is None
    play.click(Act.CANCEL, "bob")
    play.turn()
    play.click(Act.CANCEL, "carol")
    play.turn()
    assert play.case.ending
    assert play.case.ending.by == "bob"


def test_a_deleted_store_does_not_come_back() -> None:
    play = approved(world(), Remedy.RETIRE)
    end = cancelled_after(play, Operation.DELETE_KEY_STORE)
    assert play.calls == []
    assert "The key store is deleted." in end.reason
    play = approved(world(), Remedy.RETIRE)
    assert "AWS is deleting the cluster" in cancelled_after(play, Operation.DELETE_CLUSTER).reason


def test_keys_that_are_gone_are_counted() -> None:
    play = approved(world(key("a"), key("b")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(lambda s: replace(s, keys=tuple(k for k in s.keys if k.key_id == "key-b")))
    play.click(Act.CANCEL)
    assert "1 key is gone and can’t come back." in play.to_close().reason


def test_nothing_recorded_means_nothing_to_undo() -> None:
    play = Play(world(key("a")))
    play.turn()
    plan = play.case.offers[-1]
    step = undo_step(situation(world(key("a"))).on(plan))
    assert isinstance(step, Close)
    assert step.outcome is Outcome.CANCELLED


def test_a_store_that_was_not_connected_is_not_connected_by_undo() -> None:
    play = approved(world(held=store(StoreState.FAILED)), Remedy.PARK)
    end = cancelled_after(play, Operation.DELETE_HSM)
    assert Operation.CONNECT_KEY_STORE not in play.operations
    assert end.outcome is Outcome.CANCELLED


def test_undo_while_a_key_can_not_be_described_stops() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.change(with_keys(key("a", KeyState.UNKNOWN, unread="kms:DescribeKey was refused")))
    play.click(Act.CANCEL)
    end = play.to_close()
    assert end.outcome is Outcome.STOPPED
    assert "alias/a" in end.reason


def test_one_strange_look_ends_no_cancel() -> None:
    """Neither store nor keys show once: had that been believed, the keys would die."""
    play = approved(world(key("a"), key("b")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    whole = play.model.world
    play.change(lambda s: replace(s, key_stores=(), keys=()))
    step = play.turn()
    assert isinstance(step, Wait)
    play.model.world = whole
    end = play.to_close()
    assert end.outcome is Outcome.CANCELLED
    assert end.reason.startswith("2 keys are as before.")


def test_a_key_that_shows_is_brought_back_though_another_does_not() -> None:
    play = approved(world(key("a"), key("b")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    hidden = play.model.world.keys[1]
    play.change(lambda s: replace(s, keys=s.keys[:1]))
    step = play.turn()
    assert isinstance(step, Call)
    assert step.targets == ("key-a",)
    play.change(lambda s: replace(s, keys=(*s.keys, hidden)))
    assert play.to_close().reason.startswith("2 keys are as before.")


def test_a_store_that_is_gone_for_two_looks_is_said_to_be_deleted() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.change(lambda s: replace(s, key_stores=(), keys=()))
    assert isinstance(play.turn(), Wait)
    end = play.turn()
    assert isinstance(end, Close)
    assert "1 key is gone" in end.reason
    assert "The key store is deleted." in end.reason


def test_no_store_is_disconnected_on_half_a_look() -> None:
    """KMS would leave the material of a key that waits unseen behind."""
    play = Play(world(key(), held=store(StoreState.DISCONNECTED)))
    play.turn()
    play.approve(Remedy.RETIRE)
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.click(Act.CANCEL)
    play.to_call(Operation.ENABLE_KEY)
    refused = "kms:ListKeys was refused"
    play.change(lambda it: replace(it, unread=(refused,)))
    close = play.to_close()
    assert Operation.DISCONNECT_KEY_STORE not in dict(play.calls)
    assert (close.outcome, refused in close.reason) == (Outcome.STOPPED, True)
    unread = key(state=KeyState.UNKNOWN, unread="kms:DescribeKey was refused")
    play.change(lambda it: replace(it, unread=(), keys=(unread,)))
    play.click(Act.REFRESH)
    assert play.to_close().outcome is Outcome.STOPPED
    play.change(lambda it: replace(it, keys=(key(),)))
    play.click(Act.REFRESH)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.calls[-1][0] is Operation.DISCONNECT_KEY_STORE

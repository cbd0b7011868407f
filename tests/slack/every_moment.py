"""The endings of a case, what leads to them, and all moments by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from chalicelib.domain.simulation import Durations
from chalicelib.domain.state.case import (
    Attempt,
    CallRecord,
    CallStatus,
    Difference,
    KeyUse,
    Outcome,
    Phase,
)
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState, ClusterState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Backup, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    CI,
    CLUSTER,
    DAY,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    POLICY,
    STORE,
    Play,
    approved,
    case,
    cluster,
    key,
    sibling,
    store,
    world,
)
from tests.slack.moments import (
    DRY,
    IN_USE,
    OFF,
    OLD,
    asked,
    changed,
    changed_half_way,
    deleting_cluster,
    deleting_hsms,
    disconnecting,
    key_used,
    once_more,
    one_of_two,
    quiet_period,
    waiting_for_keys,
    without_backup,
)


def retired() -> Play:
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.to_close()
    return play


def parking() -> Play:
    play = approved(world(IN_USE, OLD), Remedy.PARK)
    play.to_call(Operation.DELETE_HSM)
    return play


def parked() -> Play:
    play = approved(world(IN_USE, OLD), Remedy.PARK)
    play.to_close()
    return play


def undoing() -> Play:
    play = parked()
    play.click(Act.UNDO, "bob")
    play.turn()
    return play


def undone() -> Play:
    play = undoing()
    play.to_close()
    return play


def soaking() -> Play:
    play = approved(world(OLD, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    play.turn()
    return play


def goes_back_by_itself() -> Play:
    """A key failed on the other cluster, and the store is on its way back."""
    play = approved(world(OLD, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_call(Operation.PROVE_KEY)
    proof = play.case.call(Operation.PROVE_KEY, OLD.key_id)
    assert proof is not None
    error = "KMSInternalException: try later"
    play.case = play.case.with_call(replace(proof, status=CallStatus.REFUSED, error=error))
    play.to_call(Operation.UPDATE_KEY_STORE)
    return play


def repointed() -> Play:
    play = approved(world(OLD, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_close()
    return play


def repointed_unchecked() -> Play:
    """A key that is switched off can't show that it works on the other cluster."""
    play = approved(world(OLD, OFF, siblings=(sibling(),)), Remedy.REPOINT)
    play.to_close()
    return play


def kept() -> Play:
    play = asked(OLD)
    until = NOW + 30 * DAY
    reason = "The auditors need it"
    play.click(Act.KEEP, remedy=Remedy.KEEP, reason=reason, owner="carol", keep_until=until)
    play.turn()
    return play


def expired() -> Play:
    play = one_of_two()
    play.now += DAY
    play.to_close()
    return play


def rejected() -> Play:
    play = asked(OLD)
    play.click(Act.REJECT, "bob")
    play.to_close()
    return play


def cancelling() -> Play:
    play = waiting_for_keys()
    play.click(Act.CANCEL, "bob")
    play.turn()
    return play


def cancelled() -> Play:
    play = cancelling()
    play.to_close()
    return play


def stopped_too_late() -> Play:
    """Cancelled after the store was deleted: nothing comes back."""
    play = deleting_hsms()
    play.click(Act.CANCEL, "bob")
    play.to_close()
    return play


def resolved() -> Play:
    play = asked(OLD)
    play.change(lambda it: replace(it, cluster=None, key_stores=(), keys=()))
    play.to_close()
    return play


def freed() -> Play:
    """Others removed store and HSMs; the cluster is still there."""
    play = asked()
    play.change(lambda it: replace(it, key_stores=(), cluster=replace(it.cluster, hsms=())))  # type: ignore[type-var]
    play.to_close()
    return play


def dry_run() -> Play:
    play = approved(world(OLD), Remedy.RETIRE, policy=DRY)
    play.to_close()
    return play


def stopped() -> Play:
    """AWS refused the second HSM."""
    play = deleting_hsms()
    plan = play.case.plan
    assert plan is not None
    refused = CallRecord(
        Operation.DELETE_HSM,
        "1b",
        play.now,
        CallStatus.REFUSED,
        plan.plan_hash,
        "2f6d1c0e-77ab",
        "AccessDeniedException",
    )
    play.case = replace(
        play.case.with_call(refused),
        phase=Phase.CLOSED,
        outcome=Outcome.STOPPED,
        reason="AWS refused to delete an HSM: access denied.",
        advice=("Give the role unlatch-executor the permission cloudhsm:DeleteHsm.",),
        closed_at=play.now,
    )
    return play


def watching() -> Play:
    """Quarantine: the keys are switched off and watched for a week."""
    policy = replace(POLICY, quarantine_days=7)
    play = approved(world(OLD, OFF), Remedy.RETIRE, policy=policy)
    play.to_call(Operation.DISABLE_KEY)
    play.turn()
    return play


def off_key_used() -> Play:
    play = watching()
    use = KeyUse("event-9", play.now - 2 * DAY, OLD.key_id, "nightly@example.com", "kms:Sign")
    play.case = replace(play.case, key_uses=(use,))
    return play


def parked_empty() -> Play:
    play = approved(world(), Remedy.PARK)
    play.to_close()
    return play


def retiring_hsms() -> Play:
    """No key store ever used the cluster."""
    play = approved(world(free=True), Remedy.RETIRE)
    play.to_call(Operation.DELETE_HSM)
    return play


def waiting_for_keys_of_others() -> Play:
    """Somebody scheduled the keys an hour before their end; Unlatch retires what is left."""
    going = key("a", KeyState.PENDING_DELETION, deletion_date=NOW + HOURS)
    play = approved(world(going), Remedy.RETIRE)
    play.turn()
    return play


def kept_half_way() -> Play:
    """Asked again after the keys were scheduled, and kept: their deletion goes on."""
    play = changed_half_way()
    until = play.now + 30 * DAY
    play.click(Act.KEEP, remedy=Remedy.KEEP, reason="wait", keep_until=until)
    play.turn()
    return play


def changed_keys_gone() -> Play:
    """Nobody answered, and the keys are gone."""
    play = changed_half_way()
    play.now += 29 * DAY
    play.turn()
    play.turn()
    return play


def expired_half_way() -> Play:
    play = changed_keys_gone()
    play.now += DAY
    play.to_close()
    return play


def stopped_halfway() -> Play:
    """One key is scheduled, and the policy of the other one denies it."""
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.crash = lambda _, target: "no call" if target == OFF.key_id else ""
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    plan = play.case.plan
    assert plan is not None
    said = "kms:ScheduleKeyDeletion … with an explicit deny in a resource-based policy"
    refused = CallRecord(
        Operation.SCHEDULE_KEY_DELETION,
        OFF.key_id,
        play.now,
        CallStatus.REFUSED,
        plan.plan_hash,
        "2f6d1c0e-77ab",
        said,
    )
    play.case = replace(
        play.case.with_call(refused),
        phase=Phase.CLOSED,
        outcome=Outcome.STOPPED,
        reason="AWS refused kms:ScheduleKeyDeletion: the key’s policy denies it.",
        advice=("Exempt the role unlatch-executor from it.",),
        closed_at=play.now,
        watches=True,
    )
    play.turn()
    return play


def frozen_halfway() -> Play:
    """One key is scheduled, and a freeze came before the other one."""
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.crash = lambda _, target: "no call" if target == OFF.key_id else ""
    play.to_call(Operation.SCHEDULE_KEY_DELETION)
    play.now += HOURS
    held = "all changes are frozen: an incident"
    play.case = replace(play.case, snapshot=play.model.at(play.now), waiting_for=held)
    return play


def once_more_halfway() -> Play:
    """One key is scheduled, and before the other one somebody is asked for a fresh yes."""
    play = frozen_halfway()
    plan = play.case.plan
    assert plan is not None
    old = (Difference("Newest approval", "fresh", "48 hours old"),)
    play.case = replace(play.case, phase=Phase.WAITING, offers=(plan,), differences=old)
    return play


def cluster_gone_halfway() -> Play:
    """Others deleted the cluster while keys wait."""
    play = waiting_for_keys()
    play.change(lambda it: replace(it, cluster=None))
    play.sure_turn()
    return play


def outage_of(snapshot: Snapshot, trigger: Trigger, **values: Any) -> Play:
    """Just read, and put to people who were woken."""
    told = Attempt("event-1", NOW, "", CI, trigger, "DeleteHsm", key_store_id=STORE)
    it = case(trigger=trigger, attempts=(told,), **values)
    play = Play(snapshot, case=it)
    play.sure_turn()
    return play


LOST_FROM = cluster("1a", "1b", subnets=(("1a", "subnet-a"), ("1b", "subnet-b")))


def no_hsm_left() -> Play:
    return outage_of(
        world(IN_USE, OLD, zones=(), cluster=replace(LOST_FROM, hsms=())), Trigger.CLUSTER_LOST
    )


def cluster_lost() -> Play:
    """Two keys are in the backup, and one was made later."""
    backup = Backup("backup-1", BackupState.READY, NOW - 2 * HOURS)
    young = key("young", created_at=NOW - HOURS)
    gone = world(IN_USE, OLD, young, cluster=None, backups=(backup,))
    play = outage_of(gone, Trigger.CLUSTER_LOST, last_cluster=LOST_FROM)
    use = KeyUse("use-1", NOW, IN_USE.key_id, "role checkout-api", "Decrypt")
    play.case = replace(play.case, key_uses=(use,))
    return play


def cluster_lost_for_good() -> Play:
    return outage_of(world(OLD, cluster=None), Trigger.CLUSTER_LOST, last_cluster=LOST_FROM)


def store_down() -> Play:
    failed = store(StoreState.FAILED, error="NETWORK_ERRORS")
    return outage_of(world(OLD, held=failed), Trigger.STORE_DOWN)


def store_down_person() -> Play:
    failed = store(StoreState.FAILED, error="USER_LOCKED_OUT")
    return outage_of(world(OLD, OFF, held=failed), Trigger.STORE_DOWN)


def rescuing() -> Play:
    play = cluster_lost()
    play.approve(Remedy.RESCUE, "alice")
    play.to_call(Operation.CREATE_HSM)
    return play


def rescued() -> Play:
    play = cluster_lost()
    play.approve(Remedy.RESCUE, "alice")
    play.to_close()
    return play


def rescued_in_place() -> Play:
    play = no_hsm_left()
    play.approve(Remedy.RESCUE, "alice")
    play.to_close()
    return play


def up_again() -> Play:
    """Somebody else connected the store again."""
    play = store_down()
    play.change(lambda it: replace(it, key_stores=(store(),)))
    play.to_close()
    return play


def stopped_halfway_gone() -> Play:
    play = stopped_halfway()
    play.now += 30 * DAY
    play.turn()
    return play


def stopped_early() -> Play:
    """AWS refused the first call."""
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.case = replace(
        play.case, phase=Phase.CLOSED, outcome=Outcome.STOPPED, reason="The role is missing."
    )
    return play


def disconnect_hangs() -> Play:
    """AWS does not get on with the disconnect."""
    play = approved(world(OLD, OFF), Remedy.RETIRE)
    play.durations = play.model.durations = Durations(disconnect=20 * DAY)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    play.now += HOURS
    play.turn()
    return play


def undo_hangs() -> Play:
    play = parked()
    play.durations = play.model.durations = Durations(create_hsm=20 * DAY)
    play.click(Act.UNDO, "bob")
    play.to_call(Operation.CREATE_HSM)
    play.to_call(Operation.CREATE_HSM)
    play.now += 2 * HOURS
    play.turn()
    return play


def never_activated() -> Play:
    bare = replace(cluster("1a", backups=()), state=ClusterState.UNINITIALIZED)
    play = approved(world(free=True, cluster=bare), Remedy.RETIRE)
    play.to_close()
    return play


def blind_while_keys_wait() -> Play:
    """AWS refuses to list keys while two wait."""
    play = waiting_for_keys()
    play.change(lambda it: replace(it, unread=("kms:ListKeys was refused",), keys=()))
    play.turn()
    return play


def material_stays() -> Play:
    """Keys that others scheduled wait in a store that is off, and no HSM is left to connect to."""
    going = key("attic", KeyState.PENDING_DELETION)
    off = store(StoreState.DISCONNECTED)
    return asked(going, held=off, zones=())


def by_trigger(trigger: Trigger, *keys: object, asked_for: str = "", **values: object) -> Play:
    """Just read, and put to people, after a call on a key store that AWS refused."""
    operation = {
        Trigger.CLUSTER_TAKEN: "CreateCustomKeyStore",
        Trigger.STORE_DELETE_BLOCKED: "DeleteCustomKeyStore",
    }[trigger]
    told = Attempt(
        *("event-1", NOW, "AWSsCodeException", CI),
        trigger,
        operation,
        name="payments-eu" if trigger is Trigger.CLUSTER_TAKEN else "",
        asked=asked_for,
    )
    it = case(trigger=trigger, attempts=(told,))
    play = Play(world(*keys, **values), case=it)  # type: ignore[arg-type]
    play.turn()
    return play


def taken() -> Play:
    return by_trigger(Trigger.CLUSTER_TAKEN, IN_USE, OLD, asked_for=CLUSTER)


def taken_copy() -> Play:
    """The new key store was wanted on another cluster of the same backup history."""
    copy = sibling()
    return by_trigger(Trigger.CLUSTER_TAKEN, OLD, asked_for=OTHER_CLUSTER, siblings=(copy,))


def store_blocked() -> Play:
    going = key("attic", KeyState.PENDING_DELETION)
    return by_trigger(Trigger.STORE_DELETE_BLOCKED, IN_USE, OLD, going)


def store_blocked_empty() -> Play:
    return by_trigger(Trigger.STORE_DELETE_BLOCKED)


def releasing() -> Play:
    play = approved(world(OLD, OFF), Remedy.RELEASE)
    play.to_call(Operation.DISCONNECT_KEY_STORE)
    return play


def released() -> Play:
    play = approved(world(OLD, OFF), Remedy.RELEASE)
    play.to_close()
    return play


def released_parked() -> Play:
    """An empty store, and no HSM runs."""
    play = approved(world(zones=(), held=store(StoreState.DISCONNECTED)), Remedy.RELEASE)
    play.to_close()
    return play


PLAYS: dict[str, Callable[[], Play]] = {
    "new": lambda: asked(IN_USE, OLD, OFF),
    "empty": asked,
    "one_of_two": one_of_two,
    "changed": changed,
    "changed_half_way": changed_half_way,
    "once_more": once_more,
    "without_backup": without_backup,
    "waiting_for_keys": waiting_for_keys,
    "key_used": key_used,
    "disconnecting": disconnecting,
    "quiet_period": quiet_period,
    "deleting_hsms": deleting_hsms,
    "deleting_cluster": deleting_cluster,
    "retired": retired,
    "parking": parking,
    "parked": parked,
    "undoing": undoing,
    "undone": undone,
    "soaking": soaking,
    "goes_back_by_itself": goes_back_by_itself,
    "repointed": repointed,
    "repointed_unchecked": repointed_unchecked,
    "kept": kept,
    "expired": expired,
    "rejected": rejected,
    "cancelling": cancelling,
    "cancelled": cancelled,
    "stopped_too_late": stopped_too_late,
    "resolved": resolved,
    "freed": freed,
    "dry_run": dry_run,
    "stopped": stopped,
    "watching": watching,
    "off_key_used": off_key_used,
    "parked_empty": parked_empty,
    "retiring_hsms": retiring_hsms,
    "waiting_for_keys_of_others": waiting_for_keys_of_others,
    "kept_half_way": kept_half_way,
    "expired_half_way": expired_half_way,
    "changed_keys_gone": changed_keys_gone,
    "stopped_halfway": stopped_halfway,
    "frozen_halfway": frozen_halfway,
    "once_more_halfway": once_more_halfway,
    "cluster_gone_halfway": cluster_gone_halfway,
    "stopped_halfway_gone": stopped_halfway_gone,
    "stopped_early": stopped_early,
    "disconnect_hangs": disconnect_hangs,
    "never_activated": never_activated,
    "material_stays": material_stays,
    "undo_hangs": undo_hangs,
    "no_hsm_left": no_hsm_left,
    "cluster_lost": cluster_lost,
    "cluster_lost_for_good": cluster_lost_for_good,
    "store_down": store_down,
    "store_down_person": store_down_person,
    "rescuing": rescuing,
    "rescued": rescued,
    "rescued_in_place": rescued_in_place,
    "up_again": up_again,
    "taken": taken,
    "taken_copy": taken_copy,
    "store_blocked": store_blocked,
    "store_blocked_empty": store_blocked_empty,
    "releasing": releasing,
    "released": released,
    "released_parked": released_parked,
    "blind_while_keys_wait": blind_while_keys_wait,
}
MOMENTS = {name: cache(play) for name, play in PLAYS.items()}
"""Each is played once, for all tests to look at: who wants to go on from there calls its function."""

"""The way back: restores only states that were recorded before our first mutation, then closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.remedies import rescue_back
from chalicelib.domain.remedies.steps import connect, disconnect, held_by_aws
from chalicelib.domain.rules.gone import until_sure
from chalicelib.domain.rules.polling import SETTLING, SOON, under_way
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Call, Close, Move, Wait
from chalicelib.domain.rules.waiting import may_wait, scheduled_by_us
from chalicelib.domain.state.case import Before, CallStatus, Case, KeyBefore, Outcome
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import LOOK_AGAIN_BEFORE, Operation, Remedy
from chalicelib.domain.state.snapshot import ATTACHED, Key, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.zones import zone_labels, zone_of

HIDDEN = (KeyState.UNAVAILABLE, KeyState.UNKNOWN)
"""States that don't tell whether the key is enabled."""


def recorded(situation: Situation) -> Before:
    """Just before a mutation: what cancel and undo may restore. What was first recorded stays.

    Added are keys that are new, and the states of keys that we have not touched and that only
    show now, since their store was disconnected at first.
    """
    case, snapshot = situation.case, situation.snapshot
    live = tuple(KeyBefore(key.key_id, key.state) for key in snapshot.keys if key.is_live)
    if case.before is None:
        holder = snapshot.holder
        return Before(
            at=situation.now,
            store_state=holder.state if holder else None,
            keys=live,
            zones=snapshot.cluster.zones if snapshot.cluster else (),
            cluster_id=case.cluster_id,
            store_name=holder.name if holder else "",
        )
    seen = {key.key_id: key for key in live}
    old = tuple(_clearer(case, key, seen.get(key.key_id)) for key in case.before.keys)
    known = {key.key_id for key in old}
    more = tuple(key for key in live if key.key_id not in known)
    return replace(case.before, keys=(*old, *more))


def _clearer(case: Case, old: KeyBefore, now: KeyBefore | None) -> KeyBefore:
    if now is None or old.state not in HIDDEN or _touched(case, old.key_id):
        return old
    return now


def _touched(case: Case, key_id: str) -> bool:
    operations = (Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY)
    return any(case.tried(operation, key_id) for operation in operations)


def undo_step(context: PlanContext) -> Move:
    """The next step back, or the close once all that can come back is back."""
    before = context.case.before
    if before is None:
        return Close(Outcome.CANCELLED, "Nothing had been changed.")
    return (
        _deletions(context)
        # What one look does not show may still be there to bring back.
        or until_sure(context.case, context.now)
        or _switches(context)
        or _seen_whole(context, rescue_back.made(context))
        or _hsms(context, before)
        or _seen_whole(context, _store(context, before))
        or _unseen(context)
        or _denied(context)
        or Close(Outcome.CANCELLED, _what_is_back(context, before))
    )


def _deletions(context: PlanContext) -> Move | None:
    """Cancel the deletions that we scheduled; somebody else's stay."""
    operation = Operation.CANCEL_KEY_DELETION
    mine = (k for k in context.snapshot.keys if scheduled_by_us(context.case, k, context.now))
    # A key whose policy denies it keeps no other one from coming back.
    ours = [k for k in mine if k.is_live or not _is_denied(context, operation, k)]
    due = tuple(
        key.key_id
        for key in ours
        if not key.is_live and not context.just_did(operation, key.key_id)
    )
    if due:
        return Call(operation, due, "cancelling the deletion of the keys")
    if any(key.is_live for key in ours):
        return Wait(SOON, "KMS does not show the scheduled deletions yet")
    return Wait(SOON, "KMS does not show the cancellations yet") if ours else None


def keys_to_enable(case: Case, snapshot: Snapshot) -> tuple[Key, ...]:
    """Live keys that were enabled and that our own calls switched off: the undo enables them once."""
    before = case.before.keys if case.before else ()
    enabled = {key.key_id for key in before if key.state is KeyState.ENABLED}
    return tuple(
        key
        for key in snapshot.live_keys
        if key.state in (KeyState.DISABLED, KeyState.UNAVAILABLE)
        and key.key_id in enabled
        and _touched(case, key.key_id)
        and not _was_enabled(case, key.key_id, snapshot.at)
    )


def _was_enabled(case: Case, key_id: str, at: datetime) -> bool:
    """We enabled it long ago: who switched it off since was somebody else."""
    call = case.call(Operation.ENABLE_KEY, key_id)
    return call is not None and call.status is CallStatus.DONE and at - call.at >= SETTLING


def _switches(context: PlanContext) -> Move | None:
    """Enable what was enabled and what our own calls switched off."""
    operation = Operation.ENABLE_KEY
    mine = keys_to_enable(context.case, context.snapshot)
    off = [key for key in mine if not _is_denied(context, operation, key)]
    settling = [key for key in off if context.just_did(operation, key.key_id)]
    due = [key.key_id for key in off if key not in settling]
    if due:
        return Call(operation, tuple(due), "enabling the keys that were enabled")
    # Keys of a disconnected store show their new state only once it is connected again.
    if any(key.state is KeyState.DISABLED for key in settling):
        return Wait(SOON, "KMS does not show the enabled keys yet")
    return None


def _hsms(context: PlanContext, before: Before) -> Move | None:
    """Park only: the HSMs that we deleted. Retire and repoint don't bring HSMs back."""
    cluster = context.snapshot.cluster
    if cluster is None or context.plan.remedy is not Remedy.PARK:
        return None
    if any(h.state is HsmState.DELETE_IN_PROGRESS for h in cluster.hsms):
        return Wait(under_way(None, context.now), "the HSMs are still being deleted")
    for label in zone_labels(before.zones):
        zone = zone_of(label)
        missing = before.zones.count(zone) > cluster.zones.count(zone)
        if not missing or not context.case.tried(Operation.DELETE_HSM, label):
            continue
        if context.just_did(Operation.CREATE_HSM, label):
            return Wait(under_way(None, context.now), "the HSMs are being created")
        if not context.case.did(Operation.CREATE_HSM, label):
            step = Call(Operation.CREATE_HSM, (label,), "creating the HSMs again")
            return held_by_aws(step, context)
    if any(hsm.state is HsmState.CREATE_IN_PROGRESS for hsm in cluster.live_hsms):
        return Wait(under_way(None, context.now), "the HSMs are being created")
    return None


def _store(context: PlanContext, before: Before) -> Move | None:
    """Back to the old cluster, and connected or disconnected as it was, if we moved it."""
    store = context.store
    if store is None or before.store_state is None:
        return None
    target = store.key_store_id
    if store.cluster_id != before.cluster_id:
        moved_by_us = context.case.tried(Operation.UPDATE_KEY_STORE, target)
        return _point_back(context, store, before) if moved_by_us else None
    connected_by_us = context.case.tried(Operation.CONNECT_KEY_STORE, target)
    if before.store_state in ATTACHED:
        touched = connected_by_us or context.case.tried(Operation.DISCONNECT_KEY_STORE, target)
        has_hsm = any(h.state is HsmState.ACTIVE for h in context.snapshot.live_hsms)
        return (
            connect(context, store, why="connecting the key store again")
            if touched and has_hsm
            else None
        )
    if context.plan.remedy is Remedy.RESCUE:
        # Keys that work again are not cut off: whoever stops a rescue does not ask for that.
        connected_by_us = connected_by_us and store.state is StoreState.FAILED
    return disconnect(context) if connected_by_us else None


def _point_back(context: PlanContext, store: KeyStore, before: Before) -> Move | None:
    """While the old cluster can take the store; after that the keys live on in the other one."""
    cluster = context.snapshot.cluster
    stays = cluster is None or not cluster.can_take_keys
    if context.plan.remedy is Remedy.RESCUE:
        # Keys that work on the new cluster stay there: the old one could not serve them.
        stays = not rescue_back.goes_back(store, cluster)
    if stays:
        return connect(context, store, why="connecting the key store again")
    if context.just_did(Operation.UPDATE_KEY_STORE, store.key_store_id):
        return Wait(SOON, "KMS does not show the old cluster yet")
    return disconnect(context) or Call(
        Operation.UPDATE_KEY_STORE,
        (store.key_store_id,),
        "pointing the key store back to this cluster",
        to_cluster=before.cluster_id,
    )


def _seen_whole(context: PlanContext, step: Move | None) -> Move | None:
    """Nothing is disconnected or removed on half a look, nor while keys that we scheduled may wait unseen."""
    depends = isinstance(step, Call) and step.operation in LOOK_AGAIN_BEFORE
    is_blind = bool(context.snapshot.unread) or may_wait(context.case, context.snapshot)
    return _unseen(context) if depends and is_blind else step


def _unseen(context: PlanContext) -> Move | None:
    """What can't be seen may not be back: a person is needed, and asking again goes on from here."""
    hidden = [key.name for key in context.snapshot.keys if key.state is KeyState.UNKNOWN]
    refused = [*context.snapshot.unread, *hidden]
    if not refused:
        return None
    first = refused[0].removesuffix(".")
    return Close(
        Outcome.STOPPED,
        f"Unlatch could not see everything, so something may not be back yet: {first}.",
        ("Allow the role unlatch-reader to read it.",),
    )


def _is_denied(context: PlanContext, operation: Operation, key: Key) -> bool:
    """A policy stands in the way. Trying again forgets it."""
    call = context.case.call(operation, key.key_id)
    return call is not None and call.denied


def _denied(context: PlanContext) -> Move | None:
    """All that could come back is back, and AWS refused the rest."""
    left = {
        Operation.CANCEL_KEY_DELETION: context.snapshot.pending_keys,
        Operation.ENABLE_KEY: keys_to_enable(context.case, context.snapshot),
    }
    for operation, keys in left.items():
        if any(_is_denied(context, operation, key) for key in keys):
            return Close(
                Outcome.STOPPED,
                f"A policy denies {operation}, so not every key could be brought back.",
                ("Allow it to the role unlatch-executor: AWS’s own words say what denies it.",),
            )
    return None


def _what_is_back(context: PlanContext, before: Before) -> str:
    """Says what came back and what did not."""
    now = {key.key_id: key.state for key in context.snapshot.keys}
    lost = sum(key.key_id not in now for key in before.keys)
    fine = sum(now.get(key.key_id) in (key.state, KeyState.UNAVAILABLE) for key in before.keys)
    changed = len(before.keys) - lost - fine
    parts = (
        (fine, f"{_keys(fine)} as before."),
        (lost, f"{_keys(lost)} gone and can’t come back."),
        (changed, f"{_keys(changed)} not as before: somebody else changed that."),
        (True, _where_the_store_is(context, before)),
        (context.snapshot.cluster is None, "The cluster is gone."),
        *_made(context),
        (_is_going(context.snapshot), "AWS is deleting the cluster already."),
        (True, "Nothing more happens."),
    )
    return " ".join(sentence for holds, sentence in parts if holds and sentence)


def _made(context: PlanContext) -> tuple[tuple[bool, str], ...]:
    """What a rescue had made, and how whoever wants it gone removes it."""
    where = rescue_back.cluster_stays(context)
    return (
        (
            rescue_back.hsms_stay(context),
            "The HSMs that Unlatch made stay, as the key store uses them, and cost money.",
        ),
        (
            bool(where),
            f"{where}, which Unlatch made, stays with its HSMs, as the key store is on it.",
        ),
    )


def _keys(count: int) -> str:
    return "1 key is" if count == 1 else f"{count} keys are"


def _is_going(snapshot: Snapshot) -> bool:
    return (
        snapshot.cluster is not None and snapshot.cluster.state is ClusterState.DELETE_IN_PROGRESS
    )


def _where_the_store_is(context: PlanContext, before: Before) -> str:
    store = context.store
    if before.store_state is None:
        return ""
    if store is None:
        return "The key store is deleted."
    if store.cluster_id != before.cluster_id:
        return f"The key store stays on {store.cluster_id}."
    was_connected = before.store_state in ATTACHED
    if was_connected and store.state is not StoreState.CONNECTED:
        return "The key store is not connected."
    return ""

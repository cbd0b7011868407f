"""What a cancel or an undo brings back and what not, by the last look. Makes no step: undo.py does."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from chalicelib.domain.overdue import USUALLY
from chalicelib.domain.remedies.undo import keys_to_enable, undo_step
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.rules.step import Close
from chalicelib.domain.rules.waiting import our_keys
from chalicelib.domain.state.case import CallStatus, Case
from chalicelib.domain.state.plan import Operation, Plan
from chalicelib.domain.state.snapshot import ATTACHED, Key, Snapshot, StoreState

OFF = (StoreState.DISCONNECTED, StoreState.DISCONNECTING)


class StoreEnd(Enum):
    """Where a cancel leaves the key store."""

    NONE = auto()
    GONE = auto()
    STAYS = auto()
    CONNECTED = auto()
    MOVES_BACK = auto()
    MOVES_BACK_BY_OFFICER = auto()
    STAYS_AWAY = auto()


def returning_keys(case: Case) -> tuple[Key, ...]:
    """Keys whose deletion we scheduled and that can still be brought back."""
    return our_keys(case, case.snapshot) if case.snapshot else ()


def disabled_keys(case: Case) -> tuple[Key, ...]:
    """Live keys that cancelling switches on again."""
    return keys_to_enable(case, case.snapshot) if case.snapshot else ()


def lost_keys(case: Case) -> int:
    """Keys that were there before our first mutation and are gone."""
    if case.before is None:
        return 0
    present = {key.key_id for key in case.snapshot.keys} if case.snapshot else set()
    return sum(key.key_id not in present for key in case.before.keys)


def can_restore(situation: Situation) -> bool:
    """Something of what we changed can still come back: the undo has something to do."""
    case, plan = situation.case, situation.case.current_plan
    if case.before is None or plan is None or case.snapshot is None:
        return False
    return reconnects(case) or not isinstance(undo_step(situation.on(plan)), Close)


def reconnects(case: Case) -> bool:
    """Cancelling connects the store again. What we just called may not show in the snapshot yet."""
    store = case.store
    was = case.before.store_state if case.before else None
    if store is None or was not in ATTACHED:
        return False
    off = case.call(Operation.DISCONNECT_KEY_STORE, store.key_store_id)
    on = case.call(Operation.CONNECT_KEY_STORE, store.key_store_id)
    just_left = off is not None and (on is None or on.at <= off.at)
    is_ours = any(case.tried(call.operation, call.target) for call in (off, on) if call)
    return (is_ours and store.state in OFF) or just_left


def store_end(case: Case, plan: Plan) -> StoreEnd:
    """Where the key store of this plan will be."""
    store = case.store
    if plan.key_store_id is None:
        return StoreEnd.NONE
    if store is None:
        return StoreEnd.GONE
    if store.cluster_id != plan.cluster_id:
        return _moved(case, plan.key_store_id)
    return StoreEnd.CONNECTED if reconnects(case) else StoreEnd.STAYS


def _moved(case: Case, key_store_id: str) -> StoreEnd:
    cluster = case.snapshot.cluster if case.snapshot else None
    if cluster is None or not cluster.can_take_keys:
        return StoreEnd.STAYS_AWAY
    # At a connect KMS set a new password for kmsuser there; this cluster has the one before.
    is_connected = case.tried(Operation.CONNECT_KEY_STORE, key_store_id)
    return StoreEnd.MOVES_BACK_BY_OFFICER if is_connected else StoreEnd.MOVES_BACK


def missing_hsms(case: Case) -> int:
    """HSMs that were there before and are gone, or about to be."""
    if case.before is None:
        return 0
    running = len(case.snapshot.live_hsms) if case.snapshot else 0
    made = sum(c.operation is Operation.CREATE_HSM for c in case.calls)
    deleted = sum(
        c.operation is Operation.DELETE_HSM and c.status is not CallStatus.REFUSED
        for c in case.calls
    )
    return max(len(case.before.zones) - running, deleted - made, 0)


def usual_unpark(case: Case) -> timedelta:
    """How long it usually takes to bring a parked cluster back; the same from first to last step."""
    made = any(c.operation is Operation.CREATE_HSM for c in case.calls)
    creates = USUALLY[Operation.CREATE_HSM] if missing_hsms(case) or made else timedelta()
    if not reconnects(case):
        return USUALLY[Operation.CREATE_HSM] if missing_hsms(case) else timedelta()
    return USUALLY[Operation.CONNECT_KEY_STORE] + creates


def minutes_to_unpark(world: Snapshot | None) -> int:
    """The same before anything is done: what it takes to bring back what runs now."""
    if world is None:
        return 0
    store = world.holder
    creates = USUALLY[Operation.CREATE_HSM] if world.live_hsms else timedelta()
    runs = store is not None and store.state in ATTACHED
    connects = USUALLY[Operation.CONNECT_KEY_STORE] if runs else timedelta()
    return int((creates + connects).total_seconds() // 60)


def is_whole(case: Case) -> bool:
    """All that was there before our first mutation is there again."""
    before, world = case.before, case.snapshot
    if before is None or world is None or world.cluster is None:
        return False
    store = before.store_state is None or case.store is not None
    return store and not lost_keys(case) and len(world.live_hsms) >= len(before.zones)

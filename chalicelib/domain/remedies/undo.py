"""The way back: restores only states that were recorded before our first mutation, then closes."""

from __future__ import annotations

from chalicelib.domain.case import Before, Outcome
from chalicelib.domain.pace import poll
from chalicelib.domain.plan import Operation, Remedy
from chalicelib.domain.remedies.scene import (
    Scene,
    connect,
    disconnect,
    zone_labels,
    zone_of,
)
from chalicelib.domain.snapshot import Key, KeyState, StoreState
from chalicelib.domain.step import Call, Close, Step, Wait


def undo_step(scene: Scene) -> Step:
    """The next step back, or the close once all that can come back is back."""
    before = scene.case.before
    if before is None:
        return Close(Outcome.CANCELLED, "Nothing had been changed.")
    return _keys(scene, before) or _hsms(scene, before) or _store(scene, before) or _closed(scene)


def _keys(scene: Scene, before: Before) -> Step | None:
    """Cancel what we scheduled, then enable what was enabled and that we switched off."""
    states = {key.key_id: key.state for key in before.keys}
    pending = [k.key_id for k in scene.snapshot.pending_keys if _ours(scene, k)]
    pending = [k for k in pending if not scene.just_did(Operation.CANCEL_KEY_DELETION, k)]
    if pending:
        return Call(
            Operation.CANCEL_KEY_DELETION, tuple(pending), "cancelling the deletion of the keys"
        )
    off = [
        k.key_id
        for k in scene.snapshot.live_keys
        if k.state is not KeyState.ENABLED
        and states.get(k.key_id) is KeyState.ENABLED
        and _ours(scene, k)
        and not scene.case.did(Operation.ENABLE_KEY, k.key_id)
    ]
    if off:
        return Call(Operation.ENABLE_KEY, tuple(off), "enabling the keys that were enabled")
    return None


def _ours(scene: Scene, key: Key) -> bool:
    operations = (Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY)
    return any(scene.case.tried(operation, key.key_id) for operation in operations)


def _hsms(scene: Scene, before: Before) -> Step | None:
    """Park only: one HSM in each zone that had one. Retire and repoint don't bring HSMs back."""
    cluster = scene.snapshot.cluster
    if scene.plan.remedy is not Remedy.PARK or cluster is None:
        return None
    if any(h.state == "DELETE_IN_PROGRESS" for h in cluster.hsms):
        return Wait(poll(None, scene.now), "the HSMs are still being deleted")
    for label in zone_labels(before.zones):
        zone = zone_of(label)
        missing = before.zones.count(zone) > cluster.zones.count(zone)
        if missing and not scene.just_did(Operation.CREATE_HSM, label):
            return Call(Operation.CREATE_HSM, (label,), "creating the HSMs again")
    if any(hsm.state != "ACTIVE" for hsm in cluster.live_hsms) or not cluster.live_hsms:
        return Wait(poll(scene.now, scene.now), "the HSMs are being created")
    return None


def _store(scene: Scene, before: Before) -> Step | None:
    """Back to the old cluster, and connected or disconnected as it was."""
    store = scene.store
    if store is None or before.store_state is None:
        return None
    if store.cluster_id != before.cluster_id:
        return _point_back(scene)
    if before.store_state in (StoreState.CONNECTED, StoreState.CONNECTING):
        has_hsm = any(h.state == "ACTIVE" for h in scene.snapshot.live_hsms)
        return connect(scene, why="connecting the key store again") if has_hsm else None
    connected_by_us = scene.case.tried(Operation.CONNECT_KEY_STORE, store.key_store_id)
    return disconnect(scene) if connected_by_us else None


def _point_back(scene: Scene) -> Step | None:
    """While the old cluster has an HSM; after that the keys live on in the other one."""
    store = scene.store
    assert store is not None and scene.case.before is not None, "checked by the caller"
    if scene.snapshot.cluster is None or not scene.snapshot.cluster.can_take_keys:
        return connect(scene, why="connecting the key store again")
    if scene.just_did(Operation.UPDATE_KEY_STORE, store.key_store_id):
        return Wait(poll(None, scene.now), "KMS takes in the old cluster")
    return disconnect(scene) or Call(
        Operation.UPDATE_KEY_STORE,
        (store.key_store_id,),
        "pointing the key store back to this cluster",
        to_cluster=scene.case.before.cluster_id,
    )


def _closed(scene: Scene) -> Step:
    """Says what came back and what did not."""
    before, snapshot = scene.case.before, scene.snapshot
    assert before is not None, "checked by the caller"
    present = {key.key_id for key in snapshot.keys}
    lost = [key for key in before.keys if key.key_id not in present]
    back = f"{len(before.keys) - len(lost)} keys are as they were. " if before.keys else ""
    gone = f"{len(lost)} keys are gone and do not come back. " if lost else ""
    store = "" if scene.store or not scene.plan.key_store_id else "The key store is deleted. "
    return Close(Outcome.CANCELLED, f"{back}{gone}{store}Nothing more happens.")

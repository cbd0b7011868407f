"""Repoint: move the store to a sibling cluster, prove each key there, then delete this cluster."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.approval import terms
from chalicelib.domain.case import CallRecord, CallStatus, Case, Difference
from chalicelib.domain.pace import SOON, until
from chalicelib.domain.plan import NEWEST_BACKUP, Operation, Plan, PlannedCall, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies.scene import (
    Scene,
    basis_of,
    connect,
    delete_cluster,
    delete_hsms,
    disconnect,
    keep_backup,
    moved_store,
    quiet,
    zone_labels,
)
from chalicelib.domain.snapshot import Cluster, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.step import Call, Step, Wait

MAY_WORK = (KeyState.ENABLED, KeyState.UNAVAILABLE)
"""States in which a key can be checked, or may be once its store is connected."""


def targets(snapshot: Snapshot) -> tuple[Cluster, ...]:
    """Sibling clusters (same certificate) that can take the store now, by id."""
    return tuple(
        sorted((c for c in snapshot.siblings if c.can_take_keys), key=lambda c: c.cluster_id)
    )


def plan(
    snapshot: Snapshot, *, case: Case, policy: Policy, now: datetime, target: str = ""
) -> Plan | str:
    """The plan, or why there is none. Where an earlier one moved the store, it goes on from there."""
    cluster, moved = snapshot.cluster, moved_store(case, snapshot)
    store = moved or snapshot.holder
    if cluster is None or store is None:
        return "Repoint is not needed: no key store uses the cluster."
    if not snapshot.keys or snapshot.pending_keys:
        return _no_keys_to_move(snapshot)
    unproven = _unproven(snapshot, case)
    able = [moved.cluster_id] if moved else [c.cluster_id for c in targets(snapshot)]
    if not able:
        return _no_target(snapshot)
    return Plan(
        remedy=Remedy.REPOINT,
        account=snapshot.account,
        region=snapshot.region,
        cluster_id=snapshot.cluster_id,
        key_store_id=store.key_store_id,
        calls=_calls(snapshot, cluster, store=store, unproven=unproven),
        unproven=unproven,
        basis=basis_of(snapshot, policy=policy, now=now),
        terms=terms(Remedy.REPOINT, snapshot, case=case, policy=policy, now=now),
        soak_days=policy.repoint_soak_days,
        target_cluster_id=target if target in able else able[0],
        after_click=case.reset_at_click,
    )


def _no_keys_to_move(snapshot: Snapshot) -> str:
    if snapshot.pending_keys:
        return "Repoint is not possible: some keys are waiting for deletion."
    return "Repoint is not needed: there are no keys to move."


def _no_target(snapshot: Snapshot) -> str:
    if not snapshot.siblings:
        return (
            "Repoint is not possible: no other cluster in this account holds a copy of these keys."
        )
    return (
        "Repoint is not possible: no cluster with the same certificate is active with "
        "HSMs in two zones."
    )


def _unproven(snapshot: Snapshot, case: Case) -> tuple[str, ...]:
    """Keys that are switched off, and those that AWS refused us to use: nothing can be shown of them."""
    denied = {call.target for call in case.calls if _was_denied(call)}
    off = (key.key_id for key in snapshot.keys if key.state not in MAY_WORK or key.key_id in denied)
    return tuple(sorted(off))


def _was_denied(call: CallRecord) -> bool:
    """The policy of the key or of our role stands in the way; that says nothing of the other cluster."""
    return call.operation is Operation.PROVE_KEY and call.denied


def uncheckable(scene: Scene) -> tuple[Difference, ...]:
    """Keys that the approvers believed could be checked on the other cluster, and that can't."""
    proved, found = _proved(scene.plan, scene.case), []
    for key in scene.snapshot.keys:
        if key.key_id in proved or key.key_id in scene.plan.unproven:
            continue
        call = scene.mine(Operation.PROVE_KEY, key.key_id)
        if call and _was_denied(call):
            found.append(
                Difference(key.name, "can be checked", "can’t be: AWS refuses Unlatch to use it")
            )
        elif key.state not in MAY_WORK:
            found.append(Difference(key.name, "can be checked", f"is {key.state}, so it can’t be"))
    return tuple(found)


def _calls(
    snapshot: Snapshot, cluster: Cluster, *, store: KeyStore, unproven: tuple[str, ...]
) -> tuple[PlannedCall, ...]:
    """Of moving, proving and deleting, what is still to do."""
    moves = []
    is_here = store.cluster_id == snapshot.cluster_id
    if store.state is not StoreState.DISCONNECTED and (
        is_here or store.state is not StoreState.CONNECTED
    ):
        moves.append(Operation.DISCONNECT_KEY_STORE)
    if is_here:
        moves.append(Operation.UPDATE_KEY_STORE)
    if is_here or store.state is not StoreState.CONNECTED:
        moves.append(Operation.CONNECT_KEY_STORE)
    calls = [PlannedCall(operation, (store.key_store_id,)) for operation in moves]
    to_prove = tuple(k.key_id for k in snapshot.keys if k.key_id not in unproven)
    if to_prove:
        calls.append(PlannedCall(Operation.PROVE_KEY, to_prove))
    calls.append(PlannedCall(Operation.KEEP_BACKUP, (NEWEST_BACKUP,)))
    if cluster.zones:
        calls.append(PlannedCall(Operation.DELETE_HSM, zone_labels(cluster.zones)))
    calls.append(PlannedCall(Operation.DELETE_CLUSTER, (snapshot.cluster_id,)))
    return tuple(calls)


def next_step(scene: Scene) -> Step:
    """Move, prove, soak, and only then delete what is left behind."""
    return (
        _move(scene)
        or _prove(scene)
        or _soak(scene)
        or quiet(scene)
        or _keep_backup(scene)
        or delete_hsms(scene)
        or delete_cluster(scene)
    )


def _keep_backup(scene: Scene) -> Step | None:
    """Before the HSMs go, whose deletion makes newer ones: that may fail, this one is there."""
    planned = scene.plan.names(Operation.KEEP_BACKUP)
    return (
        None
        if scene.did(Operation.KEEP_BACKUP, NEWEST_BACKUP) or not planned
        else keep_backup(scene)
    )


def _move(scene: Scene) -> Step | None:
    """Disconnect, point to the target, connect; None once CONNECTED there."""
    store, plan_ = scene.store, scene.plan
    assert store is not None, "a store that is gone is a difference, found before"
    if store.cluster_id != plan_.target_cluster_id:
        if scene.just_did(Operation.UPDATE_KEY_STORE, store.key_store_id):
            return Wait(SOON, "KMS takes in the new cluster")
        return disconnect(scene) or Call(
            Operation.UPDATE_KEY_STORE,
            (store.key_store_id,),
            "pointing the key store to the other cluster",
            to_cluster=plan_.target_cluster_id,
        )
    return connect(scene, store, why="connecting the key store to the other cluster")


def _prove(scene: Scene) -> Step | None:
    """Each enabled key makes a data key on the target; None once all have."""
    keys = unproved(scene.plan, scene.case, scene.snapshot)
    if keys:
        why = "making sure that each key works on the other cluster"
        return Call(Operation.PROVE_KEY, keys, why)
    if any(key.state is KeyState.UNAVAILABLE for key in scene.snapshot.keys):
        # Nothing is known of such a key, and the store is connected: KMS is still taking that in.
        return Wait(SOON, "KMS is bringing the keys back")
    return None


def unproved(plan_: Plan, case: Case, snapshot: Snapshot) -> tuple[str, ...]:
    """Enabled keys that have not shown yet, for this plan, that they work on the target."""
    denied = {call.target for call in case.calls if _was_denied(call)} & set(plan_.unproven)
    known = _proved(plan_, case) | denied
    return tuple(
        key.key_id
        for key in snapshot.keys
        if key.state is KeyState.ENABLED and key.key_id not in known
    )


def _proved(plan_: Plan, case: Case) -> set[str]:
    return {
        call.target
        for call in case.calls
        if call.operation is Operation.PROVE_KEY
        and call.status is CallStatus.DONE
        and call.plan_hash == plan_.plan_hash
    }


def _soak(scene: Scene) -> Step | None:
    since = scene.case.soaking_since
    if not scene.plan.soak_days or not scene.snapshot.live_hsms:
        return None
    end = (since or scene.now) + timedelta(days=scene.plan.soak_days)
    if scene.now < end:
        return Wait(until(end, scene.now), f"the keys run on the other cluster until {end:%d %b}")
    return None


def lost_key(scene: Scene) -> str:
    """The key that failed to prove itself on the target, and how; "" while none did."""
    failed = failed_proof(scene.plan, scene.case)
    if failed is None:
        return ""
    names = {key.key_id: key.name for key in scene.snapshot.keys}
    why = failed.error.removesuffix(".")
    return f"{names.get(failed.target, failed.target)} does not work there ({why})."


def failed_proof(plan_: Plan, case: Case) -> CallRecord | None:
    """The proof that brings the store back: AWS used the key there, in vain."""
    refused = (
        call
        for call in case.calls
        if call.operation is Operation.PROVE_KEY and call.status is CallStatus.REFUSED
    )
    ours = (call for call in refused if call.plan_hash == plan_.plan_hash)
    return next((call for call in ours if not _was_denied(call)), None)

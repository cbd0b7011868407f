"""Steps that remedies share: each says what comes next towards its end, or None once it is there."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.rules.gates import everything_read, others_gate
from chalicelib.domain.rules.password import PERSON_ONLY, officer_steps
from chalicelib.domain.rules.polling import MINUTE, SOON, at_the_end, under_way
from chalicelib.domain.rules.sessions import LATE, Verdict, verdict
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.rules.step import Ask, Call, Close, Move, Step, Wait
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.hsm_states import GOING, BackupState, ClusterState
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation
from chalicelib.domain.state.snapshot import KeyStore, StoreState
from chalicelib.domain.state.zones import hsm_for

CHANGES_HSMS = (ClusterState.MODIFY_IN_PROGRESS, ClusterState.ROLLBACK_IN_PROGRESS)
"""AWS replaces one HSM after the other by another type, half an hour each (ModifyCluster)."""
ON_HSMS_OR_KEYS = frozenset(
    {
        Operation.CREATE_HSM,
        Operation.DELETE_HSM,
        Operation.DISABLE_KEY,
        Operation.SCHEDULE_KEY_DELETION,
    }
)
BUSY_SECONDS = 300


def disconnect(context: PlanContext) -> Move | None:
    """The step towards DISCONNECTED; None once the store is there (or gone)."""
    store = context.store
    if store is None or store.state is StoreState.DISCONNECTED:
        return None
    operation, target = Operation.DISCONNECT_KEY_STORE, store.key_store_id
    since = context.call_at(operation, target)
    if store.state is StoreState.DISCONNECTING or context.just_did(operation, target):
        return Wait(under_way(since, context.now), "the key store is disconnecting")
    return Call(operation, (target,), "disconnecting the key store")


def connect(context: PlanContext, store: KeyStore, *, why: str) -> Move | None:
    """The step towards CONNECTED; None once the store is there. A failed connection ends in a stop."""
    if store.state is StoreState.CONNECTED:
        return None
    operation, target = Operation.CONNECT_KEY_STORE, store.key_store_id
    since = context.call_at(operation, target)
    if store.state is StoreState.CONNECTING or context.just_did(operation, target):
        return Wait(under_way(since, context.now), "the key store is connecting")
    if store.state is StoreState.DISCONNECTING:
        return Wait(under_way(None, context.now), "the key store is disconnecting")
    if store.state is StoreState.FAILED:
        if context.failed_since_asked(operation, target) and store.error in PERSON_ONLY:
            return Close(
                Outcome.STOPPED,
                f"AWS can’t log in to {store.cluster_id} ({store.error}): only a crypto officer of that "
                "cluster can help.",
                officer_steps(context.snapshot, target, store.cluster_id),
            )
        if context.failed_since_asked(operation, target):
            return Close(
                Outcome.STOPPED,
                f"The key store could not be connected: {store.error or 'AWS gives no reason'}.",
                ("Fix what the error names (KMS guide, “Fix a custom key store”).",),
            )
        return disconnect(context)
    return Call(operation, (target,), why)


def delete_hsms(context: PlanContext) -> Step | None:
    """One DeleteHsm after the other, each bound to a zone of the plan; None once all are gone."""
    hidden = everything_read(context.snapshot) if context.snapshot.cluster is None else None
    if hidden:
        return Ask(gates=(hidden,))
    for label in context.plan.names(Operation.DELETE_HSM):
        hsm = hsm_for(label, context.snapshot)
        if hsm is None or context.did(Operation.DELETE_HSM, label):
            continue
        if context.just_did(Operation.DELETE_HSM, label):
            return Wait(SOON, "finding out whether AWS took the last call")
        return Call(Operation.DELETE_HSM, (label,), "deleting the HSMs")
    if context.snapshot.cluster and context.snapshot.cluster.hsms:
        since = max(
            (c.at for c in context.case.calls if c.operation is Operation.DELETE_HSM), default=None
        )
        seconds = under_way(since, context.now, quickest=2 * MINUTE)
        return Wait(seconds, "the HSMs are being deleted")
    return None


def held_by_aws(step: Call, context: PlanContext) -> Call | Wait:
    """The step, or the wait for AWS to change the HSMs' type: meanwhile none comes or goes, and no key."""
    cluster = context.snapshot.cluster
    if cluster is None or cluster.state not in CHANGES_HSMS:
        return step
    if step.operation not in ON_HSMS_OR_KEYS:
        return step
    return Wait(BUSY_SECONDS, f"the cluster is busy ({cluster.state})")


def keep_backup(context: PlanContext) -> Move | None:
    """The newest READY backup is kept for good before the cluster goes."""
    cluster = context.snapshot.cluster
    if cluster is None or not context.plan.names(Operation.KEEP_BACKUP):
        return None
    if any(b.state is BackupState.CREATE_IN_PROGRESS for b in cluster.backups):
        return Wait(SOON, "the last backup is being made")
    newest = cluster.newest_backup
    if newest is None or newest.never_expires:
        return None
    if context.just_did(Operation.KEEP_BACKUP, NEWEST_BACKUP):
        return Wait(SOON, "making sure that the backup is kept")
    return Call(Operation.KEEP_BACKUP, (NEWEST_BACKUP,), "keeping the newest backup for good")


def delete_cluster(context: PlanContext) -> Move:
    """The last step; that the cluster is gone is for decide to see."""
    cluster = context.snapshot.cluster
    target = context.plan.cluster_id
    since = context.call_at(Operation.DELETE_CLUSTER, target)
    called = context.just_did(Operation.DELETE_CLUSTER, target)
    if cluster is None or called or cluster.state in GOING:
        return Wait(at_the_end(since, context.now), "the cluster is being deleted")
    if cluster.state in (ClusterState.UPDATE_IN_PROGRESS, *CHANGES_HSMS):
        return Wait(SOON, f"the cluster is busy ({cluster.state})")
    return Call(Operation.DELETE_CLUSTER, (target,), "deleting the cluster")


def quiet(context: PlanContext) -> Step | None:
    """Before any HSM goes: nobody but KMS had sessions, over a quiet period after the disconnect.

    None if that holds, if no HSM is left, or if the approvers overrode it. Data that is
    late is waited for, and numbers that don't tell are counted for one more period.
    """
    cluster, use = context.snapshot.cluster, context.snapshot.other_use
    if context.plan.terms.override or not context.snapshot.live_hsms:
        return None
    if cluster and cluster.was_never_activated:
        return None
    period = timedelta(minutes=context.plan.terms.quiet_minutes)
    ready = since = context.case.quiet_since or context.now
    if context.plan.key_store_id and period:
        # One minute more, as CloudWatch counts in whole minutes and KMS's sessions end meanwhile.
        ready = since + period + timedelta(minutes=1)
    late = timedelta(minutes=use.late)
    if context.now < ready + late:
        return _count_until(ready + late, context)
    found, patience = verdict(use), timedelta(minutes=LATE)
    if found is Verdict.UNKNOWN and use.interfaces == () and context.now < ready + patience:
        return _count_until(context.now + timedelta(minutes=1), context)
    if found is Verdict.UNCLEAR and context.now < ready + period + late:
        return _count_until(ready + period + late, context)
    gates = others_gate(context.snapshot)
    return Ask(gates=gates) if gates else None


def _count_until(end: datetime, context: PlanContext) -> Wait:
    seconds = int((end - context.now).total_seconds()) + 1
    return Wait(seconds, "checking that no other program uses the HSMs")

"""What differs from the world in which a rescue was approved: its backup, its subnets, and whether it is needed.

Decides nothing; what others made or connected is never undone for it.
"""

from __future__ import annotations

from chalicelib.domain.remedies import rescue, rescue_subnets
from chalicelib.domain.rules.outage import outage_of
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.case import Difference
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import KeyStore, StoreState


def differences(context: PlanContext) -> list[Difference]:
    """A rescue only adds: HSMs and connections of others don't stand in its way."""
    plan, store = context.plan, context.store
    if store is None:
        return [Difference("Key store", "was there", "is gone")]
    made = rescue.made_cluster(context)
    if store.cluster_id not in {plan.cluster_id, made.cluster_id if made else ""}:
        what = f"Key store {store.name}"
        return [Difference(what, "held this cluster", "holds another one")]
    place = _place(context, store) if made is None else []
    return [*place, *_serves(context, store)]


def moved_back(context: PlanContext, store: KeyStore) -> list[Difference]:
    """We pointed it to another cluster, for good by then, and it is on this one: of a rescue or a repoint."""
    is_here = store.cluster_id == context.plan.cluster_id
    if not (is_here and context.did_for_good(Operation.UPDATE_KEY_STORE, store.key_store_id)):
        return []
    return [Difference(f"Key store {store.name}", "moved by Unlatch", "moved back by somebody")]


def _serves(context: PlanContext, store: KeyStore) -> list[Difference]:
    """Others brought the old cluster's keys back while a new one was being made: nobody cuts them off again."""
    if moved := moved_back(context, store):
        return moved
    cluster = context.snapshot.cluster
    is_there = context.plan.backup_id and store.cluster_id == context.plan.cluster_id
    is_on = store.state is StoreState.CONNECTED and outage_of(store, cluster) is None
    if not (is_there and is_on):
        return []
    return [Difference(f"Key store {store.name}", "down", "connected again by somebody")]


def _place(context: PlanContext, store: KeyStore) -> list[Difference]:
    """Where and from what a cluster is made, until it is; whether one is needed after all."""
    plan, snapshot = context.plan, context.snapshot
    if plan.backup_id:
        return [*_backup(context), *_need(context, store), *rescue_subnets.differences(context)]
    if snapshot.cluster is None or not rescue_subnets.needs_new_cluster(snapshot, store):
        return []
    why = store.error or "no subnet of the cluster has room"
    return [
        Difference("Cluster", "could serve the key store", f"can’t ({why}): it takes a new one")
    ]


def _need(context: PlanContext, store: KeyStore) -> list[Difference]:
    """Others made it possible for the old cluster to serve: a new one would cost for nothing."""
    snapshot = context.snapshot
    is_known = snapshot.room is not None and snapshot.room.subnets is not None
    if not is_known or rescue_subnets.needs_new_cluster(snapshot, store):
        return []
    return [Difference("New cluster", "needed", "not needed: the old one can serve the key store")]


def _backup(context: PlanContext) -> list[Difference]:
    target, snapshot = context.plan.backup_id, context.snapshot
    if snapshot.unread or any(b.backup_id == target for b in snapshot.known_backups):
        return []
    return [Difference(f"Backup {target}", "was there", "is gone")]

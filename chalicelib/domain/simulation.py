"""A small world that obeys the rules of KMS and CloudHSM, for forecasts and tests. Changes nothing real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.password import Login, login
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG, NEWEST_BACKUP, Operation
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Backup,
    Cluster,
    Hsm,
    KeyState,
    Snapshot,
    StoreState,
)
from chalicelib.domain.state.zones import hsm_for, zone_of


@dataclass(frozen=True)
class Durations:
    """Typical times of AWS's own transitions."""

    disconnect: timedelta = timedelta(minutes=4)
    connect: timedelta = timedelta(minutes=10)
    create_hsm: timedelta = timedelta(minutes=10)
    delete_hsm: timedelta = timedelta(minutes=6)
    delete_cluster: timedelta = timedelta(minutes=3)
    create_cluster: timedelta = timedelta(minutes=5)


Change = Callable[[Snapshot], Snapshot]
MADE = "cluster-made"


class SimulatedAws:
    """A small world that obeys the rules of KMS and CloudHSM; time only moves when told."""

    def __init__(self, snapshot: Snapshot, durations: Durations) -> None:
        self.world = snapshot
        self.durations = durations
        self.due: dict[str, tuple[datetime, Change]] = {}
        self._under_way(snapshot)

    def _under_way(self, snapshot: Snapshot) -> None:
        """Transitions that had begun before: taken to last as long again as they usually do."""
        ends = {
            StoreState.CONNECTING: (self.durations.connect, StoreState.CONNECTED),
            StoreState.DISCONNECTING: (self.durations.disconnect, StoreState.DISCONNECTED),
        }
        for store in snapshot.key_stores:
            if store.state in ends:
                wait, state = ends[store.state]
                self._later(
                    store.key_store_id, snapshot.at + wait, store_in(store.key_store_id, state)
                )
        for hsm in snapshot.cluster.hsms if snapshot.cluster else ():
            if hsm.state is HsmState.DELETE_IN_PROGRESS:
                end = snapshot.at + self.durations.delete_hsm
                self._later(hsm.hsm_id, end, without_hsm(hsm.hsm_id))
            if hsm.state is HsmState.CREATE_IN_PROGRESS:
                end = snapshot.at + self.durations.create_hsm
                self._later(hsm.hsm_id, end, hsm_in(hsm.hsm_id, HsmState.ACTIVE))

    def at(self, now: datetime) -> Snapshot:
        """The world at this time, with all that was due by then done."""
        for what, (when, change) in tuple(self.due.items()):
            if when <= now:
                del self.due[what]
                self.world = change(self.world)
        gone = [
            k.key_id for k in self.world.pending_keys if k.deletion_date and k.deletion_date <= now
        ]
        keys = tuple(k for k in self.world.keys if k.key_id not in gone)
        self.world = replace(self.world, at=now, keys=keys)
        return self.world

    def call(self, step: Call, target: str, now: datetime) -> None:
        """What one call does."""
        match step.operation:
            case Operation.SCHEDULE_KEY_DELETION:
                end = now + timedelta(days=step.window_days)
                self._key(target, state=KeyState.PENDING_DELETION, deletion_date=end)
            case Operation.CANCEL_KEY_DELETION:
                self._key(target, state=KeyState.DISABLED, deletion_date=None)
            case Operation.DISABLE_KEY:
                self._key(target, state=KeyState.DISABLED)
            case Operation.ENABLE_KEY:
                self._key(target, state=KeyState.ENABLED)
            case Operation.DISCONNECT_KEY_STORE:
                self._store(target, StoreState.DISCONNECTING)
                end = now + self.durations.disconnect
                self._later(target, end, store_in(target, StoreState.DISCONNECTED))
            case Operation.CONNECT_KEY_STORE:
                self._store(target, StoreState.CONNECTING)
                end = now + self.durations.connect
                self._later(target, end, connected(target))
            case Operation.UPDATE_KEY_STORE:
                self.world = store_at(target, step.to_cluster)(self.world)
            case Operation.DELETE_KEY_STORE:
                stores = tuple(s for s in self.world.key_stores if s.key_store_id != target)
                self.world = replace(self.world, key_stores=stores)
            case _:
                self._cluster_call(step, target, now)

    def _cluster_call(self, step: Call, target: str, now: datetime) -> None:
        match step.operation:
            case Operation.CREATE_CLUSTER:
                tags = ((CASE_TAG, step.made_for),)
                made = Cluster(
                    MADE, ClusterState.CREATE_IN_PROGRESS, tags=tags, source_backup=target
                )
                self.world = replace(self.world, siblings=(*self.world.siblings, made))
                end = now + self.durations.create_cluster
                self._later(MADE, end, in_cluster(becomes(ClusterState.UNINITIALIZED), MADE))
            case Operation.RESTORE_BACKUP:
                self._backup(target, state=BackupState.READY)
            case Operation.KEEP_BACKUP if target != NEWEST_BACKUP:
                self._backup(target, never_expires=True)
            case Operation.KEEP_BACKUP:
                self.world = in_cluster(keep_newest)(self.world)
            case Operation.DELETE_CLUSTER if step.to_cluster:
                there = (c for c in self.world.siblings if c.cluster_id != target)
                self.world = replace(self.world, siblings=tuple(there))
            case Operation.DELETE_CLUSTER:
                self.world = in_cluster(becomes(ClusterState.DELETE_IN_PROGRESS))(self.world)
                end = now + self.durations.delete_cluster
                self._later(target, end, lambda world: replace(world, cluster=None))
            case Operation.CREATE_HSM | Operation.DELETE_HSM:
                self._hsm_call(step, target, now)

    def _hsm_call(self, step: Call, target: str, now: datetime) -> None:
        where = step.to_cluster
        if step.operation is Operation.CREATE_HSM:
            hsm_id = f"hsm-new-{target}"
            coming = with_hsm(Hsm(hsm_id, HsmState.CREATE_IN_PROGRESS, zone_of(target)), where)
            self.world = coming(self.world)
            end = now + self.durations.create_hsm
            self._later(hsm_id, end, hsm_in(hsm_id, HsmState.ACTIVE, where))
            return
        home = next((c for c in self.world.siblings if c.cluster_id == where), None)
        hsm = hsm_for(target, replace(self.world, cluster=home) if home else self.world)
        assert hsm is not None, "decide only deletes what is there"
        self.world = hsm_in(hsm.hsm_id, HsmState.DELETE_IN_PROGRESS, where)(self.world)
        self.world = with_backup(now)(self.world)
        end = now + self.durations.delete_hsm
        self._later(hsm.hsm_id, end, without_hsm(hsm.hsm_id, where))

    def _backup(self, backup_id: str, **values: object) -> None:
        """Of the cluster, whether it is there or gone."""
        backups = tuple(
            replace(b, **values) if b.backup_id == backup_id else b  # type: ignore[arg-type]  # fields of Backup
            for b in self.world.known_backups
        )
        if self.world.cluster is None:
            self.world = replace(self.world, backups=backups)
        self.world = in_cluster(lambda cluster: replace(cluster, backups=backups))(self.world)

    def _later(self, what: str, when: datetime, change: Change) -> None:
        """A new transition of the same thing takes the place of the one under way."""
        self.due[what] = (when, change)

    def _key(self, key_id: str, **values: object) -> None:
        keys = tuple(
            replace(k, **values) if k.key_id == key_id else k  # type: ignore[arg-type]  # fields of Key
            for k in self.world.keys
        )
        self.world = replace(self.world, keys=keys)

    def _store(self, store_id: str, state: StoreState) -> None:
        self.world = store_in(store_id, state)(self.world)


def store_in(store_id: str, state: StoreState) -> Change:
    def change(world: Snapshot) -> Snapshot:
        stores = tuple(
            replace(s, state=state) if s.key_store_id == store_id else s for s in world.key_stores
        )
        if state is StoreState.DISCONNECTED:
            # KMS's own sessions end; those of others could not be told from them before.
            quiet = replace(world.other_use, hsms=NO_OTHERS.hsms, late=0)
            world = replace(world, other_use=quiet)
        return replace(world, key_stores=stores)

    return change


def connected(store_id: str) -> Change:
    """Connected, or failed if the other cluster is known to have an old password."""

    def change(world: Snapshot) -> Snapshot:
        store = world.key_store(store_id)
        there = {cluster.cluster_id: cluster for cluster in world.siblings}
        other = there.get(store.cluster_id) if store else None
        if other is None or login(other, world) is not Login.TOO_OLD:
            return store_in(store_id, StoreState.CONNECTED)(world)
        world = store_in(store_id, StoreState.FAILED)(world)
        stores = tuple(
            replace(s, error="INVALID_CREDENTIALS") if s.key_store_id == store_id else s
            for s in world.key_stores
        )
        return replace(world, key_stores=stores)

    return change


def store_at(store_id: str, cluster_id: str) -> Change:
    def change(world: Snapshot) -> Snapshot:
        stores = tuple(
            replace(s, cluster_id=cluster_id) if s.key_store_id == store_id else s
            for s in world.key_stores
        )
        return replace(world, key_stores=stores)

    return change


def in_cluster(change: Callable[[Cluster], Cluster], where: str = "") -> Change:
    """A change of the cluster, or of the one that this names; nothing happens if it is gone."""

    def changed(world: Snapshot) -> Snapshot:
        if where not in ("", world.cluster_id):
            others = (change(c) if c.cluster_id == where else c for c in world.siblings)
            return replace(world, siblings=tuple(others))
        return replace(world, cluster=change(world.cluster)) if world.cluster else world

    return changed


def becomes(state: ClusterState) -> Callable[[Cluster], Cluster]:
    return lambda cluster: replace(cluster, state=state)


def hsm_in(hsm_id: str, state: HsmState, where: str = "") -> Change:
    """The first HSM of a cluster that was made from a backup makes it ACTIVE."""

    def change(cluster: Cluster) -> Cluster:
        hsms = tuple(replace(h, state=state) if h.hsm_id == hsm_id else h for h in cluster.hsms)
        is_first = state is HsmState.ACTIVE and cluster.state is ClusterState.UNINITIALIZED
        return replace(cluster, hsms=hsms, state=ClusterState.ACTIVE if is_first else cluster.state)

    return in_cluster(change, where)


def without_hsm(hsm_id: str, where: str = "") -> Change:
    def change(cluster: Cluster) -> Cluster:
        return replace(cluster, hsms=tuple(h for h in cluster.hsms if h.hsm_id != hsm_id))

    return in_cluster(change, where)


def with_hsm(hsm: Hsm, where: str = "") -> Change:
    return in_cluster(lambda cluster: replace(cluster, hsms=(*cluster.hsms, hsm)), where)


def with_backup(now: datetime) -> Change:
    """DeleteHsm makes a backup of the cluster."""

    def change(cluster: Cluster) -> Cluster:
        made = Backup(f"backup-{len(cluster.backups)}", BackupState.READY, now)
        return replace(cluster, backups=(*cluster.backups, made))

    return in_cluster(change)


def keep_newest(cluster: Cluster) -> Cluster:
    newest = cluster.newest_backup
    backups = tuple(replace(b, never_expires=True) if b is newest else b for b in cluster.backups)
    return replace(cluster, backups=backups)

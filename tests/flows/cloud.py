"""A small AWS for the flows: one cluster, its key store and keys; says no to what AWS would refuse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import SimulatedAws
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation
from chalicelib.domain.state.snapshot import Key, KeyState, KeyStore, Snapshot, StoreState
from chalicelib.domain.state.zones import hsm_for
from chalicelib.failures import TemporaryError
from chalicelib.ports import Receipt
from sandbox import sample

NOW, HUB, REGION = sample.NOW, sample.ACCOUNT, sample.REGION
CLUSTER, STORE = sample.CLUSTER, sample.STORE


def key(number: int, state: KeyState = KeyState.ENABLED, **more: object) -> Key:
    return sample.key(number, state, **{"aliases": (f"alias/key-{number}",), **more})


def world(
    *keys: Key,
    store: StoreState | None = StoreState.CONNECTED,
    hsms: int = 2,
    cluster_id: str = CLUSTER,
    store_id: str = STORE,
) -> Snapshot:
    """The sample world, with these keys."""
    zones = [f"{REGION}{letter}" for letter in "abcdef"[:hsms]]
    held = sample.store(
        store or StoreState.DISCONNECTED, key_store_id=store_id, cluster_id=cluster_id
    )
    cluster = sample.cluster(*zones, cluster_id=cluster_id)
    return sample.world(
        *keys, held=held, free=store is None, cluster=cluster, cluster_id=cluster_id
    )


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Aws:
    """Inventory and actions over a model; `trouble` may raise before or after a call lands."""

    model: SimulatedAws
    clock: Clock
    landed: list[tuple[str, str]] = field(default_factory=list)
    illegal: list[str] = field(default_factory=list)
    before: Callable[[Call, str], None] = lambda step, target: None
    after: Callable[[Call, str], None] = lambda step, target: None
    looks: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def seen(self) -> Snapshot:
        """The world now; each request to AWS is whole, whoever else asks at the moment."""
        with self.lock:
            return self.model.at(self.clock.now)

    def snapshot(self, case: Case, *, now: datetime) -> Snapshot:
        self.looks += 1
        return self.seen()

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:
        return self.seen()

    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot:
        seen = self.seen()
        clusters = (seen.cluster,) if seen.cluster else ()
        return replace(seen, cluster=None, siblings=clusters, keys=())

    def reread(self, case: Case, key_id: str) -> Key:
        keys = self.seen().keys
        gone = Key(key_id, KeyState.UNKNOWN, None)
        return next((k for k in keys if k.key_id == key_id), gone)

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        self.before(step, target)
        with self.lock:
            if wrong := refusal(step, target, self.seen()):
                self.illegal.append(f"{step.operation} {target}: {wrong}")
                raise TemporaryError(f"AWS says {wrong} to {step.operation}")
            self.model.call(step, target, self.clock.now)
            self.landed.append((str(step.operation).split(":")[1], target))
        self.after(step, target)
        return Receipt(f"request-{len(self.landed)}")

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.landed]


def refusal(step: Call, target: str, world: Snapshot) -> str:
    """What KMS or CloudHSM would say to a call that is not legal in this world; "" if it is."""
    store = world.key_store(target)
    states = {item.key_id: item.state for item in world.keys}
    connected = {s.state for s in world.key_stores} <= {StoreState.CONNECTED}
    cluster = world.cluster
    ready = {backup.backup_id for backup in world.known_backups if backup.is_ready}
    legal = {
        Operation.DISCONNECT_KEY_STORE: store and store.state in ("CONNECTED", "FAILED"),
        Operation.CONNECT_KEY_STORE: store
        and store.state == "DISCONNECTED"
        and _has_hsms(store, world),
        Operation.UPDATE_KEY_STORE: store and store.state == "DISCONNECTED",
        Operation.DELETE_KEY_STORE: store and store.state == "DISCONNECTED" and not world.keys,
        Operation.SCHEDULE_KEY_DELETION: states.get(target) in ("Enabled", "Disabled"),
        Operation.CANCEL_KEY_DELETION: states.get(target) == "PendingDeletion",
        Operation.ENABLE_KEY: states.get(target) in ("Enabled", "Disabled"),
        Operation.DISABLE_KEY: states.get(target) in ("Enabled", "Disabled"),
        Operation.PROVE_KEY: states.get(target) == "Enabled" and connected,
        Operation.DELETE_HSM: cluster and hsm_for(target, world),
        Operation.CREATE_HSM: step.to_cluster or (cluster and cluster.state == "ACTIVE"),
        Operation.CREATE_CLUSTER: target in ready,
        Operation.RESTORE_BACKUP: target in {backup.backup_id for backup in world.known_backups},
        Operation.KEEP_BACKUP: ready if target == NEWEST_BACKUP else target in ready,
        Operation.DELETE_CLUSTER: cluster and not cluster.hsms and not world.holder,
    }
    return "" if legal[step.operation] else "InvalidStateException"


def _has_hsms(store: KeyStore, world: Snapshot) -> bool:
    """Its own cluster's, which may be another than the case's."""
    clusters = (world.cluster, *world.siblings)
    return any(c.live_hsms for c in clusters if c and c.cluster_id == store.cluster_id)

"""AWS as it is at this instant, read in the sandbox itself: no call is made, nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.kms.models import Key

from sandbox.aws.cloud import Cloud
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.kms_keys import state_of
from sandbox.aws.regions import Cluster, KeyFacts, KeyStore, Region
from sandbox.scenario.model import Scenario

GONE = "DELETED"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What stands in the picture; what the story began with stays there when it is gone."""

    state: str

    @property
    def is_gone(self) -> bool:
        return self.state == GONE


@dataclass(frozen=True, kw_only=True)
class KeyNow(Thing):
    """`used` is None if the key was never used, or if KMS can't tell (`is_known`)."""

    key_id: str
    name: str
    used: datetime | None = None
    is_known: bool = True
    deleted_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StoreNow(Thing):
    store_id: str
    name: str
    keys: tuple[KeyNow, ...]


@dataclass(frozen=True, kw_only=True)
class ClusterNow(Thing):
    cluster_id: str
    hsms: int
    stores: tuple[StoreNow, ...]

    @property
    def has_stores(self) -> bool:
        return not all(store.is_gone for store in self.stores)


@dataclass(frozen=True, kw_only=True)
class World:
    clusters: tuple[ClusterNow, ...]
    elsewhere: int
    """Keys in no custom key store."""

    @property
    def stores(self) -> list[StoreNow]:
        return [store for cluster in self.clusters for store in cluster.stores]

    @property
    def living_stores(self) -> int:
        return sum(not store.is_gone for store in self.stores)

    @property
    def is_moving(self) -> bool:
        """Whether something turns into something else by itself."""
        stores = self.stores
        states = [*(c.state for c in self.clusters), *(s.state for s in stores)]
        keys = [key.state for store in stores for key in store.keys]
        slow = any(s.endswith(("ING", "IN_PROGRESS")) for s in states)
        return slow or "PendingDeletion" in keys


def read_world(server: Cloud, scenario: Scenario) -> World:
    """All clusters; what the scenario began with and is gone now is shown as deleted."""
    now = server.clock.now()
    with server.regions.lock:
        clusters = [
            _cluster(server, r, c, now) for r in server.regions for c in r.clusters.values()
        ]
        clusters += _gone_clusters(server, scenario, {c.cluster_id for c in clusters})
        gone = list(_gone_stores(server, scenario))
    seeded = server.seeded
    return World(
        clusters=tuple(_with_gone(cluster, gone) for cluster in clusters),
        elsewhere=len(seeded.others) if seeded else 0,
    )


def _cluster(server: Cloud, region: Region, cluster: Cluster, now: datetime) -> ClusterNow:
    return ClusterNow(
        cluster_id=cluster.id,
        state=cluster.state(now),
        hsms=len(cluster.live_hsms(now)),
        stores=_stores(server, region, cluster.id, now),
    )


def _stores(server: Cloud, region: Region, cluster_id: str, now: datetime) -> tuple[StoreNow, ...]:
    stores = (store for store in region.stores.values() if store.cluster_id == cluster_id)
    return tuple(_store(server, region, store, now) for store in stores)


def _store(server: Cloud, region: Region, store: KeyStore, now: datetime) -> StoreNow:
    keys = {
        key.id: _key(region, key, region.keys[key.id])
        for key in backend_of(region).keys.values()
        if key.id in region.keys and region.keys[key.id].store_id == store.id
    }
    # those that the story began with keep their places, also when they are gone
    first = [key.key_id for key in server.seeded.keys] if server.seeded else []
    order = [*(i for i in first if i in keys), *(i for i in keys if i not in first)]
    return StoreNow(
        store_id=store.id,
        name=store.name,
        state=store.phase.at(now),
        keys=tuple(keys[key_id] for key_id in order),
    )


def _key(region: Region, key: Key, facts: KeyFacts) -> KeyNow:
    alias = min(key.aliases, default="")
    return KeyNow(
        key_id=key.id,
        name=alias or f"{key.id[:8]}…, no alias",
        state=state_of(region, key),
        used=facts.last_use.get("Timestamp"),
        is_known=bool(facts.last_use) or facts.tracked_from <= facts.created,
        deleted_at=region.doomed.get(key.id),
    )


def _gone_clusters(server: Cloud, scenario: Scenario, there: set[str]) -> Iterable[ClusterNow]:
    """A store may still need a cluster that somebody deleted under it."""
    for cluster in scenario.world["clusters"]:
        if (name := cluster["id"]) not in there:
            region = server.regions.at(cluster["account"], cluster["region"])
            stores = _stores(server, region, name, server.clock.now())
            yield ClusterNow(cluster_id=name, state=GONE, hsms=0, stores=stores)


def _gone_stores(server: Cloud, scenario: Scenario) -> Iterable[tuple[str, StoreNow]]:
    """Each store with what is gone of it, by the id of its first cluster."""
    there = {store_id for region in server.regions for store_id in region.stores}
    for store in scenario.world["key_stores"]:
        keys = tuple(_gone_keys(server, scenario.world["keys"], store["id"]))
        state = "" if store["id"] in there else GONE
        yield (
            store["cluster"],
            StoreNow(store_id=store["id"], name=store["name"], state=state, keys=keys),
        )


def _gone_keys(
    server: Cloud, entries: Iterable[Mapping[str, Any]], store_id: str
) -> Iterable[KeyNow]:
    seeded = server.seeded.keys if server.seeded else ()
    for entry, key in zip(entries, seeded, strict=True):
        region = server.regions.at(key.place.account, key.place.region)
        if entry["store"] == store_id and key.key_id not in backend_of(region).keys:
            name = min(entry["aliases"], default=f"{key.key_id[:8]}…, no alias")
            yield KeyNow(key_id=key.key_id, name=name, state=GONE)


def _with_gone(cluster: ClusterNow, gone: Iterable[tuple[str, StoreNow]]) -> ClusterNow:
    stores = {store.store_id: store for store in cluster.stores}
    for first_cluster, lost in gone:
        here = stores.get(lost.store_id)
        if here is not None:
            keys = (*lost.keys, *here.keys)
            stores[lost.store_id] = StoreNow(
                store_id=here.store_id, name=here.name, state=here.state, keys=keys
            )
        elif first_cluster == cluster.cluster_id and lost.state == GONE:
            stores[lost.store_id] = lost
    return ClusterNow(
        cluster_id=cluster.cluster_id,
        state=cluster.state,
        hsms=cluster.hsms,
        stores=tuple(stores.values()),
    )

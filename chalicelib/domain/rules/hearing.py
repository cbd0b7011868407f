"""Which cluster a heard call is about, and whether it opens a case: told from all stores and clusters of its place.

Records name a key store, or the cluster that somebody asked for; the case is that of the cluster which
the key store holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.rules.outage import Outage, cluster_in, outage_of
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.snapshot import Cluster, KeyStore
from chalicelib.domain.state.trigger import Trigger


@dataclass(frozen=True)
class Heard:
    """A call as CloudTrail told it. `cluster_id` or, in the attempt, `key_store_id` is what it named."""

    account: str
    region: str
    attempt: Attempt
    cluster_id: str = ""


@dataclass(frozen=True)
class Placed:
    """The cluster whose case it is, and the call with what the look told; or `why` it opens none."""

    cluster_id: str = ""
    attempt: Attempt | None = None
    why: str = ""


@dataclass(frozen=True)
class KnownOutage:
    """Of one key store: since when it is known to be down, why, and the case that tells people of it."""

    since: datetime
    why: Outage | None = None
    case_id: str = ""

    def goes_on(self, why: Outage) -> bool:
        """For the same reason. None is of a version that did not note it."""
        return self.why in (why, None)


def placed(heard: Heard, *, stores: Sequence[KeyStore], clusters: Sequence[Cluster]) -> Placed:
    """Pure: what is not in the lists is not there."""
    match heard.attempt.trigger:
        case Trigger.CLUSTER_TAKEN:
            return _taken(heard, stores, clusters)
        case Trigger.CLUSTER_LOST:
            return _lost(heard, stores, clusters)
        case Trigger.STORE_DOWN:
            return _down(heard, stores, clusters)
    store = _named(heard, stores)
    return _about(heard, store) if store else NO_STORE


NO_STORE = Placed(
    why="the key store is gone, or is an external one (XKS), which Unlatch leaves alone"
)


def _named(heard: Heard, stores: Sequence[KeyStore]) -> KeyStore | None:
    return next((s for s in stores if s.key_store_id == heard.attempt.key_store_id), None)


def _about(heard: Heard, store: KeyStore) -> Placed:
    return Placed(store.cluster_id, replace(heard.attempt, key_store_id=store.key_store_id))


def _taken(heard: Heard, stores: Sequence[KeyStore], clusters: Sequence[Cluster]) -> Placed:
    """The holder is the store on this cluster, or on one with the same certificate."""
    asked = cluster_in(clusters, heard.cluster_id)
    same = {heard.cluster_id}
    if asked and asked.certificate:
        same |= {c.cluster_id for c in clusters if c.certificate == asked.certificate}
    holders = [store for store in stores if store.cluster_id in same]
    holders.sort(key=lambda store: (store.cluster_id != heard.cluster_id, store.key_store_id))
    if not holders:
        return Placed(why="no key store holds the cluster or a copy of it any more")
    found = _about(heard, holders[0])
    assert found.attempt is not None, "made from one"
    return replace(found, attempt=replace(found.attempt, asked=heard.cluster_id))


def _lost(heard: Heard, stores: Sequence[KeyStore], clusters: Sequence[Cluster]) -> Placed:
    """Only while a key store needs it. HSMs that are left, and a store that is off, are no loss."""
    store = next((s for s in stores if s.cluster_id == heard.cluster_id), None)
    if store is None:
        return Placed(why="no key store needs the cluster")
    found = outage_of(store, cluster_in(clusters, heard.cluster_id))
    if found not in (Outage.CLUSTER_GONE, Outage.NO_HSM):
        return Placed(why="an HSM is left, or the key store is off")
    return _about(heard, store)


def _down(heard: Heard, stores: Sequence[KeyStore], clusters: Sequence[Cluster]) -> Placed:
    store = _named(heard, stores)
    if store is None:
        return NO_STORE
    cluster = cluster_in(clusters, store.cluster_id)
    if outage_of(store, cluster) is None:
        state = store.state.value.lower()
        return Placed(why=f"the key store is {state}, so it is not down")
    return _about(heard, store)


def broken(
    stores: Sequence[KeyStore], clusters: Sequence[Cluster]
) -> tuple[tuple[KeyStore, Outage], ...]:
    """Stores that nobody means to be as they are: failed, or without a cluster or an HSM."""
    found = ((s, outage_of(s, cluster_in(clusters, s.cluster_id))) for s in stores)
    return tuple((s, why) for s, why in found if why and why.is_silent)


def trigger_of(outage: Outage) -> Trigger:
    lost = outage in (Outage.CLUSTER_GONE, Outage.NO_HSM)
    return Trigger.CLUSTER_LOST if lost else Trigger.STORE_DOWN

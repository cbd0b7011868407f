"""Whether a key store serves its keys now, and if not, why. One rule for events, the sweep and decisions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from chalicelib.domain.state.hsm_states import GOING
from chalicelib.domain.state.snapshot import Cluster, KeyStore, StoreState


class Outage(StrEnum):
    """Why the keys of a store fail; the value is a sentence's end, after “Its keys fail:”"""

    CLUSTER_GONE = "its cluster is deleted"
    NO_HSM = "its cluster has no HSM left"
    FAILED = "its connection failed"
    OFF = "it is disconnected"

    @property
    def is_silent(self) -> bool:
        """Nobody means a store to be so: it counts although nobody complains."""
        return self is not Outage.OFF


def outage_of(store: KeyStore, cluster: Cluster | None) -> Outage | None:
    """None while the store serves its keys, or is on its way from or to that.

    `cluster` is the store's own, None if AWS does not show it. AWS goes on showing CONNECTED when
    the HSMs are gone.
    """
    if cluster is None or cluster.state in GOING:
        return Outage.CLUSTER_GONE
    if store.state is StoreState.DISCONNECTED:
        return Outage.OFF
    if not cluster.live_hsms and store.state is not StoreState.DISCONNECTING:
        return Outage.NO_HSM
    return Outage.FAILED if store.state is StoreState.FAILED else None


def cluster_in(clusters: Iterable[Cluster], cluster_id: str) -> Cluster | None:
    return next((cluster for cluster in clusters if cluster.cluster_id == cluster_id), None)

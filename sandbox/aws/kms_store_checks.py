"""What KMS looks at before it does something with a custom key store or its cluster. Changes nothing."""

from __future__ import annotations

from datetime import datetime

from sandbox.aws.calls import AwsError
from sandbox.aws.regions import Cluster, KeyStore, Region


def no_keys(region: Region, store: KeyStore) -> None:
    if any(facts.store_id == store.id for facts in region.keys.values()):
        text = f"Custom key store {store.id} contains KMS keys."
        raise AwsError("CustomKeyStoreHasCMKsException", text)


def is_off(store: KeyStore) -> None:
    if store.phase.state != "DISCONNECTED":
        raise wrong_state(store)


def get_store(region: Region, store_id: str) -> KeyStore:
    if store_id not in region.stores:
        raise not_found(store_id)
    return region.stores[store_id]


def get_cluster(region: Region, cluster_id: str) -> Cluster:
    """A cluster as KMS sees it."""
    if cluster_id not in region.clusters:
        raise AwsError("CloudHsmClusterNotFoundException", f"There is no cluster {cluster_id}.")
    return region.clusters[cluster_id]


def check_cluster(cluster: Cluster, now: datetime, *, zones: int) -> None:
    """KMS takes an ACTIVE cluster with active HSMs in enough Availability Zones."""
    state = cluster.state(now)
    if state != "ACTIVE":
        raise AwsError("CloudHsmClusterNotActiveException", f"Cluster {cluster.id} is {state}.")
    if len(cluster.zones) < 2 or len(cluster.active_zones(now)) < zones:
        raise AwsError(
            "CloudHsmClusterInvalidConfigurationException",
            f"Cluster {cluster.id} needs private subnets in two Availability Zones, "
            f"and active HSMs in {zones}.",
        )


def wrong_state(store: KeyStore) -> AwsError:
    text = f"Custom key store {store.id} is {store.phase.state}."
    return AwsError("CustomKeyStoreInvalidStateException", text)


def not_found(store: str) -> AwsError:
    return AwsError("CustomKeyStoreNotFoundException", f"There is no custom key store {store}.")

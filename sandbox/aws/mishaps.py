"""What happens to key stores and their networks without a call that any trail of the sandbox has."""

from __future__ import annotations

from sandbox.aws.cloud import Cloud
from sandbox.aws.kms_stores import LASTING_ERRORS, log_out
from sandbox.aws.regions import Cluster, KeyStore, Phase, Region


def break_store(server: Cloud, store_id: str, *, error: str) -> None:
    """Its connection fails with this error. A later Connect fixes what no person has to fix."""
    server.catch_up()
    with server.regions.lock:
        region, store = _find(server, store_id)
        log_out(region, store, at=server.clock.now())
        store.phase, store.error = Phase("FAILED"), error
        store.flaw = error if error in LASTING_ERRORS else None


def set_password(server: Cloud, store_id: str) -> None:
    """A crypto officer gives kmsuser a new password on the HSMs; the store is disconnected for it.

    KMS doesn't know it until somebody tells it by UpdateCustomKeyStore.
    """
    server.catch_up()
    with server.regions.lock:
        region, store = _find(server, store_id)
        now = server.clock.now()
        log_out(region, store, at=now)
        store.phase, store.error = Phase("DISCONNECTED"), None
        cluster = region.clusters.get(store.cluster_id)
        if cluster is not None:
            cluster.contents.passwords.append(now)


def delete_subnet(server: Cloud, cluster_id: str, *, zone: str) -> str:
    """Its id. EC2 deletes no subnet that something is in."""
    region, cluster = _cluster(server, cluster_id)
    name = cluster.zones[zone]
    if any(hsm.zone == zone for hsm in cluster.live_hsms(server.clock.now())):
        raise LookupError(f"an HSM is in {name}")
    region.gone_subnets.add(name)
    return name


def fill_subnet(server: Cloud, cluster_id: str, *, zone: str, free: int) -> str:
    """Its id. Other things take its addresses, up to so many."""
    region, cluster = _cluster(server, cluster_id)
    name = cluster.zones[zone]
    region.free_addresses[name] = free
    return name


def _cluster(server: Cloud, cluster_id: str) -> tuple[Region, Cluster]:
    """Also one that has been deleted: its subnets stay."""
    server.catch_up()
    for region in server.regions:
        if cluster := {**region.deleted, **region.clusters}.get(cluster_id):
            return region, cluster
    raise LookupError(f"there never was a cluster {cluster_id}")


def _find(server: Cloud, store_id: str) -> tuple[Region, KeyStore]:
    """Raises LookupError if it has been deleted."""
    for region in server.regions:
        if store_id in region.stores:
            return region, region.stores[store_id]
    raise LookupError(f"there is no custom key store {store_id}")

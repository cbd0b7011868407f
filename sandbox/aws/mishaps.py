"""What happens to key stores without a call of AWS's API, and so without an event."""

from __future__ import annotations

from sandbox.aws.cloud import Cloud
from sandbox.aws.kms_stores import LASTING_ERRORS, log_out
from sandbox.aws.regions import KeyStore, Phase, Region


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


def _find(server: Cloud, store_id: str) -> tuple[Region, KeyStore]:
    """Raises LookupError if it has been deleted."""
    for region in server.regions:
        if store_id in region.stores:
            return region, region.stores[store_id]
    raise LookupError(f"there is no custom key store {store_id}")

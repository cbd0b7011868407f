"""Clusters and key stores out of AWS's replies. Asks AWS nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.snapshot import Cluster, Hsm, KeyStore, StoreState


def is_on_a_cluster(item: Mapping[str, Any]) -> bool:
    """Not an external key store, which has no cluster."""
    return bool(item.get("CustomKeyStoreType", "AWS_CLOUDHSM") == "AWS_CLOUDHSM")


def clusters_from(items: Iterable[Mapping[str, Any]]) -> tuple[Cluster, ...]:
    """All but deleted ones."""
    return tuple(cluster_from(item) for item in items if item["State"] != ClusterState.DELETED)


def cluster_from(item: Mapping[str, Any]) -> Cluster:
    certificates = item.get("Certificates", {})
    return Cluster(
        cluster_id=item["ClusterId"],
        state=ClusterState(item["State"]),
        hsms=tuple(
            Hsm(hsm["HsmId"], HsmState(hsm.get("State")), hsm.get("AvailabilityZone", "?"))
            for hsm in item.get("Hsms", ())
            if hsm.get("State") != HsmState.DELETED
        ),
        certificate=certificates.get("ClusterCertificate", ""),
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in item.get("TagList", ()))),
        hsm_type=item.get("HsmType", ""),
        mode=item.get("Mode", ""),
        subnets=tuple(sorted(item.get("SubnetMapping", {}).items())),
        security_group=item.get("SecurityGroup", ""),
        source_backup=item.get("SourceBackupId", ""),
        interfaces=tuple(sorted(h["EniId"] for h in item.get("Hsms", ()) if h.get("EniId"))),
    )


def store_from(item: Mapping[str, Any]) -> KeyStore:
    return KeyStore(
        key_store_id=item["CustomKeyStoreId"],
        name=item.get("CustomKeyStoreName", ""),
        cluster_id=item["CloudHsmClusterId"],
        state=StoreState(item["ConnectionState"]),
        error=item.get("ConnectionErrorCode", ""),
    )

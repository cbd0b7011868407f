"""A cluster and a key store as AWS describes them, as values. Calls nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain.state.snapshot import Cluster, Hsm, KeyStore, StoreState

if TYPE_CHECKING:
    pass


def cluster_from(item: Mapping[str, Any]) -> Cluster:
    certificates = item.get("Certificates", {})
    return Cluster(
        cluster_id=item["ClusterId"],
        state=item["State"],
        hsms=tuple(
            Hsm(hsm["HsmId"], hsm.get("State", "UNKNOWN"), hsm.get("AvailabilityZone", "?"))
            for hsm in item.get("Hsms", ())
            if hsm.get("State") != "DELETED"
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

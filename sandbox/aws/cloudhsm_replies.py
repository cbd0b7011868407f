"""Clusters and HSMs as CloudHSM describes them, and its two usual errors. Changes nothing."""

from __future__ import annotations

from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.cloudhsm_backups import tag_list
from sandbox.aws.regions import Cluster, Hsm

CERTIFICATES = (
    "ClusterCsr", "HsmCertificate", "AwsHardwareCertificate", "ManufacturerHardwareCertificate",
)  # fmt: skip


def invalid(text: str) -> AwsError:
    return AwsError("CloudHsmInvalidRequestException", text)


def missing(text: str) -> AwsError:
    return AwsError("CloudHsmResourceNotFoundException", text)


def described(cluster: Cluster, visit: RequestContext) -> dict[str, Any]:
    live = cluster.live_hsms(visit.now)
    told = {
        "BackupPolicy": "DEFAULT",
        "BackupRetentionPolicy": {"Type": "DAYS", "Value": str(cluster.retention_days)},
        "ClusterId": cluster.id,
        "CreateTimestamp": cluster.created,
        "Hsms": [described_hsm(cluster, hsm, visit=visit) for hsm in live],
        "HsmType": cluster.hsm_type,
        "SecurityGroup": cluster.security_group,
        "State": cluster.state(visit.now),
        "SubnetMapping": dict(cluster.zones),
        "VpcId": cluster.vpc,
        "NetworkType": "IPV4",
        "Certificates": _certificates(cluster, visit),
        "TagList": tag_list(cluster.tags),
        "Mode": cluster.mode,
    }
    if cluster.source is not None:
        told["SourceBackupId"] = cluster.source
    if cluster.rollback_until is not None and visit.now < cluster.rollback_until:
        told["HsmTypeRollbackExpiration"] = cluster.rollback_until
    return told


def _certificates(cluster: Cluster, visit: RequestContext) -> dict[str, str]:
    """There is a request to sign until a cluster is initialized, and its own certificate after."""
    made = {name: _pem(f"{name} of {cluster.id}") for name in CERTIFICATES}
    if cluster.state(visit.now) in ("CREATE_IN_PROGRESS", "UNINITIALIZED") and not cluster.source:
        return made
    return {**made, "ClusterCertificate": _pem(cluster.certificate)}


def described_hsm(cluster: Cluster, hsm: Hsm, *, visit: RequestContext) -> dict[str, Any]:
    return {
        "AvailabilityZone": hsm.zone,
        "ClusterId": cluster.id,
        "SubnetId": cluster.zones[hsm.zone],
        "EniId": hsm.eni,
        "EniIp": hsm.ip,
        "HsmId": hsm.id,
        "HsmType": cluster.hsm_type,
        "State": hsm.state(visit.now),
    }


def _pem(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"

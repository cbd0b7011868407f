"""Clusters and key stores out of AWS's replies: the whole of one, and the least that AWS may send."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.inventory import _siblings
from chalicelib.aws.shapes import cluster_from, clusters_from, is_on_a_cluster, store_from
from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.plan import CASE_TAG
from chalicelib.domain.state.snapshot import Backup, Cluster, Hsm, KeyStore, StoreState
from tests.domain.worlds import CLUSTER, NOW, case, cluster

HSMS = [
    {"HsmId": "hsm-b", "State": "ACTIVE", "AvailabilityZone": "us-east-1b", "EniId": "eni-2"},
    {"HsmId": "hsm-a", "State": "DEGRADED", "AvailabilityZone": "us-east-1a", "EniId": "eni-1"},
    {"HsmId": "hsm-c", "State": "DELETED", "AvailabilityZone": "us-east-1c", "EniId": ""},
    {"HsmId": "hsm-d"},
]
WHOLE = {
    "ClusterId": "cluster-1",
    "State": "ACTIVE",
    "Hsms": HSMS,
    "Certificates": {"ClusterCertificate": "PEM", "HsmCertificate": "other"},
    "TagList": [{"Key": "team", "Value": "b"}, {"Key": "owner", "Value": "a"}],
    "HsmType": "hsm2m.medium",
    "Mode": "FIPS",
    "SubnetMapping": {"us-east-1b": "subnet-2", "us-east-1a": "subnet-1"},
    "SecurityGroup": "sg-1",
    "SourceBackupId": "backup-1",
}


def test_a_whole_cluster() -> None:
    assert cluster_from(WHOLE) == Cluster(
        "cluster-1",
        ClusterState.ACTIVE,
        (
            Hsm("hsm-b", HsmState.ACTIVE, "us-east-1b"),
            Hsm("hsm-a", HsmState.DEGRADED, "us-east-1a"),
            Hsm("hsm-d", HsmState.UNKNOWN, "?"),
        ),
        certificate="PEM",
        tags=(("owner", "a"), ("team", "b")),
        hsm_type="hsm2m.medium",
        mode="FIPS",
        subnets=(("us-east-1a", "subnet-1"), ("us-east-1b", "subnet-2")),
        security_group="sg-1",
        source_backup="backup-1",
        interfaces=("eni-1", "eni-2"),
    )


def test_the_least_of_a_cluster() -> None:
    """AWS leaves out what is empty."""
    found = cluster_from({"ClusterId": "cluster-1", "State": "UNINITIALIZED"})
    assert found == Cluster("cluster-1", ClusterState.UNINITIALIZED)


def test_deleted_clusters_are_left_out() -> None:
    gone = {**WHOLE, "ClusterId": "cluster-2", "State": "DELETED"}
    going = {**WHOLE, "ClusterId": "cluster-3", "State": "DELETE_IN_PROGRESS"}
    assert [c.cluster_id for c in clusters_from([gone, WHOLE, going])] == ["cluster-1", "cluster-3"]


def test_a_store_with_an_error_and_one_without() -> None:
    least = {"CustomKeyStoreId": "cks-1", "CloudHsmClusterId": "cluster-1"}
    assert store_from({**least, "ConnectionState": "CONNECTED"}) == KeyStore(
        "cks-1", "", "cluster-1", StoreState.CONNECTED
    )
    failed = {"ConnectionState": "FAILED", "ConnectionErrorCode": "INVALID_CREDENTIALS"}
    assert store_from({**least, **failed, "CustomKeyStoreName": "payments"}) == KeyStore(
        "cks-1", "payments", "cluster-1", StoreState.FAILED, "INVALID_CREDENTIALS"
    )


@pytest.mark.parametrize(
    ("item", "is_one"),
    [
        ({}, True),
        ({"CustomKeyStoreType": "AWS_CLOUDHSM"}, True),
        ({"CustomKeyStoreType": "EXTERNAL_KEY_STORE"}, False),
    ],
)
def test_external_key_stores_have_no_cluster(item: dict[str, Any], *, is_one: bool) -> None:
    assert is_on_a_cluster(item) is is_one


def test_siblings_share_the_backup_history_and_others_do_not() -> None:
    backup = Backup("backup-1", BackupState.READY, NOW)
    own = cluster("1a", certificate="PEM", backups=(backup,))
    others = {
        "the cluster itself": own,
        "nothing in common": Cluster("cluster-b", ClusterState.ACTIVE, certificate="another"),
        "no certificate yet": Cluster("cluster-c", ClusterState.UNINITIALIZED),
        "same certificate": Cluster("cluster-d", ClusterState.ACTIVE, certificate="PEM"),
        "from its backup": Cluster("cluster-e", ClusterState.ACTIVE, source_backup="backup-1"),
        "from a foreign one": Cluster("cluster-f", ClusterState.ACTIVE, source_backup="backup-9"),
        "made by this case": Cluster(
            "cluster-g", ClusterState.ACTIVE, tags=((CASE_TAG, case().case_id),)
        ),
        "made by another": Cluster("cluster-h", ClusterState.ACTIVE, tags=((CASE_TAG, "case-9"),)),
    }

    def found(of: Cluster | None, *backups: Backup) -> list[str]:
        siblings = _siblings(of, others.values(), case=case(), backups=backups)
        return [name for name, one in others.items() if one in siblings]

    assert own.cluster_id == CLUSTER
    assert found(own) == ["same certificate", "from its backup", "made by this case"]
    assert found(None) == ["made by this case"], "nothing is known of a cluster that is gone"
    assert found(None, backup) == ["from its backup", "made by this case"]

"""Clusters that are made, copied from backups and modified."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.aws.aws_stand import CLUSTER, NOW, STORE, WORLD, Stand, refused

INVALID, MISSING = "CloudHsmInvalidRequestException", "CloudHsmResourceNotFoundException"


@pytest.fixture
def hsm(stand: Stand) -> Any:
    stand.seed(other_keys=0)
    return stand.client("cloudhsmv2")


def cluster(hsm: Any, name: str = CLUSTER) -> Any:
    (found,) = hsm.describe_clusters(Filters={"clusterIds": [name]})["Clusters"]
    return found


def backup_of(hsm: Any) -> Any:
    return hsm.describe_backups(Filters={"clusterIds": [CLUSTER]})["Backups"][0]


def wanted(hsm: Any, **more: Any) -> dict[str, Any]:
    """Two subnets of the cluster that is there, and its newest backup."""
    subnets = list(cluster(hsm)["SubnetMapping"].values())[:2]
    asked = {
        "HsmType": "hsm2m.medium",
        "Mode": "FIPS",
        "SubnetIds": subnets,
        "SourceBackupId": backup_of(hsm)["BackupId"],
        **more,
    }
    return {name: value for name, value in asked.items() if value is not None}


def test_a_copy_is_what_the_lost_cluster_was_and_its_keys_work_again(
    stand_blocked_by_hsms: Stand,
) -> None:
    stand = stand_blocked_by_hsms
    stand.seed({**WORLD, "clusters": [WORLD["clusters"][0]]}, other_keys=0)
    hsm, kms = stand.client("cloudhsmv2"), stand.client("kms")
    lost = cluster(hsm)
    for one in lost["Hsms"]:
        hsm.delete_hsm(ClusterId=CLUSTER, HsmId=one["HsmId"])
    stand.advance(minutes=6)
    asked = wanted(hsm, TagList=[{"Key": "case", "Value": "c1"}])
    hsm.delete_cluster(ClusterId=CLUSTER)
    stand.advance(minutes=3)
    assert hsm.describe_clusters()["Clusters"] == []
    made = hsm.create_cluster(**asked)["Cluster"]
    assert (made["State"], made["SourceBackupId"]) == (
        "CREATE_IN_PROGRESS",
        asked["SourceBackupId"],
    )
    assert made["TagList"] == [{"Key": "case", "Value": "c1"}]
    assert made["Certificates"]["ClusterCertificate"] == lost["Certificates"]["ClusterCertificate"]
    zones, new = list(made["SubnetMapping"]), made["ClusterId"]
    assert refused(hsm.create_hsm, ClusterId=new, AvailabilityZone=zones[0]) == INVALID
    stand.advance(minutes=5)
    assert cluster(hsm, new)["State"] == "UNINITIALIZED"
    hsm.create_hsm(ClusterId=new, AvailabilityZone=zones[0])
    code = refused(hsm.create_hsm, ClusterId=new, AvailabilityZone=zones[1])
    assert code == INVALID, "one at a time, until the first is active"
    stand.advance(minutes=10)
    assert cluster(hsm, new)["State"] == "ACTIVE"
    hsm.create_hsm(ClusterId=new, AvailabilityZone=zones[1])
    stand.advance(minutes=10)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=new)
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    assert kms.encrypt(KeyId=stand.key(0), Plaintext=b"x")["CiphertextBlob"]


def test_a_copy_is_of_its_backups_mode(stand: Stand) -> None:
    stand.seed({"clusters": [{"id": CLUSTER, "mode": "NON_FIPS", "backups": [{"age": "2h"}]}]})
    hsm = stand.client("cloudhsmv2")
    assert hsm.create_cluster(**wanted(hsm, Mode=None))["Cluster"]["Mode"] == "NON_FIPS"
    assert refused(hsm.create_cluster, **wanted(hsm)) == INVALID


def test_a_cluster_of_its_own_stays_uninitialized(stand: Stand, hsm: Any) -> None:
    made = hsm.create_cluster(**wanted(hsm, SourceBackupId=None, Mode="NON_FIPS"))["Cluster"]
    stand.advance(minutes=5)
    hsm.create_hsm(ClusterId=made["ClusterId"], AvailabilityZone="us-east-1a")
    stand.advance(days=2)
    found = cluster(hsm, made["ClusterId"])
    assert (found["State"], found["Mode"]) == ("UNINITIALIZED", "NON_FIPS")
    assert "ClusterCertificate" not in found["Certificates"]
    mine = {"clusterIds": [made["ClusterId"]]}
    assert hsm.describe_backups(Filters=mine)["Backups"] == [], "there is nothing to back up"
    kms = stand.client("kms")
    anchor = kms.describe_custom_key_stores()["CustomKeyStores"][0]["TrustAnchorCertificate"]
    code = refused(
        kms.create_custom_key_store,
        CustomKeyStoreName="new",
        CloudHsmClusterId=made["ClusterId"],
        KeyStorePassword="kmsPswd1",
        TrustAnchorCertificate=anchor,
    )
    assert code == "CloudHsmClusterNotActiveException"


def test_a_cluster_can_be_made_in_subnets_that_ec2_shows(stand: Stand, hsm: Any) -> None:
    subnets = stand.client("ec2").describe_subnets()["Subnets"]
    two = [
        one["SubnetId"]
        for one in subnets
        if one["AvailabilityZone"] in ("us-east-1a", "us-east-1b")
        and one["VpcId"] == subnets[0]["VpcId"]
    ]
    made = hsm.create_cluster(**wanted(hsm, SubnetIds=two))["Cluster"]
    assert made["VpcId"] == subnets[0]["VpcId"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"HsmType": "hsm1.medium"}, INVALID),
        ({"Mode": "NON_FIPS"}, INVALID),
        ({"NetworkType": "DUALSTACK"}, INVALID),
        ({"SubnetIds": ["subnet-0123456789abcdef0"]}, INVALID),
        ({"SourceBackupId": "backup-aaaaaaaaaaa"}, MISSING),
        ({"BackupRetentionPolicy": {"Type": "DAYS", "Value": "6"}}, INVALID),
        ({"BackupRetentionPolicy": {"Value": "90"}}, INVALID),
    ],
)
def test_clusters_that_are_not_made(hsm: Any, more: dict[str, Any], code: Any) -> None:
    assert refused(hsm.create_cluster, **wanted(hsm, **more)) == code


def test_subnets_are_one_a_zone_and_of_one_vpc(stand: Stand, hsm: Any) -> None:
    ours = list(cluster(hsm)["SubnetMapping"].values())
    twice = wanted(hsm, SubnetIds=[ours[0], ours[0]])
    assert refused(hsm.create_cluster, **twice) == INVALID
    theirs = stand.client("ec2").describe_subnets()["Subnets"]
    other = next(one["SubnetId"] for one in theirs if one["AvailabilityZone"] == "us-east-1b")
    assert refused(hsm.create_cluster, **wanted(hsm, SubnetIds=[ours[0], other])) == INVALID


def test_a_backup_that_waits_for_its_deletion_makes_no_cluster_until_it_is_restored(
    stand: Stand, hsm: Any
) -> None:
    asked, backup = wanted(hsm), backup_of(hsm)["BackupId"]
    told = hsm.delete_backup(BackupId=backup)["Backup"]
    assert told["DeleteTimestamp"] == NOW + timedelta(days=7)
    assert refused(hsm.create_cluster, **asked) == INVALID
    assert hsm.restore_backup(BackupId=backup)["Backup"]["BackupState"] == "READY"
    arn = told["BackupArn"]
    assert (
        hsm.create_cluster(**{**asked, "SourceBackupId": arn})["Cluster"]["SourceBackupId"]
        == backup
    )
    hsm.delete_backup(BackupId=backup)
    stand.advance(days=7)
    assert refused(hsm.restore_backup, BackupId=backup) == MISSING


def test_old_hsms_become_new_ones_and_old_ones_again_for_a_day(stand: Stand) -> None:
    old = {"id": CLUSTER, "hsms": 2, "hsm_type": "hsm1.medium"}
    stand.seed({"clusters": [old]})
    hsm = stand.client("cloudhsmv2")
    modified = hsm.modify_cluster(ClusterId=CLUSTER, HsmType="hsm2m.medium")["Cluster"]
    assert (modified["State"], modified["HsmType"]) == ("MODIFY_IN_PROGRESS", "hsm1.medium")
    assert modified["HsmTypeRollbackExpiration"] == NOW + timedelta(hours=24)
    code = refused(hsm.create_hsm, ClusterId=CLUSTER, AvailabilityZone="us-east-1c")
    assert code == INVALID
    assert refused(hsm.modify_cluster, ClusterId=CLUSTER, HsmType="hsm1.medium") == INVALID
    stand.advance(hours=1)
    found = cluster(hsm)
    assert (found["State"], found["HsmType"]) == ("ACTIVE", "hsm2m.medium")
    rolled = hsm.modify_cluster(ClusterId=CLUSTER, HsmType="hsm1.medium")["Cluster"]
    assert rolled["State"] == "ROLLBACK_IN_PROGRESS"
    stand.advance(hours=1)
    assert cluster(hsm)["HsmType"] == "hsm1.medium"
    hsm.modify_cluster(ClusterId=CLUSTER, HsmType="hsm2m.medium")
    stand.advance(hours=25)
    assert "HsmTypeRollbackExpiration" not in cluster(hsm)
    assert refused(hsm.modify_cluster, ClusterId=CLUSTER, HsmType="hsm1.medium") == INVALID


def test_the_retention_of_backups_can_be_changed(hsm: Any) -> None:
    assert refused(hsm.modify_cluster, ClusterId=CLUSTER) == INVALID
    wider = {"Type": "DAYS", "Value": "379"}
    hsm.modify_cluster(ClusterId=CLUSTER, BackupRetentionPolicy=wider)
    assert cluster(hsm)["BackupRetentionPolicy"] == wider
    code = refused(
        hsm.modify_cluster, ClusterId=CLUSTER, BackupRetentionPolicy={**wider, "Value": "380"}
    )
    assert code == INVALID


def test_a_cluster_has_28_hsms_at_most(stand: Stand) -> None:
    stand.seed({"clusters": [{"id": CLUSTER, "hsms": 26}]})
    hsm = stand.client("cloudhsmv2")
    for _ in range(2):
        hsm.create_hsm(ClusterId=CLUSTER, AvailabilityZone="us-east-1a")
    assert refused(hsm.create_hsm, ClusterId=CLUSTER, AvailabilityZone="us-east-1a") == INVALID

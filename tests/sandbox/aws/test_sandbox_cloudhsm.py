"""CloudHSM in the sandbox: clusters, HSMs and backups over time, and what blocks a deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.aws.world import world_now
from tests.sandbox.aws.aws_stand import (
    CLUSTER,
    HUB,
    NOW,
    SIBLING,
    SPOKE,
    STORE,
    STRANGER,
    Stand,
    refused,
)


def cluster(hsm: Any, cluster_id: str = CLUSTER) -> Any:
    (found,) = hsm.describe_clusters(Filters={"clusterIds": [cluster_id]})["Clusters"]
    return found


def test_a_cluster_is_described_whole(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    found = cluster(hsm)
    assert found["TagList"] == [{"Key": "env", "Value": "staging"}]
    zones = [one["AvailabilityZone"] for one in found["Hsms"]]
    assert zones == ["us-east-1a", "us-east-1b"]
    certificate = found["Certificates"]["ClusterCertificate"]
    assert certificate == cluster(hsm, SIBLING)["Certificates"]["ClusterCertificate"]
    assert certificate != cluster(hsm, STRANGER)["Certificates"]["ClusterCertificate"]
    pages = hsm.get_paginator("describe_clusters").paginate(PaginationConfig={"PageSize": 2})
    assert [len(page["Clusters"]) for page in pages] == [2, 1]
    assert hsm.describe_clusters(Filters={"states": ["DEGRADED"]})["Clusters"] == []


def test_an_attached_store_blocks_the_deletion(stand: Stand) -> None:
    stand.seed()
    hsm, kms = stand.client("cloudhsmv2"), stand.client("kms")
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmClusterInUseException"
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=SIBLING)
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"


def test_in_the_other_world_only_hsms_block_it(stand_blocked_by_hsms: Stand) -> None:
    stand = stand_blocked_by_hsms
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"
    for one in cluster(hsm)["Hsms"]:
        hsm.delete_hsm(ClusterId=CLUSTER, HsmId=one["HsmId"])
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"
    stand.advance(minutes=6)
    assert hsm.delete_cluster(ClusterId=CLUSTER)["Cluster"]["State"] == "DELETE_IN_PROGRESS"


def test_hsms_and_clusters_take_their_time_to_go(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    for one in cluster(hsm, STRANGER)["Hsms"]:
        hsm.delete_hsm(ClusterId=STRANGER, HsmId=one["HsmId"])
        code = refused(hsm.delete_hsm, ClusterId=STRANGER, HsmId=one["HsmId"])
        assert code == "CloudHsmInvalidRequestException"
    assert {one["State"] for one in cluster(hsm, STRANGER)["Hsms"]} == {"DELETE_IN_PROGRESS"}
    stand.advance(minutes=6)
    assert cluster(hsm, STRANGER)["Hsms"] == []
    hsm.delete_cluster(ClusterId=STRANGER)
    assert cluster(hsm, STRANGER)["State"] == "DELETE_IN_PROGRESS"
    assert refused(hsm.delete_cluster, ClusterId=STRANGER) == "CloudHsmInvalidRequestException"
    stand.advance(minutes=3)
    assert len(hsm.describe_clusters()["Clusters"]) == 2
    assert refused(hsm.delete_cluster, ClusterId=STRANGER) == "CloudHsmResourceNotFoundException"


def test_a_new_hsm_serves_after_its_creation(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    zones = {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1c"}
    assert hsm.create_hsm(**zones)["Hsm"]["State"] == "CREATE_IN_PROGRESS"
    stand.advance(minutes=10)
    assert [one["State"] for one in cluster(hsm)["Hsms"]] == ["ACTIVE"] * 3
    zones["AvailabilityZone"] = "eu-west-1a"
    assert refused(hsm.create_hsm, **zones) == "CloudHsmInvalidRequestException"


def test_deleting_an_hsm_makes_a_backup_that_is_ready_when_it_is_gone(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    hsm.delete_hsm(ClusterId=CLUSTER, HsmId=cluster(hsm)["Hsms"][0]["HsmId"])
    wanted = {"clusterIds": [CLUSTER]}
    newest, of_the_sibling, seeded = hsm.describe_backups(Filters=wanted)["Backups"]
    assert of_the_sibling["BackupId"] == cluster(hsm, SIBLING)["SourceBackupId"]
    assert newest["BackupState"] == "CREATE_IN_PROGRESS"
    assert seeded["CreateTimestamp"] == NOW - timedelta(hours=2)
    modify = hsm.modify_backup_attributes
    code = refused(modify, BackupId=newest["BackupId"], NeverExpires=True)
    assert code == "CloudHsmInvalidRequestException"
    stand.advance(minutes=6)
    assert modify(BackupId=newest["BackupId"], NeverExpires=True)["Backup"]["NeverExpires"]
    modify(BackupId=newest["BackupId"], NeverExpires=True)
    assert [call.landed for call in stand.server.calls[-2:]] == [True, False]
    kept = hsm.describe_backups(Filters={"neverExpires": ["true"]})["Backups"]
    assert [one["BackupId"] for one in kept] == [newest["BackupId"]]


def test_a_cluster_with_hsms_is_backed_up_daily(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    stand.advance(days=60)
    pages = hsm.get_paginator("describe_backups").paginate(Filters={"clusterIds": [CLUSTER]})
    ages = [NOW - b["CreateTimestamp"] for page in pages for b in page["Backups"]]
    assert len(ages) == 2 + 60, "the seeded one, the sibling's source, and the daily ones"
    assert ages == sorted(ages), "newest first"
    assert ages[-3] == timedelta(hours=-22), "a day after the seeded one"


def test_tags_are_listed_and_set(stand: Stand) -> None:
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    hsm.tag_resource(ResourceId=CLUSTER, TagList=[{"Key": "owner", "Value": "alice"}])
    assert hsm.list_tags(ResourceId=CLUSTER)["TagList"] == [
        {"Key": "env", "Value": "staging"},
        {"Key": "owner", "Value": "alice"},
    ]
    code = refused(hsm.list_tags, ResourceId="cluster-7f2a3b4c5d6")
    assert code == "CloudHsmResourceNotFoundException"


def test_accounts_and_regions_are_worlds_of_their_own(stand: Stand) -> None:
    away: dict[str, Any] = {
        "id": "cluster-aaaaaaaaaaa",
        "account": SPOKE,
        "region": "eu-west-1",
        "hsms": 1,
    }
    stand.seed({"clusters": [away]})
    assert stand.client("cloudhsmv2").describe_clusters()["Clusters"] == []
    there = stand.client("cloudhsmv2", account=SPOKE, region="eu-west-1")
    assert cluster(there, away["id"])["Hsms"][0]["AvailabilityZone"] == "eu-west-1a"
    assert refused(stand.client("cloudhsmv2").delete_cluster, ClusterId=away["id"]) == (
        "CloudHsmResourceNotFoundException"
    )


def interfaces(stand: Stand) -> list[dict[str, Any]]:
    group = cluster(stand.client("cloudhsmv2"))["SecurityGroup"]
    wanted = [{"Name": "group-id", "Values": [group]}]
    found = stand.client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    return [one for one in found if all(g["GroupId"] == group for g in one["Groups"])]


def test_the_interfaces_of_a_group_tell_who_made_them(stand: Stand) -> None:
    signer = {
        "cluster": CLUSTER,
        "description": "Lambda-cloudhsm-signer",
        "requester": "123:signer",
    }
    stand.seed(interfaces=[{**signer, "requester_managed": True}, {"cluster": CLUSTER}])
    *of_hsms, of_kms, _, theirs, plain = interfaces(stand)
    hsms = cluster(stand.client("cloudhsmv2"))["Hsms"]
    assert [one["NetworkInterfaceId"] for one in of_hsms] == [one["EniId"] for one in hsms]
    assert of_hsms[0]["Description"] == f"CloudHsm ENI {hsms[0]['HsmId']}"
    assert of_kms["Description"] == f"KMS managed ENI for cluster {CLUSTER}"
    assert of_kms["RequesterManaged"]
    about = ("Description", "RequesterId", "RequesterManaged")
    assert [theirs[name] for name in about] == ["Lambda-cloudhsm-signer", "123:signer", True]
    assert not plain["RequesterManaged"]
    assert "RequesterId" not in plain


def test_kms_takes_its_interfaces_away_with_the_connection(stand: Stand) -> None:
    stand.seed()
    stand.client("kms").disconnect_custom_key_store(CustomKeyStoreId=STORE)
    assert len(interfaces(stand)) == 4
    stand.advance(minutes=4)
    assert len(interfaces(stand)) == 2


def only(stand: Stand, **about: Any) -> Any:
    """A world of one cluster like this, and the client that looks at it."""
    stand.seed({"clusters": [{"id": CLUSTER, "hsms": 1, "backups": [], **about}]})
    return stand.client("cloudhsmv2")


def test_a_cluster_that_was_never_activated_has_no_certificate_and_no_backups(stand: Stand) -> None:
    hsm = only(stand, state="UNINITIALIZED")
    told = cluster(hsm)
    assert "ClusterCertificate" not in told["Certificates"]
    stand.advance(days=3)
    hsm.delete_hsm(ClusterId=CLUSTER, HsmId=told["Hsms"][0]["HsmId"])
    assert hsm.describe_backups()["Backups"] == []
    stand.advance(minutes=6)
    assert hsm.delete_cluster(ClusterId=CLUSTER)["Cluster"]["State"] == "DELETE_IN_PROGRESS"


@pytest.mark.parametrize("state", ["MODIFY_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_no_hsm_comes_or_goes_while_a_cluster_changes_their_type(stand: Stand, state: str) -> None:
    hsm = only(stand, state=state)
    told = cluster(hsm)
    one = told["Hsms"][0]["HsmId"]
    code = "CloudHsmInvalidRequestException"
    assert told["State"] == state
    assert refused(hsm.delete_hsm, ClusterId=CLUSTER, HsmId=one) == code
    zone = {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1b"}
    assert refused(hsm.create_hsm, **zone) == code


def test_type_and_mode_stand_in_cluster_hsms_and_backups(stand: Stand) -> None:
    hsm = only(stand, hsm_type="hsm1.medium", mode="NON_FIPS", backups=[{"age": "1h"}])
    told, (backup,) = cluster(hsm), hsm.describe_backups()["Backups"]
    assert (told["HsmType"], told["Mode"]) == ("hsm1.medium", "NON_FIPS")
    assert told["Hsms"][0]["HsmType"] == "hsm1.medium"
    assert (backup["HsmType"], backup["Mode"]) == ("hsm1.medium", "NON_FIPS")


def test_a_deleted_cluster_is_not_described(stand: Stand) -> None:
    assert only(stand, state="DELETED").describe_clusters()["Clusters"] == []


def test_the_result_says_what_is_left(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    (plain, *_) = [
        key["KeyId"]
        for key in kms.list_keys(Limit=1000)["Keys"]
        if key["KeyId"] not in {stand.key(n) for n in range(3)}
    ]
    kms.schedule_key_deletion(KeyId=plain)
    kms.schedule_key_deletion(KeyId=stand.key(1), PendingWindowInDays=7)
    stand.advance(days=7)
    world = world_now(stand.server)
    assert world["clusters"][0] == {
        "id": CLUSTER, "state": "ACTIVE", "hsms": 2, "from_backup": None,
    }  # fmt: skip
    assert world["clusters"][1]["from_backup"] == "2026-03-02T08:59:00Z"
    assert world["key_stores"] == [{"id": STORE, "state": "CONNECTED"}]
    assert [key["key_id"] for key in world["keys"]] == [stand.key(0), stand.key(2)]
    assert world["keys"][0] == {
        "key_id": stand.key(0),
        "store": STORE,
        "aliases": ["alias/payments"],
        "state": "Enabled",
        "deletes_at": None,
    }
    assert world["other_keys"] == 119
    assert HUB == "111122223333"

"""CloudHSM in the sandbox: clusters, HSMs and backups over time, and what blocks a deletion."""

from __future__ import annotations

from datetime import timedelta

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


def cluster(hsm, cluster_id=CLUSTER):
    (found,) = hsm.describe_clusters(Filters={"clusterIds": [cluster_id]})["Clusters"]
    return found


def test_a_cluster_is_described_whole(stand: Stand):
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


def test_an_attached_store_blocks_the_deletion(stand: Stand):
    stand.seed()
    hsm, kms = stand.client("cloudhsmv2"), stand.client("kms")
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmClusterInUseException"
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=4)
    kms.update_custom_key_store(CustomKeyStoreId=STORE, CloudHsmClusterId=SIBLING)
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"


def test_in_the_other_world_only_hsms_block_it(stand_blocked_by_hsms: Stand):
    stand = stand_blocked_by_hsms
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"
    for one in cluster(hsm)["Hsms"]:
        hsm.delete_hsm(ClusterId=CLUSTER, HsmId=one["HsmId"])
    assert refused(hsm.delete_cluster, ClusterId=CLUSTER) == "CloudHsmInvalidRequestException"
    stand.advance(minutes=6)
    assert hsm.delete_cluster(ClusterId=CLUSTER)["Cluster"]["State"] == "DELETE_IN_PROGRESS"


def test_hsms_and_clusters_take_their_time_to_go(stand: Stand):
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


def test_a_new_hsm_serves_after_its_creation(stand: Stand):
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    zones = {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1c"}
    assert hsm.create_hsm(**zones)["Hsm"]["State"] == "CREATE_IN_PROGRESS"
    stand.advance(minutes=10)
    assert [one["State"] for one in cluster(hsm)["Hsms"]] == ["ACTIVE"] * 3
    zones["AvailabilityZone"] = "eu-west-1a"
    assert refused(hsm.create_hsm, **zones) == "CloudHsmInvalidRequestException"


def test_deleting_an_hsm_makes_a_backup_that_is_ready_when_it_is_gone(stand: Stand):
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    hsm.delete_hsm(ClusterId=CLUSTER, HsmId=cluster(hsm)["Hsms"][0]["HsmId"])
    wanted = {"clusterIds": [CLUSTER]}
    newest, seeded = hsm.describe_backups(Filters=wanted)["Backups"]
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


def test_a_cluster_with_hsms_is_backed_up_daily(stand: Stand):
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    stand.advance(days=60)
    pages = hsm.get_paginator("describe_backups").paginate(Filters={"clusterIds": [CLUSTER]})
    ages = [NOW - b["CreateTimestamp"] for page in pages for b in page["Backups"]]
    assert len(ages) == 1 + 60
    assert ages == sorted(ages), "newest first"
    assert ages[-2] == timedelta(hours=-22), "a day after the seeded one"


def test_tags_are_listed_and_set(stand: Stand):
    stand.seed()
    hsm = stand.client("cloudhsmv2")
    hsm.tag_resource(ResourceId=CLUSTER, TagList=[{"Key": "owner", "Value": "alice"}])
    assert hsm.list_tags(ResourceId=CLUSTER)["TagList"] == [
        {"Key": "env", "Value": "staging"},
        {"Key": "owner", "Value": "alice"},
    ]
    code = refused(hsm.list_tags, ResourceId="cluster-7f2a3b4c5d6")
    assert code == "CloudHsmResourceNotFoundException"


def test_accounts_and_regions_are_worlds_of_their_own(stand: Stand):
    away = {"id": "cluster-aaaaaaaaaaa", "account": SPOKE, "region": "eu-west-1", "hsms": 1}
    stand.seed({"clusters": [away]})
    assert stand.client("cloudhsmv2").describe_clusters()["Clusters"] == []
    there = stand.client("cloudhsmv2", account=SPOKE, region="eu-west-1")
    assert cluster(there, away["id"])["Hsms"][0]["AvailabilityZone"] == "eu-west-1a"
    assert refused(stand.client("cloudhsmv2").delete_cluster, ClusterId=away["id"]) == (
        "CloudHsmResourceNotFoundException"
    )


def test_the_interfaces_of_a_group_are_its_hsms(stand: Stand):
    stand.seed()
    group = cluster(stand.client("cloudhsmv2"))["SecurityGroup"]
    wanted = [{"Name": "group-id", "Values": [group]}]
    found = stand.client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    hsms = cluster(stand.client("cloudhsmv2"))["Hsms"]
    assert [one["NetworkInterfaceId"] for one in found] == [one["EniId"] for one in hsms]


def test_the_result_says_what_is_left(stand: Stand):
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
    assert world["clusters"][0] == {"id": CLUSTER, "state": "ACTIVE", "hsms": 2}
    assert world["key_stores"] == [{"id": STORE, "state": "CONNECTED"}]
    assert [key["key_id"] for key in world["keys"]] == [stand.key(0), stand.key(2)]
    assert world["keys"][0] == {
        "key_id": stand.key(0),
        "store": STORE,
        "aliases": ["alias/payments"],
        "state": "Enabled",
    }
    assert world["other_keys"] == 119
    assert HUB == "111122223333"

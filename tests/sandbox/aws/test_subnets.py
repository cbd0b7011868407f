"""Subnets of clusters: shown by EC2, filled and deleted by others, needed by CloudHSM and by KMS's connections."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.aws.mishaps import delete_subnet, fill_subnet
from tests.sandbox.aws.aws_stand import CLUSTER, STORE, Stand, refused

INVALID = "CloudHsmInvalidRequestException"


@pytest.fixture(autouse=True)
def _seeded(stand: Stand) -> None:
    stand.seed(other_keys=0)


def shown(stand: Stand, **filters: Any) -> dict[str, Any]:
    subnets = stand.client("ec2").describe_subnets(**filters)["Subnets"]
    return {one["SubnetId"]: one for one in subnets}


def mapping(stand: Stand) -> dict[str, str]:
    (cluster,) = stand.client("cloudhsmv2").describe_clusters(Filters={"clusterIds": [CLUSTER]})[
        "Clusters"
    ]
    return dict(cluster["SubnetMapping"])


def test_ec2_shows_those_of_clusters_and_its_own(stand: Stand) -> None:
    ours = mapping(stand)
    seen = shown(stand)
    assert set(ours.values()) < set(seen)
    for zone, name in ours.items():
        assert seen[name]["AvailabilityZone"] == zone
    vpc = seen[ours["us-east-1a"]]["VpcId"]
    only = shown(stand, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    assert set(only) == set(ours.values())
    assert set(shown(stand, SubnetIds=[ours["us-east-1a"]])) == {ours["us-east-1a"]}
    assert shown(stand, Filters=[{"Name": "tag:Name", "Values": ["x"]}]) == {}


def test_an_hsm_takes_an_address(stand: Stand) -> None:
    ours = mapping(stand)
    seen = shown(stand)
    free = {zone: seen[name]["AvailableIpAddressCount"] for zone, name in ours.items()}
    assert free["us-east-1a"] == free["us-east-1f"] - 1


def test_no_hsm_in_a_subnet_that_is_full_or_gone(stand: Stand) -> None:
    hsm = stand.client("cloudhsmv2")
    name = fill_subnet(stand.server, CLUSTER, zone="us-east-1e", free=0)
    assert shown(stand)[name]["AvailableIpAddressCount"] == 0
    wanted = {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1e"}
    assert refused(hsm.create_hsm, **wanted) == INVALID
    gone = delete_subnet(stand.server, CLUSTER, zone="us-east-1f")
    assert gone not in shown(stand)
    assert refused(hsm.create_hsm, ClusterId=CLUSTER, AvailabilityZone="us-east-1f") == INVALID


@pytest.mark.parametrize(
    ("how", "error"),
    [("gone", "SUBNET_NOT_FOUND"), ("full", "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"), ("", None)],
)
def test_a_connection_needs_all_of_them(stand: Stand, how: str, error: str | None) -> None:
    kms = stand.client("kms")
    if how == "gone":
        delete_subnet(stand.server, CLUSTER, zone="us-east-1f")
    elif how == "full":
        fill_subnet(stand.server, CLUSTER, zone="us-east-1f", free=0)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=10)
    kms.connect_custom_key_store(CustomKeyStoreId=STORE)
    stand.advance(minutes=20)
    (store,) = kms.describe_custom_key_stores(CustomKeyStoreId=STORE)["CustomKeyStores"]
    assert store.get("ConnectionErrorCode") == error


def test_a_subnet_in_which_something_is_can_not_be_deleted(stand: Stand) -> None:
    with pytest.raises(LookupError, match="an HSM is in"):
        delete_subnet(stand.server, CLUSTER, zone="us-east-1a")
    with pytest.raises(LookupError, match="never was"):
        delete_subnet(stand.server, "cluster-none", zone="us-east-1a")

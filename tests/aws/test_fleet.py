"""A survey of one Region of one account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.fleet import Fleet
from chalicelib.domain.fleet import Survey
from chalicelib.domain.state.snapshot import OtherUse, Sessions
from chalicelib.failures import TemporaryError
from tests.aws.test_key_search import Kms
from tests.flows.stand import NOW, STORE

CLUSTERS = [
    {
        "ClusterId": "cluster-1",
        "State": "ACTIVE",
        "SecurityGroup": "sg-1",
        "Hsms": [{"HsmId": "hsm-1", "State": "ACTIVE"}],
    },
    {"ClusterId": "cluster-2", "State": "UNINITIALIZED"},
    {"ClusterId": "cluster-3", "State": "DELETED"},
]
STORES: list[dict[str, str]] = [
    {
        "CustomKeyStoreId": "cks-x",
        "ConnectionState": "CONNECTED",
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    },
    {"CustomKeyStoreId": STORE, "ConnectionState": "CONNECTED", "CloudHsmClusterId": "cluster-1"},
    {"CustomKeyStoreId": "cks-2", "ConnectionState": "FAILED", "CloudHsmClusterId": "cluster-9"},
]


class Aws(Kms):
    """Its pages, unless a call is refused or throttled; and who asked as whom."""

    def __init__(self, **refused: str) -> None:
        super().__init__(30)
        self.refused = refused
        self.asked_as: list[Any] = []
        self.meta = SimpleNamespace(region_name="us-east-1")

    def clients(self, role: str, **place: str) -> Callable[[str], Any]:
        self.asked_as.append((role, place))
        return lambda _service: self

    def get_paginator(self, name: str) -> Any:
        pages: dict[str, Any] = {
            "describe_clusters": [{"Clusters": CLUSTERS}],
            "describe_custom_key_stores": [{"CustomKeyStores": [one]} for one in STORES],
            "get_metric_data": [{"MetricDataResults": []}],
            "describe_network_interfaces": [{"NetworkInterfaces": []}],
        }
        if name not in pages:
            return super().get_paginator(name)
        return SimpleNamespace(paginate=lambda **_: self._told(name, pages[name]))

    def _told(self, name: str, pages: Iterable[Any]) -> Iterable[Any]:
        if code := self.refused.get(name):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, name)
        yield from pages


def survey(aws: Any) -> Survey:
    fleet = Fleet(aws, "unlatch-reader", lambda call: lambda: None)
    return fleet.survey("111122223333", "us-east-1", now=NOW)


def test_all_clusters_stores_and_keys_of_a_place() -> None:
    aws = Aws()
    found = survey(aws)
    place = {"account": "111122223333", "region": "us-east-1", "session_name": "unlatch-scan"}
    assert aws.asked_as == [("unlatch-reader", place)]
    assert (found.account, found.region, found.at) == ("111122223333", "us-east-1", NOW)
    assert [cluster.cluster_id for cluster in found.clusters] == ["cluster-1", "cluster-2"]
    assert {held.store.key_store_id: [k.key_id for k in held.keys] for held in found.stores} == {
        STORE: ["key-000", "key-001"],
        "cks-2": [],
    }
    unseen = Sessions("hsm-1", missing=5)
    assert found.use == {"cluster-1": OtherUse((unseen,), minutes=5)}, (
        "of a cluster with HSMs alone"
    )
    assert found.unread == ()


def test_a_key_of_no_store_is_asked_for_once_however_many_stores_there_are() -> None:
    aws = Aws()
    survey(aws)
    assert {key_id: aws.described.count(key_id) for key_id in aws.ids} == {
        **dict.fromkeys(aws.ids, 1),
        "key-000": 2,
        "key-001": 2,
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("describe_clusters", "cloudhsm:DescribeClusters was refused"),
        ("describe_custom_key_stores", "kms:DescribeCustomKeyStores was refused"),
    ],
)
def test_what_aws_refuses_to_list_is_named(call: str, said: str) -> None:
    found = survey(Aws(**{call: "AccessDeniedException"}))
    assert found.unread == (said,)
    assert bool(found.clusters) is (call != "describe_clusters")
    assert bool(found.stores) is (call != "describe_custom_key_stores")


def test_what_is_throttled_is_no_survey() -> None:
    with pytest.raises(TemporaryError):
        survey(Aws(describe_clusters="ThrottlingException"))

"""What CloudWatch and EC2 tell of a cluster's HSMs, as they spell it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.other_use import other_use
from chalicelib.domain.state.snapshot import NO_OTHERS, OtherUse, Sessions
from chalicelib.failures import TemporaryError
from tests.domain.worlds import CLUSTER, MINUTE, NOW, cluster

HELD = cluster("1a", "1b", security_group="sg-1", interfaces=("eni-hsm",))


class Aws:
    """A CloudWatch that has these numbers (least, most) of each HSM, newest last; and an EC2."""

    def __init__(self, *hsms: list[tuple[int, int]], interfaces: list[dict[str, Any]] = ()) -> None:  # type: ignore[assignment]
        self.hsms, self.interfaces = hsms, interfaces
        self.meta = SimpleNamespace(region_name="us-east-1")
        self.asked: dict[str, Any] = {}

    def clients(self, _name: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> Any:
        pages = {
            "get_metric_data": self.numbers,
            "describe_network_interfaces": self.network,
        }
        return SimpleNamespace(paginate=pages[operation])

    def numbers(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Newest first, a page a query."""
        self.asked = request
        for query in request["MetricDataQueries"]:
            (hsm,) = (
                d for d in query["MetricStat"]["Metric"]["Dimensions"] if d["Name"] == "HsmId"
            )
            place = [held.hsm_id for held in HELD.hsms].index(hsm["Value"])
            which = {"Minimum": 0, "Maximum": 1}[query["MetricStat"]["Stat"]]
            numbers = [float(pair[which]) for pair in self.hsms[place]][::-1]
            times = [NOW - (n + 1) * MINUTE for n in range(len(numbers))]
            yield {
                "MetricDataResults": [{"Id": query["Id"], "Timestamps": times, "Values": numbers}]
            }

    def network(self, **request: Any) -> Iterator[dict[str, Any]]:
        assert request == {"Filters": [{"Name": "group-id", "Values": ["sg-1"]}]}
        yield from ({"NetworkInterfaces": [item]} for item in self.interfaces)


def look(aws: Aws, *, minutes: int = 2) -> OtherUse:
    return other_use(aws.clients, HELD, now=NOW + timedelta(seconds=40), minutes=minutes)


def test_each_hsm_has_its_least_and_its_most() -> None:
    aws = Aws([(9, 9), (2, 4), (1, 2)], [(0, 0), (2, 2), (2, 3)])
    names = [hsm.hsm_id for hsm in HELD.hsms]
    assert look(aws).hsms == (Sessions(names[0], 1, 4), Sessions(names[1], 2, 3))
    assert (aws.asked["StartTime"], aws.asked["EndTime"]) == (NOW - 8 * MINUTE, NOW), (
        "whole minutes"
    )


def test_an_hsm_without_data_is_in_it_all_the_same() -> None:
    seen = look(Aws([(2, 2)] * 3, []))
    assert [hsm.missing for hsm in seen.hsms] == [0, 2]


class Refuses(Aws):
    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def numbers(self, **_request: Any) -> Iterator[dict[str, Any]]:
        raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "GetMetricData")


def test_a_refusal_is_no_data_and_trouble_is_tried_later() -> None:
    assert [hsm.missing for hsm in look(Refuses("AccessDenied")).hsms] == [2, 2]
    with pytest.raises(TemporaryError):
        look(Refuses("Throttling"))


@pytest.mark.parametrize("gone", [None, cluster()])
def test_without_hsms_nothing_is_read(gone: Any) -> None:
    assert other_use(lambda _name: pytest.fail("asked"), gone, now=NOW, minutes=5) == NO_OTHERS


def test_without_a_security_group_nobody_knows_of_interfaces() -> None:
    aws = Aws([(2, 2)] * 3, [(2, 2)] * 3)
    seen = other_use(aws.clients, replace(HELD, security_group=""), now=NOW, minutes=2)
    assert seen.interfaces is None


KMS_S = f"KMS managed ENI for cluster {CLUSTER}"


@pytest.mark.parametrize(
    ("about", "managed", "own"),
    [
        (KMS_S, True, True),
        (KMS_S, False, False),
        ("KMS managed ENI for cluster cluster-7e6d5c4b3a2", True, False),
        (f"{KMS_S}x", True, False),
        ("CloudHsm ENI for HSM hsm-1", True, True),
        ("CloudHsm ENI for HSM hsm-1", False, False),
        ("AWS Lambda VPC ENI-kms-proxy-0a1b", True, False),
        ("AWS Lambda VPC ENI-cloudhsm-signer-1a2b", True, False),
        ("customkeystore", True, False),
        ("", True, False),
    ],
)
def test_an_interface_is_aws_s_own_by_requester_and_description(
    about: str, managed: bool, own: bool
) -> None:
    aws = Aws(
        [(2, 2)] * 3,
        [(2, 2)] * 3,
        interfaces=[
            {"NetworkInterfaceId": "eni-hsm", "Description": "whatever"},
            {
                "NetworkInterfaceId": "eni-1",
                "Description": about,
                "RequesterManaged": managed,
                "RequesterId": "AROAEXAMPLE:kms-proxy",
            },
        ],
    )
    assert look(aws).interfaces == (() if own else ("eni-1",))

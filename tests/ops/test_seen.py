"""What is made of the interfaces and quotas that AWS shows, each way that they can be."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from ops.probing import history, seen
from ops.probing.report import Findings

CLUSTER = {"ClusterId": "cluster-1"}
OF_KMS = {"Description": "KMS managed ENI for cluster cluster-1", "NetworkInterfaceId": "eni-1"}
OTHER = {"Description": "KMS managed ENI for cluster cluster-2", "NetworkInterfaceId": "eni-2"}


def verdict(found: Findings, name: str) -> tuple[str, str]:
    said = found.observations[name]
    return str(said.verdict), said.says


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ([], ("held", "0 of KMS’s are left 3 min after the disconnect")),
        ([OTHER], ("held", "0 of KMS’s are left 3 min after the disconnect")),
        ([OF_KMS, OTHER], ("differs", "1 of KMS’s are left 3 min after the disconnect")),
    ],
)
def test_interfaces_of_kms_that_outlive_the_connection_are_found(
    shown: list[dict[str, str]], wanted: tuple[str, str]
) -> None:
    found = Findings()
    seen.judge_left_of_kms(found, CLUSTER, shown, passed="3 min")
    assert verdict(found, "A-KMS-INTERFACES") == wanted


@pytest.mark.parametrize(
    ("of_kms", "of_hsm", "wanted"),
    [(1, 1, "held"), (2, 1, "differs"), (1, 3, "differs")],
)
def test_addresses_that_are_taken_are_counted(of_kms: int, of_hsm: int, wanted: str) -> None:
    one = {**CLUSTER, "Hsms": [{"EniId": "eni-9"}]}
    kms = {**OF_KMS, "AvailabilityZone": "a", "PrivateIpAddresses": ["x"] * of_kms}
    own = {"NetworkInterfaceId": "eni-9", "PrivateIpAddresses": ["x"] * of_hsm}
    found = Findings()
    seen.judge_addresses(found, one, [kms, own])
    assert verdict(found, "A-FREE-ADDRESSES") == (
        wanted,
        f"KMS takes {of_kms} in a; an HSM takes {of_hsm}",
    )


def told(store: str, *records: dict[str, Any]) -> Any:
    """A client of an account with this store, of which CloudTrail remembers these records."""
    events = [{"EventTime": None, "CloudTrailEvent": json.dumps(record)} for record in records]
    pages = SimpleNamespace(paginate=lambda **_: [{"Events": events}])
    stores = [{"CustomKeyStoreId": "cks-1", "ConnectionState": store}]
    return lambda _: SimpleNamespace(
        get_paginator=lambda _: pages,
        describe_custom_key_stores=lambda: {"CustomKeyStores": stores},
    )


OWN_CALL = {"eventType": "AwsApiCall", "eventName": "Connect", "about": "cks-1"}
OF_AWS = {"eventType": "AwsServiceEvent", "eventName": "ConnectionFailed", "about": "cks-1"}
OF_ANOTHER = {**OF_AWS, "about": "cks-2"}


@pytest.mark.parametrize(
    ("state", "records", "wanted"),
    [
        ("FAILED", (OWN_CALL, OF_ANOTHER), "held"),
        ("FAILED", (OF_AWS,), "differs"),
        ("CONNECTED", (OF_AWS,), "not tried"),
    ],
)
def test_a_word_of_aws_about_a_store_that_failed_is_found(
    state: str, records: tuple[dict[str, Any], ...], wanted: str
) -> None:
    found = Findings()
    history.judge_silence(found, told(state, *records))
    assert verdict(found, "A-SILENT-FAILURE")[0] == wanted


def quotas(**values: tuple[float, int, str]) -> Any:
    """A client of Service Quotas that lists these: value, period and its unit."""
    listed = [
        {
            "QuotaName": f"{name} request rate",
            "Value": value,
            "Period": {"PeriodValue": period, "PeriodUnit": unit},
        }
        for name, (value, period, unit) in values.items()
    ]
    pages = SimpleNamespace(paginate=lambda **_: [{"Quotas": listed}])
    return lambda _: SimpleNamespace(get_paginator=lambda _: pages)


@pytest.mark.parametrize(
    ("asked", "like", "wanted", "set_to"),
    [
        ((100, 1, "SECOND"), (100, 1, "SECOND"), "held", {}),
        ((6000, 1, "MINUTE"), (100, 1, "SECOND"), "held", {}),
        ((300, 1, "MINUTE"), (100, 1, "SECOND"), "differs", {"QUOTA_SHARE": "0.0125"}),
    ],
)
def test_how_often_kms_may_be_asked(
    asked: tuple[float, int, str],
    like: tuple[float, int, str],
    wanted: str,
    set_to: dict[str, str],
) -> None:
    found = Findings()
    seen.judge_rate(found, quotas(GetKeyLastUsage=asked, ListGrants=like), share=0.25)
    said = found.observations["A-LAST-USAGE-RATE"]
    assert (said.verdict, said.set_to) == (wanted, set_to)


def test_a_quota_that_is_not_listed_is_not_tried() -> None:
    found = Findings()
    seen.judge_rate(found, quotas(ListGrants=(100, 1, "SECOND")), share=0.25)
    assert verdict(found, "A-LAST-USAGE-RATE")[0] == "not tried"

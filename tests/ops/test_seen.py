"""What is made of the interfaces and quotas that AWS shows, each way that they can be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ops.probing import seen
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

"""The AWS SDK for JavaScript walks through the sandbox, and knows each of its errors by name."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import environment
from tests.sandbox.aws.aws_stand import CLUSTER, STORE, Stand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

WALK = Path(__file__).with_name("walk.mjs")
Walk = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def walk(stand: Stand, node_home: Path) -> Walk:
    """What came of each `(service, call, params)`."""
    stand.seed(other_keys=2)
    variables = environment(stand)
    shutil.copy(WALK, node_home)

    def run(*calls: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
        asked = [{"service": s, "call": c, "params": params} for s, c, params in calls]
        done = subprocess.run(
            ["node", node_home / WALK.name],
            input=json.dumps(asked), env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    return run


def outcomes(told: list[dict[str, Any]]) -> list[str]:
    """The name of each error, or "ok"; an error that the SDK has no class for is marked."""
    return [
        "ok" if "error" not in one else one["error"] + ("" if one["known"] else " (unknown)")
        for one in told
    ]


def test_it_describes_deletes_and_creates(walk: Walk) -> None:
    hsm = {"ClusterId": CLUSTER, "AvailabilityZone": "us-east-1c"}
    told = walk(
        ("cloudhsm", "DescribeClusters", {"Filters": {"clusterIds": [CLUSTER]}}),
        ("cloudhsm", "DeleteCluster", {"ClusterId": CLUSTER}),
        ("cloudhsm", "DeleteCluster", {}),
        ("cloudhsm", "CreateHsm", hsm),
        ("cloudhsm", "CreateHsm", {**hsm, "AvailabilityZone": "mars"}),
        ("cloudhsm", "DeleteHsm", {"ClusterId": CLUSTER}),
        ("cloudhsm", "DescribeBackups", {"MaxResults": 0}),
    )
    invalid = "CloudHsmInvalidRequestException"
    assert outcomes(told) == [
        "ok", "CloudHsmClusterInUseException (unknown)", invalid, "ok", invalid, invalid, invalid,
    ]  # fmt: skip
    assert told[0]["result"]["Clusters"][0]["State"] == "ACTIVE"
    assert told[3]["result"]["Hsm"]["State"] == "CREATE_IN_PROGRESS"


def test_it_connects_and_disconnects(stand: Stand, walk: Walk) -> None:
    store = {"CustomKeyStoreId": STORE}
    told = walk(
        ("kms", "DescribeCustomKeyStores", store),
        ("kms", "DescribeCustomKeyStores", {**store, "CustomKeyStoreName": "payments"}),
        ("kms", "ConnectCustomKeyStore", store),
        ("kms", "DisconnectCustomKeyStore", store),
        ("kms", "ConnectCustomKeyStore", store),
        ("kms", "DeleteCustomKeyStore", store),
        ("kms", "DeleteCustomKeyStore", {"CustomKeyStoreId": "cks-1"}),
    )
    assert outcomes(told) == [
        "ok",
        "ValidationException (unknown)",
        "ok",
        "ok",
        "CustomKeyStoreInvalidStateException",
        "CustomKeyStoreHasCMKsException",
        "CustomKeyStoreNotFoundException",
    ]
    stand.advance(minutes=4)
    assert outcomes(walk(("kms", "ConnectCustomKeyStore", store))) == ["ok"]


def test_it_schedules_and_cancels(stand: Stand, walk: Walk) -> None:
    key = {"KeyId": stand.key(0)}
    told = walk(
        ("kms", "ScheduleKeyDeletion", {**key, "PendingWindowInDays": 31}),
        ("kms", "ScheduleKeyDeletion", {**key, "PendingWindowInDays": 7}),
        ("kms", "DescribeKey", key),
        ("kms", "EnableKey", key),
        ("kms", "CancelKeyDeletion", key),
        ("kms", "CancelKeyDeletion", key),
        ("kms", "DescribeKey", {"KeyId": "alias/none"}),
        ("kms", "GenerateRandom", {"NumberOfBytes": 8, "CustomKeyStoreId": STORE}),
    )
    assert outcomes(told) == [
        "ValidationException (unknown)",
        "ok",
        "ok",
        "KMSInvalidStateException",
        "ok",
        "KMSInvalidStateException",
        "NotFoundException",
        "ok",
    ]
    assert told[2]["result"]["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert told[2]["result"]["KeyMetadata"]["DeletionDate"].startswith("2026-03-09T09:00")


def test_it_looks_up_what_it_did(walk: Walk) -> None:
    def by(name: str) -> dict[str, Any]:
        return {"LookupAttributes": [{"AttributeKey": name, "AttributeValue": "DeleteCluster"}]}

    told = walk(
        ("cloudhsm", "DeleteCluster", {"ClusterId": CLUSTER}),
        ("cloudtrail", "LookupEvents", by("EventName")),
        ("cloudtrail", "LookupEvents", by("Colour")),
        ("cloudtrail", "LookupEvents", {"MaxResults": 51}),
    )
    assert outcomes(told)[1:] == [
        "ok", "InvalidLookupAttributesException", "InvalidMaxResultsException",
    ]  # fmt: skip
    (event,) = told[1]["result"]["Events"]
    assert "aws-sdk-js" in json.loads(event["CloudTrailEvent"])["userAgent"]

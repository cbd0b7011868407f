"""The AWS CLI walks through the sandbox, and reads it as it reads AWS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import environment
from tests.sandbox.aws.aws_stand import CLUSTER, STORE, STRANGER, Stand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

Command = Callable[..., Any]


@pytest.fixture
def aws(stand: Stand, python_clients: Path) -> Command:
    """`aws("kms describe-key …")`: what it prints, or the code of the error that it prints."""
    stand.seed(other_keys=2)
    variables = environment(stand)

    def run(command: str) -> Any:
        done = subprocess.run(
            [python_clients / "python", python_clients / "aws", "--output", "json", *command.split()],
            env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return json.loads(done.stdout or "{}")
        assert "An error occurred (" in done.stderr, done.stderr
        return done.stderr.split("(", 1)[1].split(")", 1)[0]

    return run


def test_clusters_hsms_and_backups(stand: Stand, aws: Command) -> None:
    found = aws("cloudhsmv2 describe-clusters")["Clusters"]
    assert CLUSTER in [cluster["ClusterId"] for cluster in found]
    wrong = "cloudhsmv2 describe-clusters --filters colours=red"
    assert aws(wrong) == "CloudHsmInvalidRequestException"
    assert aws("cloudhsmv2 delete-cluster --cluster-id cluster-1") == (
        "CloudHsmInvalidRequestException"
    )
    assert aws("cloudhsmv2 delete-cluster --cluster-id cluster-aaaaaaaaaaa") == (
        "CloudHsmResourceNotFoundException"
    )
    made = aws(f"cloudhsmv2 create-hsm --cluster-id {CLUSTER} --availability-zone us-east-1c")[
        "Hsm"
    ]
    assert made["State"] == "CREATE_IN_PROGRESS"
    stand.advance(minutes=10)
    gone = aws(f"cloudhsmv2 delete-hsm --cluster-id {CLUSTER} --hsm-id {made['HsmId']}")
    assert gone["HsmId"] == made["HsmId"]
    backups = aws(f"cloudhsmv2 describe-backups --filters clusterIds={CLUSTER}")["Backups"]
    assert {backup["BackupState"] for backup in backups} == {"CREATE_IN_PROGRESS", "READY"}


def test_key_stores(stand: Stand, aws: Command) -> None:
    state = f"kms describe-custom-key-stores --custom-key-store-id {STORE}"
    assert aws(state)["CustomKeyStores"][0]["ConnectionState"] == "CONNECTED"
    assert aws(f"kms delete-custom-key-store --custom-key-store-id {STORE}") == (
        "CustomKeyStoreHasCMKsException"
    )
    assert aws(f"kms disconnect-custom-key-store --custom-key-store-id {STORE}") == {}
    stand.advance(minutes=4)
    assert aws(f"kms disconnect-custom-key-store --custom-key-store-id {STORE}") == (
        "CustomKeyStoreInvalidStateException"
    )
    moved = f"kms update-custom-key-store --custom-key-store-id {STORE}"
    assert aws(f"{moved} --cloud-hsm-cluster-id {STRANGER}") == "CloudHsmClusterNotRelatedException"
    assert aws(f"kms connect-custom-key-store --custom-key-store-id {STORE}") == {}
    stand.advance(minutes=10)
    assert aws(state)["CustomKeyStores"][0]["ConnectionState"] == "CONNECTED"
    assert aws("kms describe-custom-key-stores --custom-key-store-id cks-1") == (
        "CustomKeyStoreNotFoundException"
    )


def test_keys(stand: Stand, aws: Command) -> None:
    key = "--key-id alias/payments"
    about = aws(f"kms describe-key {key}")["KeyMetadata"]
    assert (about["CustomKeyStoreId"], about["KeyState"]) == (STORE, "Enabled")
    named = f"--key-id {about['KeyId']}"
    schedule = f"kms schedule-key-deletion {named} --pending-window-in-days"
    assert aws(f"{schedule} 3") == "ValidationException"
    assert aws(f"{schedule} 7")["KeyState"] == "PendingDeletion"
    assert aws(f"{schedule} 7") == "KMSInvalidStateException"
    assert aws(f"kms cancel-key-deletion {named}")["KeyId"] == about["Arn"]
    assert aws(f"kms describe-key {key}")["KeyMetadata"]["KeyState"] == "Disabled"
    assert aws(f"kms enable-key-rotation {named}") == "UnsupportedOperationException"
    assert len(aws("kms list-keys --max-items 3")["Keys"]) == 3
    assert aws("kms create-key --key-spec RSA") == "ValidationException"


def test_events(stand: Stand, aws: Command) -> None:
    assert (
        aws(f"cloudhsmv2 delete-cluster --cluster-id {CLUSTER}") == "CloudHsmClusterInUseException"
    )
    lookup = (
        "cloudtrail lookup-events --lookup-attributes AttributeKey={},AttributeValue=DeleteCluster"
    )
    (event,) = aws(lookup.format("EventName"))["Events"]
    record = json.loads(event["CloudTrailEvent"])
    assert record["errorCode"] == "CloudHsmClusterInUseException"
    assert record["requestParameters"]["clusterId"] == CLUSTER
    assert "aws-cli" in record["userAgent"]
    assert aws(lookup.format("Colour")) == "InvalidLookupAttributesException"

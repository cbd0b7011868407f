"""CloudTrail records in, failed deletes out: what is needed is checked, what may be missing may be missing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from chalicelib.aws.cloudtrail import NotOursError, failed_delete
from sandbox.reliability.corpus import CODES, DELETE, OWN


def read(**detail: Any) -> Any:
    event = deepcopy(DELETE)
    event["detail"] |= detail
    event["detail"] = {k: v for k, v in event["detail"].items() if v is not ...}
    return failed_delete(event, codes=CODES, own_roles=OWN)


def test_the_whole_of_it() -> None:
    failed = read()
    assert (failed.account, failed.region) == ("111122223333", "us-east-1")
    assert failed.cluster_id == "cluster-2a3b4c5d6e7"
    assert failed.attempt.caller.name
    assert failed.attempt.at.tzinfo


@pytest.mark.parametrize(
    "name", ["userIdentity", "userAgent", "errorMessage", "eventVersion", "recipientAccountId"]
)
def test_what_may_be_missing_may_be_missing(name: str) -> None:
    assert read(**{name: ...}).account == "111122223333"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"eventName": "DeleteHsm"}, "eventName"),
        ({"eventSource": "kms.amazonaws.com"}, "eventSource"),
        ({"errorCode": "AccessDenied"}, "errorCode"),
        ({"errorCode": ...}, "errorCode"),
        ({"requestParameters": None}, "requestParameters"),
        ({"requestParameters": {"clusterId": "cluster-1"}}, "clusterId"),
        ({"requestParameters": {"clusterId": "cluster-2a3b4c5d6e7\n"}}, "clusterId"),
        ({"requestParameters": {"clusterId": ["cluster-2a3b4c5d6e7"]}}, "clusterId"),
        ({"eventID": "../../x"}, "eventID"),
        ({"eventTime": "yesterday"}, "time"),
        ({"recipientAccountId": "12"}, "account"),
        ({"awsRegion": "nowhere"}, "awsRegion"),
    ],
)
def test_anything_else_is_refused_with_the_reason(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=reason):
        read(**detail)


@pytest.mark.parametrize("role", OWN)
def test_unlatchs_own_failures_open_nothing(role: str) -> None:
    arn = f"arn:aws:sts::111122223333:assumed-role/{role}/case-a"
    with pytest.raises(NotOursError, match="Unlatch itself"):
        read(userIdentity={"type": "AssumedRole", "arn": arn})


def test_the_code_counts_with_and_without_its_ending() -> None:
    assert read(errorCode="CloudHsmClusterInUse").attempt.error_code == "CloudHsmClusterInUse"

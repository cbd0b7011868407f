"""CloudTrail records of calls on key stores and of losses: what is needed is checked, our own open nothing."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from chalicelib.aws.cloudtrail import NotOursError
from chalicelib.aws.store_calls import cut_off, failed_use, refused_store_call
from chalicelib.domain.state.trigger import Trigger
from sandbox.reliability.corpus import DELETE, OWN

STORE, CLUSTER = "cks-1234567890abcdef0", "cluster-2a3b4c5d6e7"
KMS: dict[str, Any] = {"eventSource": "kms.amazonaws.com", "readOnly": False}
CREATE = KMS | {
    "eventName": "CreateCustomKeyStore",
    "errorCode": "CloudHsmClusterInUseException",
    "requestParameters": {"customKeyStoreName": "new", "clusterId": CLUSTER},
}
DELETE_STORE = KMS | {
    "eventName": "DeleteCustomKeyStore",
    "errorCode": "CustomKeyStoreHasCMKsException",
    "requestParameters": {"customKeyStoreId": STORE},
}
CONNECT = KMS | {
    "eventName": "ConnectCustomKeyStore",
    "errorCode": "CloudHsmClusterNotActiveException",
    "requestParameters": {"customKeyStoreId": STORE},
}
LOST = {
    "eventName": "DeleteHsm",
    "errorCode": ...,
    "requestParameters": {"clusterId": CLUSTER, "hsmId": "hsm-2a3b4c5d6e7"},
}
USE = KMS | {
    "eventName": "Decrypt",
    "errorCode": "KMSInvalidStateException",
    "additionalEventData": {"customKeyStoreId": STORE},
}


def read(take: Callable[..., Any], *details: dict[str, Any]) -> Any:
    event = deepcopy(DELETE)
    for detail in details:
        event["detail"] |= detail
    event["detail"] = {k: v for k, v in event["detail"].items() if v is not ...}
    return take(event, own_roles=OWN)


@pytest.mark.parametrize(
    ("detail", "trigger"),
    [
        (CREATE, Trigger.CLUSTER_TAKEN),
        (DELETE_STORE, Trigger.STORE_DELETE_BLOCKED),
        (
            DELETE_STORE | {"errorCode": "CustomKeyStoreInvalidStateException"},
            Trigger.STORE_DELETE_BLOCKED,
        ),
        (CONNECT, Trigger.STORE_DOWN),
        (CONNECT | {"errorCode": "CustomKeyStoreInvalidState"}, Trigger.STORE_DOWN),
    ],
)
def test_a_refused_call_on_a_key_store(detail: dict[str, Any], trigger: Trigger) -> None:
    heard = read(refused_store_call, detail)
    assert heard.attempt.trigger is trigger
    assert (heard.account, heard.region) == ("111122223333", "us-east-1")
    assert heard.attempt.operation == detail["eventName"]
    named = (heard.cluster_id, heard.attempt.key_store_id)
    assert named == ((CLUSTER, "") if trigger is Trigger.CLUSTER_TAKEN else ("", STORE))


def test_the_store_that_could_not_be_created_has_its_name() -> None:
    assert read(refused_store_call, CREATE).attempt.name == "new"
    nameless = {"requestParameters": {"cloudHsmClusterId": CLUSTER, "customKeyStoreName": 1}}
    heard = read(refused_store_call, CREATE, nameless)
    assert (heard.cluster_id, heard.attempt.name) == (CLUSTER, "")


def test_a_cluster_whose_id_is_none_is_refused_by_the_name_that_cloudtrail_writes() -> None:
    odd = {"requestParameters": {"clusterId": "cluster-ä", "customKeyStoreName": "new"}}
    with pytest.raises(NotOursError, match=r"requestParameters\.clusterId"):
        read(refused_store_call, CREATE, odd)


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"errorCode": "AccessDenied"}, "opens no case"),
        ({"errorCode": ...}, "opens no case"),
        ({"eventName": "UpdateCustomKeyStore"}, "opens no case"),
        ({"eventSource": "cloudhsm.amazonaws.com"}, "eventSource"),
        ({"requestParameters": None}, "requestParameters"),
        ({"requestParameters": {"customKeyStoreId": "cks-ä"}}, "customKeyStoreId"),
        ({"eventID": "../x"}, "eventID"),
        ({"eventTime": "yesterday"}, "time"),
    ],
)
def test_anything_else_is_refused_with_the_reason(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=reason):
        read(refused_store_call, DELETE_STORE, detail)


def test_an_hsm_or_a_cluster_that_somebody_deleted() -> None:
    for name in ("DeleteHsm", "DeleteCluster"):
        heard = read(cut_off, LOST, {"eventName": name})
        assert (heard.cluster_id, heard.attempt.operation) == (CLUSTER, name)
        assert (heard.attempt.trigger, heard.attempt.error_code) == (Trigger.CLUSTER_LOST, "")


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"eventName": "CreateHsm"}, "eventName"),
        ({"errorCode": "CloudHsmInvalidRequestException"}, "nothing is lost"),
        ({"requestParameters": {"clusterId": "cluster-1"}}, "clusterId"),
    ],
)
def test_what_loses_nothing(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=reason):
        read(cut_off, LOST, detail)


def test_a_failed_use_names_its_store_or_is_none_of_ours() -> None:
    heard = read(failed_use, USE)
    assert (heard.attempt.trigger, heard.attempt.key_store_id) == (Trigger.STORE_DOWN, STORE)
    for detail, reason in (
        ({"additionalEventData": ...}, "no custom key store"),
        ({"errorCode": "DisabledException"}, "no store"),
        ({"additionalEventData": {"customKeyStoreId": 7}}, "customKeyStoreId"),
    ):
        with pytest.raises(NotOursError, match=reason):
            read(failed_use, USE, detail)


@pytest.mark.parametrize("role", OWN)
@pytest.mark.parametrize(
    ("take", "detail"), [(refused_store_call, DELETE_STORE), (cut_off, LOST), (failed_use, USE)]
)
def test_unlatchs_own_calls_open_nothing(
    take: Callable[..., Any], detail: dict[str, Any], role: str
) -> None:
    arn = f"arn:aws:sts::111122223333:assumed-role/{role}/case-a"
    with pytest.raises(NotOursError, match="Unlatch itself"):
        read(take, detail, {"userIdentity": {"type": "AssumedRole", "arn": arn}})

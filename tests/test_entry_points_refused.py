"""The entry points that hear of refused calls on key stores and of losses: from the event to the case, through AWS's lists."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

import app as bot
from chalicelib import config, wiring
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import TemporaryError
from tests.aws.test_store_calls import CLUSTER, CONNECT, CREATE, DELETE_STORE, LOST, STORE
from tests.test_config import NEEDED
from tests.test_entry_points import HUB, REGION, Context, delete_failed, deployed, slack

__all__ = ["deployed", "slack"]
COPY, XKS = "cluster-7e6d5c4b3a2", "cks-0fedcba987654321f"
MADE_BY = "_make_api_call"
LISTS = {"DescribeClusters": "Clusters", "DescribeCustomKeyStores": "CustomKeyStores"}
Entry = Callable[[dict[str, Any], Context], dict[str, Any]]


class Listed:
    """What AWS lists, in its own words. moto knows no custom key stores."""

    def __init__(self) -> None:
        self.hsms = [{"HsmId": "hsm-2a3b4c5d6e7", "State": "ACTIVE", "AvailabilityZone": "1a"}]
        self.state, self.refused = "CONNECTED", ""
        self.asked: list[str] = []

    def reply(self, operation: str) -> dict[str, Any]:
        self.asked.append(operation)
        if operation == self.refused:
            error = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
            raise ClientError(error, operation)  # type: ignore[arg-type]  # no more of it is read
        return {LISTS[operation]: self._clusters() if "Clusters" in operation else self._stores()}

    def _clusters(self) -> list[dict[str, Any]]:
        known = {"State": "ACTIVE", "Certificates": {"ClusterCertificate": "line-a"}}
        return [
            {**known, "ClusterId": CLUSTER, "Hsms": self.hsms},
            {**known, "ClusterId": COPY, "Hsms": []},
        ]

    def _stores(self) -> list[dict[str, Any]]:
        held = {"CustomKeyStoreId": STORE, "CustomKeyStoreName": "payments"}
        external = {"CustomKeyStoreId": XKS, "CustomKeyStoreType": "EXTERNAL_KEY_STORE"}
        return [
            {**held, "CloudHsmClusterId": CLUSTER, "ConnectionState": self.state},
            {**external, "ConnectionState": "FAILED"},
        ]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Listed:
    listed = Listed()
    stock = getattr(botocore.client.BaseClient, MADE_BY)

    def call(client: Any, operation: str, given: dict[str, Any]) -> Any:
        return listed.reply(operation) if operation in LISTS else stock(client, operation, given)

    monkeypatch.setattr(botocore.client.BaseClient, MADE_BY, call)
    return listed


def event(detail: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = delete_failed()
    told["detail"] |= deepcopy(detail) | more
    told["detail"] = {name: value for name, value in told["detail"].items() if value is not ...}
    return told


def case_of(case_id: str) -> Case:
    return wiring.wired(Context()).ports.cases.load(case_id)


def runs() -> list[str]:
    machine = f"arn:aws:states:{REGION}:{HUB}:stateMachine:{NEEDED['STATE_MACHINE_NAME']}"
    found = boto3.client("stepfunctions", REGION).list_executions(stateMachineArn=machine)
    return [one["name"] for one in found["executions"]]


def breaks(aws: Listed) -> None:
    aws.hsms = []


OPENS: list[tuple[Entry, dict[str, Any], Trigger]] = [
    (bot.on_key_store_refused, CREATE, Trigger.CLUSTER_TAKEN),
    (bot.on_key_store_refused, DELETE_STORE, Trigger.STORE_DELETE_BLOCKED),
    (bot.on_key_store_refused, CONNECT, Trigger.STORE_DOWN),
    (bot.on_cluster_lost, LOST, Trigger.CLUSTER_LOST),
    (bot.on_cluster_lost, LOST | {"eventName": "DeleteCluster"}, Trigger.CLUSTER_LOST),
]
EACH = pytest.mark.parametrize(("entry", "detail", "trigger"), OPENS)


@EACH
def test_the_event_opens_the_case_of_the_cluster_once(
    aws: Listed, entry: Entry, detail: dict[str, Any], trigger: Trigger
) -> None:
    breaks(aws)
    case_id = entry(event(detail), Context())["case_id"]
    assert entry(event(detail), Context()) == {"case_id": case_id}
    case = case_of(case_id)
    assert (case.trigger, case.place) == (trigger, (HUB, REGION, CLUSTER))
    assert [(a.operation, a.key_store_id) for a in case.attempts] == [
        (event(detail)["detail"]["eventName"], STORE)
    ]
    assert runs() == [f"{case_id}-0"]


def test_further_events_of_all_kinds_fold(aws: Listed) -> None:
    breaks(aws)
    said = [
        entry(event(d, eventID=f"event-{n}"), Context()) for n, (entry, d, _) in enumerate(OPENS)
    ]
    case = case_of(said[0]["case_id"])
    assert said == [{"case_id": case.case_id}] * len(OPENS)
    assert [a.trigger for a in case.attempts] == [trigger for _, _, trigger in OPENS]
    assert bot.on_delete_blocked(delete_failed(), Context()) == {"case_id": case.case_id}
    assert runs() == [f"{case.case_id}-0"]


def test_a_copy_that_was_asked_for_is_about_the_cluster_of_the_store(aws: Listed) -> None:
    asked = {"requestParameters": {"customKeyStoreName": "new", "clusterId": COPY}}
    said = bot.on_key_store_refused(event(CREATE | asked), Context())
    case = case_of(said["case_id"])
    assert (case.cluster_id, case.attempts[0].asked) == (CLUSTER, COPY)


@EACH
@pytest.mark.parametrize("role", [config.EXECUTOR_ROLE, config.RESTORER_ROLE])
def test_our_own_calls_open_nothing(
    aws: Listed, entry: Entry, detail: dict[str, Any], trigger: Trigger, role: str
) -> None:
    breaks(aws)
    own = {"type": "AssumedRole", "arn": f"arn:aws:sts::{HUB}:assumed-role/{role}/case-1"}
    said = entry(event(detail, userIdentity=own), Context())
    assert said == {"refused": "the call was made by Unlatch itself"}, trigger
    assert (runs(), aws.asked) == ([], [])


@EACH
def test_an_account_that_is_not_served_opens_nothing(
    aws: Listed, entry: Entry, detail: dict[str, Any], trigger: Trigger
) -> None:
    breaks(aws)
    foreign = event(detail, recipientAccountId="999999999999")
    assert entry(foreign, Context()) == {"refused": "its account is not served"}, trigger
    assert (runs(), aws.asked) == ([], [])


@pytest.mark.parametrize("detail", [DELETE_STORE, CONNECT])
def test_an_external_key_store_is_left_alone(aws: Listed, detail: dict[str, Any]) -> None:
    external = event(detail | {"requestParameters": {"customKeyStoreId": XKS}})
    assert "XKS" in bot.on_key_store_refused(external, Context())["refused"]
    assert runs() == []


@pytest.mark.parametrize(
    ("entry", "detail", "why"),
    [
        (bot.on_key_store_refused, CONNECT, "it is not down"),
        (bot.on_cluster_lost, LOST, "an HSM is left"),
        (bot.on_cluster_lost, LOST | {"requestParameters": {"clusterId": COPY}}, "no key store"),
        (bot.on_key_store_refused, CONNECT | {"errorCode": "KMSInternalException"}, "no case"),
        (bot.on_key_store_refused, CONNECT | {"requestParameters": None}, "requestParameters"),
        (bot.on_cluster_lost, LOST | {"errorCode": "CloudHsmServiceException"}, "nothing is lost"),
        (bot.on_cluster_lost, LOST | {"eventName": "CreateHsm"}, "deletes neither"),
    ],
)
def test_what_is_no_case_is_refused_with_the_reason(
    aws: Listed, entry: Entry, detail: dict[str, Any], why: str
) -> None:
    assert why in entry(event(detail), Context())["refused"]
    assert runs() == []


@EACH
@pytest.mark.parametrize("refused", LISTS)
def test_what_aws_does_not_tell_fails_the_invocation_so_that_lambda_tries_again(
    aws: Listed, entry: Entry, detail: dict[str, Any], trigger: Trigger, refused: str
) -> None:
    breaks(aws)
    aws.refused = refused
    with pytest.raises(TemporaryError, match=refused):
        entry(event(detail), Context())
    assert runs() == []
    aws.refused = ""
    assert case_of(entry(event(detail), Context())["case_id"]).trigger is trigger

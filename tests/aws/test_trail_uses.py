"""Failed uses of keys, looked up key by key in CloudTrail's own memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import event_patterns
from chalicelib.aws.accounts import Accounts
from chalicelib.aws.cloudtrail import USES, NotOursError, key_uses
from chalicelib.aws.trail import MOST_PAGES, AwsTrail
from chalicelib.domain.state.trigger import Trigger
from sandbox.reliability.corpus import CODES, DELETE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "us-east-1"
OWN = ("unlatch-executor", "unlatch-restorer")


class Sts:
    def __init__(self) -> None:
        self.asked = 0

    def assume_role(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        words = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        return {"Credentials": dict.fromkeys(words, "x")}


def resources_of(record: dict[str, Any]) -> list[str]:
    return [one["ARN"] for one in record.get("resources", ())]


def name_of(record: dict[str, Any]) -> list[str]:
    return [record["eventName"]]


class CloudTrail:
    """Pages of 50, newest first, as LookupEvents gives them."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records, self.requests = records, 0
        self.meta = SimpleNamespace(region_name=REGION)

    def lookup_events(self, **request: Any) -> dict[str, Any]:
        self.requests += 1
        (attribute,) = request["LookupAttributes"]
        named = {"ResourceName": resources_of, "EventName": name_of}[attribute["AttributeKey"]]
        found = [
            r
            for r in self.records
            if attribute["AttributeValue"] in named(r)
            and datetime.fromisoformat(r["eventTime"]) >= request["StartTime"]
        ]
        start = int(request.get("NextToken", 0))
        page = {"Events": [{"CloudTrailEvent": json.dumps(r)} for r in found[start : start + 50]]}
        more = {"NextToken": str(start + 50)} if len(found) > start + 50 else {}
        return {**page, **more}


def record(number: int, key_id: str = "key-1", **more: Any) -> dict[str, Any]:
    return {
        "eventID": f"event-{number}",
        "eventName": "Decrypt",
        "eventTime": (NOW - timedelta(seconds=number)).isoformat(),
        "errorCode": "KMSInvalidStateException",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/billing/job",
        },
        "resources": [{"ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"}],
        **more,
    }


def trail(cloudtrail: CloudTrail, sts: Sts | None = None) -> tuple[AwsTrail, list[str]]:
    paced: list[str] = []
    asked: Any = sts or Sts()
    accounts = Accounts(asked, lambda service, region, keys: cloudtrail)

    def pace(call: str, place: str) -> Any:
        assert place == f"{ACCOUNT} {REGION}"
        return lambda: paced.append(call)

    return AwsTrail(accounts, "unlatch-reader", OWN, CODES, pace), paced


def uses(cloudtrail: CloudTrail, **keys: datetime) -> Mapping[str, list[str]]:
    read, _ = trail(cloudtrail)
    named = {key.replace("_", "-"): since for key, since in keys.items()}
    found: Iterator[Any] = read.failed_uses(ACCOUNT, REGION, keys=named)
    return {key_id: [use.event_id for use in items] for key_id, items in found}


HOUR_AGO = NOW - timedelta(hours=1)


def test_each_key_has_its_own_uses_since_its_own_time_oldest_first() -> None:
    cloudtrail = CloudTrail([record(1), record(2), record(5, "key-2"), record(30)])
    found = uses(cloudtrail, key_1=NOW - timedelta(seconds=10), key_2=HOUR_AGO, key_3=HOUR_AGO)
    assert found == {"key-1": ["event-2", "event-1"], "key-2": ["event-5"], "key-3": []}


CLUSTER = DELETE["detail"]["requestParameters"]["clusterId"]
HSM: dict[str, Any] = {
    "eventSource": "cloudhsm.amazonaws.com",
    "requestParameters": {"clusterId": CLUSTER, "hsmId": "hsm-2a3b4c5d6e7"},
}
STORE: dict[str, Any] = {
    "eventSource": "kms.amazonaws.com",
    "requestParameters": {"customKeyStoreId": "cks-1234567890abcdef0"},
}
HEARD: list[tuple[str, dict[str, Any], Trigger | None]] = [
    ("a delete that failed", {**HSM, "eventName": "DeleteCluster", "errorCode": CODES[0]}, Trigger.DELETE_BLOCKED),
    ("a delete that somebody was denied", {**HSM, "eventName": "DeleteCluster", "errorCode": "AccessDenied"}, None),
    ("a cluster that somebody deleted", {**HSM, "eventName": "DeleteCluster", "errorCode": None}, Trigger.CLUSTER_LOST),
    ("an HSM that somebody deleted", {**HSM, "eventName": "DeleteHsm", "errorCode": None}, Trigger.CLUSTER_LOST),
    ("an HSM that nobody could delete", {**HSM, "eventName": "DeleteHsm", "errorCode": CODES[1]}, None),
    ("an HSM that somebody made", {**HSM, "eventName": "CreateHsm", "errorCode": None}, None),
    ("a store that nobody could delete", {**STORE, "eventName": "DeleteCustomKeyStore", "errorCode": "CustomKeyStoreHasCMKsException"}, Trigger.STORE_DELETE_BLOCKED),
    ("a store that somebody deleted", {**STORE, "eventName": "DeleteCustomKeyStore", "errorCode": None}, None),
]  # fmt: skip


@pytest.mark.parametrize(("why", "changed", "trigger"), HEARD, ids=[h[0] for h in HEARD])
def test_a_call_is_heard_as_its_event_would_be(
    why: str, changed: dict[str, Any], trigger: Trigger | None
) -> None:
    read, paced = trail(CloudTrail([record(1, **changed)]))
    found = read.calls(ACCOUNT, REGION, since=HOUR_AGO, names=[changed["eventName"]])
    assert [call.attempt.trigger for call in found] == ([trigger] if trigger else []), why
    assert paced == ["cloudtrail:LookupEvents"]


def test_calls_of_all_names_come_oldest_first_and_ours_are_none() -> None:
    lost = {**HSM, "errorCode": None}
    own = {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{OWN[0]}/case-1"}
    records = [
        record(1, eventName="DeleteHsm", **lost),
        record(2, eventName="DeleteCluster", **lost),
        record(3, eventName="DeleteHsm", **lost),
        record(4, eventName="DeleteHsm", **{**lost, "userIdentity": own}),
        record(4_000, eventName="DeleteHsm", **lost),
    ]
    read, _ = trail(CloudTrail(records))
    found = read.calls(ACCOUNT, REGION, since=HOUR_AGO, names=["DeleteHsm", "DeleteCluster"])
    assert [call.attempt.event_id for call in found] == ["event-3", "event-2", "event-1"]


def test_what_is_no_failed_use_by_others() -> None:
    executor = {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/unlatch-executor/case-1"}
    none = [
        record(1, errorCode="AccessDenied"),
        record(2, errorCode=None),
        record(3, eventName="DescribeKey"),
        record(4, eventName="ScheduleKeyDeletion"),
        record(5, userIdentity={"type": "AssumedRole", **executor}),
        record(6, eventTime=NOW.isoformat(), eventID=None),
    ]
    assert uses(CloudTrail([*none, record(7)]), key_1=HOUR_AGO) == {"key-1": ["event-7"]}


def test_records_that_cant_be_read_are_passed_over() -> None:
    cloudtrail = CloudTrail([])
    pages = [{"CloudTrailEvent": words} for words in ("{", "[]", "null", "3")]
    cloudtrail.lookup_events = lambda **_: {"Events": [*pages, {}]}  # type: ignore[method-assign]
    assert uses(cloudtrail, key_1=HOUR_AGO) == {"key-1": []}


def test_every_request_keeps_its_pace_and_one_session_does_for_all() -> None:
    sts, cloudtrail = Sts(), CloudTrail([record(number) for number in range(120)])
    read, paced = trail(cloudtrail, sts)
    list(read.failed_uses(ACCOUNT, REGION, keys={"key-1": HOUR_AGO, "key-2": HOUR_AGO}))
    assert paced == ["cloudtrail:LookupEvents"] * 4
    assert sts.asked == 1


def test_a_session_lasts_for_one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = Sts()
    read, _ = trail(CloudTrail([]), sts)
    for now, asked in ((0.0, 1), (299.0, 1), (3_600.0, 2)):
        monkeypatch.setattr(time, "time", lambda now=now: 1_800_000_000.0 + now)
        list(read.failed_uses(ACCOUNT, REGION, keys={"key-1": HOUR_AGO}))
        assert sts.asked == asked
    list(read.failed_uses(ACCOUNT, "eu-central-1", keys={"key-1": HOUR_AGO}))
    assert sts.asked == 3


def test_a_program_that_fails_all_the_time_does_not_take_all_the_time() -> None:
    cloudtrail = CloudTrail([record(number) for number in range(3_000)])
    found = uses(cloudtrail, key_1=HOUR_AGO)
    assert cloudtrail.requests == MOST_PAGES
    assert found["key-1"][-1] == "event-0", "the newest are read"


def test_the_other_key_of_a_use_is_not_taken_for_the_one_asked_for() -> None:
    both = [{"ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{one}"} for one in ("key-2", "key-1")]
    cloudtrail = CloudTrail([record(1, eventName="ReEncrypt", resources=both)])
    read, _ = trail(cloudtrail)
    found = dict(read.failed_uses(ACCOUNT, REGION, keys={"key-1": HOUR_AGO, "key-2": HOUR_AGO}))
    assert {key_id: [use.key_id for use in uses] for key_id, uses in found.items()} == {
        "key-1": ["key-1"],
        "key-2": ["key-2"],
    }


ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
ALIAS = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/payments"
NAMED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("two resources", {"resources": [{"ARN": f"{ARN}a"}, {"ARN": f"{ARN}b"}]}, ["a", "b"]),
    ("the request too", {"requestParameters": {"destinationKeyId": f"{ARN}b", "sourceKeyId": "c"}}, ["key-1", "c", "b"]),
    ("the same twice", {"requestParameters": {"keyId": "key-1"}}, ["key-1"]),
    ("the request alone", {"resources": None, "requestParameters": {"keyId": f"{ARN}a"}}, ["a"]),
    ("a name, and its key", {"requestParameters": {"keyId": "alias/payments"}}, ["key-1"]),
    ("a name's ARN, and its key", {"requestParameters": {"keyId": ALIAS}}, ["key-1"]),
    ("odd values", {"resources": ["x", {"ARN": 7}, {"ARN": f"{ARN}a"}], "requestParameters": []}, ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "changed", "keys"), NAMED, ids=[n[0] for n in NAMED])
def test_each_key_that_a_record_names_was_used(
    why: str, changed: dict[str, Any], keys: list[str]
) -> None:
    found, account, region = key_uses({"detail": record(1, **changed)}, own_roles=OWN)
    assert [use.key_id for use in found] == keys, why
    assert {use.event_id for use in found} == {"event-1"}
    assert (account, region) == (ACCOUNT, REGION)


@pytest.mark.parametrize("asked", [None, {"keyId": "alias/payments"}, {"keyId": ALIAS}])
def test_a_name_alone_names_no_key(asked: object) -> None:
    with pytest.raises(NotOursError, match="does not name the key"):
        key_uses({"detail": record(1, resources=[], requestParameters=asked)}, own_roles=OWN)


def test_our_own_proof_that_fails_is_no_use_by_others() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/unlatch-executor/case-1"
    proof = record(1, userIdentity={"type": "AssumedRole", "arn": arn})
    with pytest.raises(NotOursError, match="Unlatch itself"):
        key_uses({"detail": proof}, own_roles=OWN)


def test_the_rule_sees_what_the_sweep_looks_for() -> None:
    assert set(event_patterns.KEY_USE_FAILED["detail"]["eventName"]) == USES  # type: ignore[index]  # JSON


@pytest.mark.parametrize("name", ["DescribeKey", "EnableKey", None])
def test_an_event_that_is_no_use_is_refused(name: str | None) -> None:
    with pytest.raises(NotOursError, match="no use of a key"):
        key_uses({"detail": record(1, eventName=name)}, own_roles=OWN)

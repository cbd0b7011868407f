"""CloudTrail records in, failed deletes out: what is needed is checked, what may be missing may be missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.aws.cloudtrail import (
    LONGEST,
    PROBE_CLUSTER,
    NotOursError,
    caller_from,
    failed_delete,
    is_own,
    key_uses,
    probe_of,
    short,
)
from chalicelib.aws.store import codec
from chalicelib.domain.state.caller import Caller, Tool
from chalicelib.domain.state.case import KeyUse
from sandbox.reliability.corpus import CODES, DELETE, OWN, USE


def read(**detail: Any) -> Any:
    event = deepcopy(DELETE)
    event["detail"] |= detail
    event["detail"] = {k: v for k, v in event["detail"].items() if v is not ...}
    return failed_delete(event, codes=CODES, own_roles=OWN)


def test_the_whole_of_it() -> None:
    failed = read()
    assert (failed.account, failed.region) == ("111122223333", "us-east-1")
    assert failed.cluster_id == "cluster-2a3b4c5d6e7"
    assert failed.attempt.event_id == DELETE["detail"]["eventID"]
    assert failed.attempt.caller.name == "role deploy-ci"
    assert failed.attempt.at.tzinfo


@pytest.mark.parametrize(
    "name",
    [
        "userIdentity",
        "userAgent",
        "errorMessage",
        "eventVersion",
        "eventSource",
        "recipientAccountId",
    ],
)
def test_what_may_be_missing_may_be_missing(name: str) -> None:
    assert read(**{name: ...}).account == "111122223333"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"eventName": "DeleteHsm"}, "eventName is DeleteHsm, not DeleteCluster"),
        ({"eventSource": "kms.amazonaws.com"}, "eventSource is kms.amazonaws.com, not CloudHSM’s"),
        ({"errorCode": "AccessDenied"}, "errorCode is AccessDenied, which is not listed in"),
        ({"errorCode": ...}, "errorCode is None, which is not listed in error_codes"),
        ({"requestParameters": None}, "requestParameters is missing"),
        ({"requestParameters": {"clusterId": "cluster-1"}}, "clusterId is cluster-1, which is not"),
        ({"requestParameters": {"clusterId": "cluster-2a3b4c5d6e7\n"}}, "clusterId"),
        ({"requestParameters": {"clusterId": ["cluster-2a3b4c5d6e7"]}}, "clusterId"),
        ({"eventID": "../../x"}, "eventID is ../../x, which is not one"),
        ({"eventTime": "yesterday"}, "the time is yesterday, which is not one"),
        ({"recipientAccountId": "12"}, "account is 12, which is not one"),
        ({"awsRegion": "nowhere"}, "awsRegion is nowhere, which is not one"),
    ],
)
def test_anything_else_is_refused_with_the_reason(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=re.escape(reason)):
        read(**detail)


@pytest.mark.parametrize("role", OWN)
def test_unlatchs_own_failures_open_nothing(role: str) -> None:
    arn = f"arn:aws:sts::111122223333:assumed-role/{role}/case-a"
    with pytest.raises(NotOursError, match="Unlatch itself"):
        read(userIdentity={"type": "AssumedRole", "arn": arn})


def test_the_code_counts_with_and_without_its_ending() -> None:
    assert read(errorCode="CloudHsmClusterInUse").attempt.error_code == "CloudHsmClusterInUse"


def test_the_envelope_says_what_the_record_does_not() -> None:
    found = read(recipientAccountId=..., awsRegion=..., eventTime=...)
    assert (found.account, found.region) == (DELETE["account"], DELETE["region"])
    assert found.attempt.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    elsewhere = read(recipientAccountId="444455556666", awsRegion="eu-west-1")
    assert (elsewhere.account, elsewhere.region) == ("444455556666", "eu-west-1")


def test_a_time_without_a_zone_is_utc() -> None:
    assert read(eventTime="2026-03-02T09:00:00").attempt.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert read(eventTime="2026-03-02T10:00:00+01:00").attempt.at == datetime(
        2026, 3, 2, 9, tzinfo=UTC
    )


def test_foreign_words_are_cut_once_they_are_longer_than_a_screen() -> None:
    assert short("x" * LONGEST) == "x" * LONGEST
    assert short("x" * (LONGEST + 1)) == f"{'x' * 100}… (cut)"


def test_half_a_character_can_be_written_in_json_and_is_not_kept() -> None:
    """The table would not take it, and one such call would keep the sweep from all others of its place."""
    identity = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/ci/a\ud800b"}
    caller = read(userIdentity=identity).attempt.caller
    assert caller.session_name == "a?b"
    assert codec.dump(caller).encode()


USER = "arn:aws:iam::111122223333:user/team/bob"
CALLERS: list[tuple[str, dict[str, Any], Caller]] = [
    ("nothing is known", {}, Caller("", "somebody unknown", "")),
    ("a service", {"userIdentity": {"type": "AWSService", "invokedBy": "kms.amazonaws.com"}}, Caller("", "kms.amazonaws.com", "AWSService")),
    ("a tool and no ARN", {"userIdentity": {"userName": "bob"}, "userAgent": "Boto3/1.40"}, Caller("", "bob", "", tool=Tool.SDK)),
    ("a name alone", {"userIdentity": {"userName": "bob"}}, Caller("", "bob", "")),
    ("an ARN alone", {"userIdentity": {"arn": USER}}, Caller(USER, "bob", "")),
    ("the name beside it", {"userIdentity": {"arn": USER, "type": "IAMUser", "userName": "robert"}}, Caller(USER, "robert", "IAMUser")),
    ("a tool", {"userIdentity": {"arn": USER}, "userAgent": "aws-cli/2.1"}, Caller(USER, "bob", "", tool=Tool.CLI)),
    ("a source identity", {"userIdentity": {"arn": USER, "sessionContext": {"sourceIdentity": "ann"}}}, Caller(USER, "bob", "", source_identity="ann")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "detail", "caller"), CALLERS, ids=[c[0] for c in CALLERS])
def test_who_called_as_far_as_the_record_says(
    why: str, detail: dict[str, Any], caller: Caller
) -> None:
    assert caller_from(detail) == caller, why


def test_a_failed_use_whole() -> None:
    detail = {**USE["detail"], "additionalEventData": {"customKeyStoreId": "cks-1"}}
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    one = KeyUse(detail["eventID"], at, "key-0", "role deploy-ci", "Decrypt", key_store_id="cks-1")
    assert key_uses({**USE, "detail": detail}, own_roles=OWN)[0] == (one,)
    (of_no_store,), *_ = key_uses(USE, own_roles=OWN)
    assert of_no_store.key_store_id == ""
    late = {**USE, "detail": {**detail, "eventTime": None}}
    assert key_uses(late, own_roles=OWN)[0] == (one,), "the envelope has the time, too"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"errorCode": "AccessDenied"}, "errorCode is AccessDenied"),
        ({"errorCode": None}, "errorCode is None"),
        ({"eventName": "DescribeKey"}, "eventName is DescribeKey, which is no use of a key"),
    ],
)
def test_what_is_no_failed_use_says_what_it_is(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=f"^{reason}$"):
        key_uses({**USE, "detail": {**USE["detail"], **detail}}, own_roles=OWN)


@pytest.mark.parametrize("code", ["DisabledException", "KMSInvalidStateException"])
def test_a_key_that_is_off_and_a_store_that_is_down_are_failed_uses(code: str) -> None:
    listed = [{"arn": "arn:aws:kms:us-east-1:111122223333:key/key-7"}]
    detail = {**USE["detail"], "errorCode": code, "resources": listed}
    placeless = {**detail, "recipientAccountId": None, "awsRegion": None}
    (use,), account, region = key_uses({**USE, "detail": placeless}, own_roles=OWN)
    assert (use.key_id, account, region) == ("key-7", DELETE["account"], DELETE["region"])


READERS: dict[str, Callable[[Any], object]] = {
    "a failed delete": lambda event: failed_delete(event, codes=CODES, own_roles=OWN),
    "a failed use": lambda event: key_uses(event, own_roles=OWN),
    "the doctor’s call": probe_of,
}


@pytest.mark.parametrize("take", READERS.values(), ids=READERS)
def test_what_is_no_record_at_all(take: Callable[[Any], object]) -> None:
    for event, reason in (
        (None, "event"),
        ([], "event"),
        ({}, "detail"),
        ({"detail": 7}, "detail"),
    ):
        with pytest.raises(NotOursError, match=f"^{reason} is missing$"):
            take(event)


def doctor(**detail: Any) -> dict[str, Any]:
    asked = {"requestParameters": {"clusterId": PROBE_CLUSTER}}
    return {**DELETE, "detail": {**DELETE["detail"], **asked, **detail}}


def test_the_doctors_call_opens_no_case_and_is_noted_whole() -> None:
    with pytest.raises(NotOursError, match=r"^it is the call of unlatch doctor --live$"):
        failed_delete(doctor(), codes=CODES, own_roles=OWN)
    event = doctor(recipientAccountId=None, awsRegion="eu-west-1")
    assert probe_of(event) == (event["detail"], (DELETE["account"], "eu-west-1"))


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({"requestParameters": None}, "it is not the call of unlatch doctor --live"),
        ({"requestParameters": {"clusterId": "x"}}, "it is not the call of unlatch doctor --live"),
        ({"eventID": "../x"}, "eventID is ../x, which is not one"),
        ({"eventID": None}, "eventID is None, which is not one"),
    ],
)
def test_only_the_doctors_call_is_noted(detail: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotOursError, match=f"^{re.escape(reason)}$"):
        probe_of(doctor(**detail))


def test_a_role_is_our_own_by_its_name_alone() -> None:
    def called(resource: str) -> Caller:
        return Caller(f"arn:aws:sts::111122223333:{resource}", "x", "AssumedRole")

    assert is_own(called(f"assumed-role/{OWN[0]}/case-1"), OWN)
    assert not is_own(called(f"assumed-role/deploy/{OWN[0]}"), OWN)
    assert not is_own(called(f"user/{OWN[0]}"), OWN)
    assert not is_own(called("assumed-role"), OWN)

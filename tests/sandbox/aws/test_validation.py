"""Requests that break AWS's model are refused in each service's own word, and never with a 500."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from botocore.model import Shape, StructureShape

from sandbox.aws.calls import NAMES
from sandbox.aws.replies import model_of, operation_model
from tests.sandbox.aws.aws_stand import CLUSTER, STORE, Stand

PREFIXES = {
    "cloudhsm": "BaldrApiService",
    "kms": "TrentService",
    "cloudtrail": "CloudTrail",
    "monitoring": "GraniteServiceVersion20100801",
    "events": "AWSEvents",
    "servicequotas": "ServiceQuotasV20190624",
}
OPERATIONS = [
    *(("kms", name) for name in model_of("kms").operation_names),
    *(("cloudhsm", name) for name in model_of("cloudhsm").operation_names),
    ("cloudtrail", "LookupEvents"),
    ("monitoring", "GetMetricData"),
    ("monitoring", "ListMetrics"),
    ("events", "TestEventPattern"),
    ("servicequotas", "ListServiceQuotas"),
]
BY_FORM = [
    ("ec2", "DescribeNetworkInterfaces"),
    ("ec2", "DescribeSubnets"),
    ("sts", "AssumeRole"),
    ("sts", "GetCallerIdentity"),
]
"""Asked by a form, not in JSON."""
# Of the right form, and nothing has them.
UNKNOWN = (
    "cluster-aaaaaaaaaaa", "hsm-aaaaaaaaaaa", "backup-aaaaaaaaaaa", "cks-0000000000000000f",
    "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/none",
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:iam::111122223333:role/none", "subnet-0000000f",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, 7, -1, 1.5, 1e300, float("nan"), 10**30, True, "x", "", "\ud800", [], {}, [[]], [None],
    {"x": {}}, {"\ud800": "x"}, "alias/payments", *UNKNOWN,
)  # fmt: skip


def signature(stand: Stand, service: str) -> str:
    issued = stand.server.identity.register("111122223333", "arn:aws:iam::111122223333:root")
    scope = f"{issued.access_key_id}/20260302/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def ask(stand: Stand, service: str, operation: str, body: Any) -> tuple[int, str, str]:
    """Status, error code and message of a request that no SDK would make."""
    headers = {
        "X-Amz-Target": f"{PREFIXES[service]}.{operation}",
        "Authorization": signature(stand, service),
        "Content-Type": "application/x-amz-json-1.1",
    }
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(stand.server.url, data, headers)) as reply:
            return reply.status, "", ""
    except urllib.error.HTTPError as error:
        with error:
            told = json.loads(error.read())
        return error.code, told["__type"], told.get("message", told.get("Message"))


@pytest.mark.parametrize(
    ("call", "body", "code", "words"),
    [
        ("kms:DescribeKey", {}, "ValidationException", "null at 'keyId'"),
        ("kms:DescribeKey", {"KeyId": 7}, "SerializationException", "NUMBER_VALUE"),
        ("kms:DescribeKey", {"KeyId": ""}, "ValidationException", "length greater than"),
        ("kms:DescribeKey", b"{", "SerializationException", "not a JSON object"),
        ("kms:DescribeKey", [], "SerializationException", "not a JSON object"),
        (
            "kms:CreateKey",
            {"KeySpec": "RSA"},
            "ValidationException",
            "enum value set: [RSA_2048",
        ),
        ("kms:CreateKey", {"Tags": {}}, "SerializationException", "a list was expected"),
        ("kms:CreateKey", {"Tags": [{}]}, "ValidationException", "2 validation errors"),
        ("kms:CreateKey", {"Tags": [[]]}, "SerializationException", "a structure was expected"),
        ("kms:CreateKey", {"MultiRegion": "yes"}, "SerializationException", "boolean"),
        ("kms:Encrypt", {"KeyId": "k", "Plaintext": "?"}, "SerializationException", "Base64"),
        ("kms:NoSuchThing", {}, "UnknownOperationException", "kms:NoSuchThing"),
        (
            "kms:ScheduleKeyDeletion",
            {"KeyId": "k", "PendingWindowInDays": "7"},
            "SerializationException",
            "STRING_VALUE can not be converted to integer",
        ),
        (
            "kms:Encrypt",
            {"KeyId": "k", "Plaintext": "eA==", "EncryptionContext": []},
            "SerializationException",
            "a map was expected",
        ),
        (
            "kms:UpdateCustomKeyStore",
            {"CustomKeyStoreId": STORE, "KeyStorePassword": "secret"},
            "ValidationException",
            "Value at 'keyStorePassword' failed",
        ),
        ("cloudhsm:DeleteCluster", {}, "CloudHsmInvalidRequestException", "'clusterId'"),
        (
            "cloudhsm:DeleteCluster",
            {"ClusterId": f" {CLUSTER}"},
            "CloudHsmInvalidRequestException",
            "regular expression pattern: cluster-",
        ),
        (
            "cloudhsm:TagResource",
            {"ResourceId": CLUSTER, "TagList": [{"Key": "Größe", "Value": "a!"}]},
            "CloudHsmInvalidRequestException",
            "1 validation error detected: Value 'a!' at 'tagList.1.member.value'",
        ),
        (
            "cloudhsm:DescribeClusters",
            {"Filters": {"states": "ACTIVE"}},
            "SerializationException",
            "a list was expected at 'filters.states'",
        ),
        (
            "cloudtrail:LookupEvents",
            {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]},
            "InvalidLookupAttributesException",
            "enum value set",
        ),
        ("cloudtrail:LookupEvents", {"MaxResults": 51}, "InvalidMaxResultsException", "50"),
        (
            "cloudtrail:LookupEvents",
            {"EventCategory": "sights"},
            "InvalidEventCategoryException",
            "insight",
        ),
        ("cloudtrail:LookupEvents", {"StartTime": "now"}, "SerializationException", "timestamp"),
        ("cloudtrail:LookupEvents", {"EndTime": 1e18}, "SerializationException", "no moment"),
        ("kms:DescribeKey", {"KeyId": "\ud800"}, "SerializationException", "half a character"),
    ],
)
def test_what_the_model_forbids_is_refused_in_the_services_word(
    stand: Stand, call: str, body: Any, code: str, words: str
) -> None:
    stand.seed(other_keys=0)
    service, operation = call.split(":")
    status, told, message = ask(stand, service, operation, body)
    assert (status, told) == (400, code)
    assert words in message


def test_a_null_counts_as_not_given_and_an_unknown_member_is_passed_over(stand: Stand) -> None:
    stand.seed(other_keys=0)
    body = {"KeyId": stand.key(0), "GrantTokens": None, "Colour": "red"}
    assert ask(stand, "kms", "DescribeKey", body)[0] == 200


def likely(shape: Shape, stand: Stand, name: str) -> Any:
    """A value of the right form that may even exist."""
    match shape.type_name:
        case "structure":
            assert isinstance(shape, StructureShape)
            return {n: likely(shape.members[n], stand, n) for n in shape.required_members}
        case "list":
            return []
        case "map":
            return {}
        case "integer" | "timestamp":
            return shape.metadata.get("min", 20)
        case "boolean":
            return True
        case "blob":
            return "eA=="
    known = {"ClusterId": CLUSTER, "CustomKeyStoreId": STORE, "ResourceId": CLUSTER}
    keys = ("KeyId", "TargetKeyId", "DestinationKeyId")
    values = getattr(shape, "enum", None) or [known.get(name, "x")]
    return stand.key(0) if name in keys else values[0]


@pytest.mark.slow
@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_no_request_is_answered_with_a_500(stand: Stand, service: Any, operation: Any) -> None:
    stand.seed(other_keys=0)
    shape = operation_model(NAMES.get(service, service), operation).input_shape
    if shape is None:
        return
    whole = {name: likely(member, stand, name) for name, member in shape.members.items()}
    bodies: list[Any] = [{}, whole, {n: whole[n] for n in shape.required_members}]
    for name in shape.members:
        bodies.append({n: value for n, value in whole.items() if n != name})
        bodies += [{**whole, name: odd} for odd in ODD]
        least = {n: whole[n] for n in shape.required_members}
        bodies += [{**least, name: odd} for odd in (whole[name], *ODD)]
    for body in bodies:
        status, code, message = ask(stand, service, operation, body)
        assert status in (200, 400), f"{body} {code} {message}"


def flat(name: str, value: Any) -> dict[str, str]:
    """A member as a form has it."""
    if isinstance(value, list):
        found = [flat(f"{name}.{place}", item) for place, item in enumerate(value, start=1)]
        return {key: each for one in found for key, each in one.items()}
    if isinstance(value, dict):
        return {
            key: each
            for n, item in value.items()
            for key, each in flat(f"{name}.{n}", item).items()
        }
    return {name: str(value)}


def send(stand: Stand, service: str, fields: dict[str, str]) -> int:
    """The status of a form that no SDK would send."""
    headers = {
        "Authorization": signature(stand, service),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    data = urllib.parse.urlencode(fields, errors="replace").encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(stand.server.url, data, headers)) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
@pytest.mark.parametrize(("service", "operation"), BY_FORM)
def test_no_form_is_answered_with_a_500(stand: Stand, service: Any, operation: Any) -> None:
    stand.seed(other_keys=0)
    model = operation_model(service, operation)
    about = {"Action": operation, "Version": str(model.service_model.api_version)}
    members = model.input_shape.members if model.input_shape else {}
    whole: dict[str, str] = {}
    for name, member in members.items():
        spelled = member.serialization.get("name", name)
        whole |= flat(spelled, [{"Name": "group-id", "Value": ["x"]}] if name == "Filters" else "x")
    bodies = [about, about | whole]
    for name in whole:
        bodies.append(about | {n: value for n, value in whole.items() if n != name})
        bodies += [about | whole | flat(name, odd) for odd in ODD]
        bodies += [about | flat(name, odd) for odd in ODD]
    for body in bodies:
        assert send(stand, service, body) in (200, 400, 403), body

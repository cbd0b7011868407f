"""Each request's way through the sandbox's AWS: callers, faults, checks and what is remembered."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
import zlib
from contextlib import suppress
from datetime import timedelta
from typing import Any, Never

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    IncompleteReadError,
    ResponseStreamingError,
)

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.faults import Faults, Window
from sandbox.aws.replies import WrongReplyError, check_result
from sandbox.clock import Clock
from tests.sandbox.aws.aws_stand import BOT, CI, CLUSTER, HUB, NOW, SPOKE, STORE, Stand, refused

TEMPLATE = {
    "Resources": {
        "Seal": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        },
        "SealAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/unlatch-dev-seal", "TargetKeyId": {"Ref": "Seal"}},
        },
        "Token": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "unlatch/dev/x"}},
        "Reader": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "unlatch-reader", "AssumeRolePolicyDocument": {}},
        },
    }
}


def create_stack(stand: Stand, account: str) -> None:
    stand.client("cloudformation", account=account).create_stack(
        StackName="s", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )


def test_templates_make_the_seal_the_secret_and_roles_in_their_account(stand: Stand) -> None:
    create_stack(stand, SPOKE)
    kms = stand.client("kms", account=SPOKE)
    sealed = {"KeyId": "alias/unlatch-dev-seal", "MacAlgorithm": "HMAC_SHA_256", "Message": b"x"}
    assert kms.verify_mac(**sealed, Mac=kms.generate_mac(**sealed)["Mac"])["MacValid"]
    secrets = stand.client("secretsmanager", account=SPOKE)
    secrets.put_secret_value(SecretId="unlatch/dev/x", SecretString="y")
    assert secrets.get_secret_value(SecretId="unlatch/dev/x")["SecretString"] == "y"
    assert refused(stand.client("kms").describe_key, KeyId=sealed["KeyId"]) == "NotFoundException"


def test_an_assumed_role_is_remembered_with_its_reasons(stand: Stand) -> None:
    create_stack(stand, SPOKE)
    role = f"arn:aws:iam::{SPOKE}:role/unlatch-reader"
    turn = "arn:aws:sts::{account}:assumed-role/unlatch-dev-turn/turn"
    answer = stand.client("sts", turn).assume_role(
        RoleArn=role,
        RoleSessionName="case-1",
        SourceIdentity="alice",
        Tags=[{"Key": "case", "Value": "case-1"}],
    )
    issued = answer["Credentials"]
    assert issued["Expiration"] == NOW + timedelta(hours=1)
    identity = stand.server.identity.find(issued["AccessKeyId"])
    assert (identity.account, identity.role, identity.source_identity) == (SPOKE, role, "alice")
    assert (identity.session_name, dict(identity.tags)) == ("case-1", {"case": "case-1"})
    assert answer["AssumedRoleUser"]["Arn"] == identity.arn


def test_no_session_for_a_role_that_does_not_exist_there(stand: Stand) -> None:
    create_stack(stand, SPOKE)
    role = f"arn:aws:iam::{HUB}:role/unlatch-reader"
    sts = stand.client("sts", BOT)
    assert refused(sts.assume_role, RoleArn=role, RoleSessionName="case-1") == "AccessDenied"


def test_calls_are_remembered_with_caller_and_effect(stand: Stand) -> None:
    stand.seed()
    refused(stand.client("cloudhsmv2").delete_cluster, ClusterId=CLUSTER)
    stand.client("kms", BOT).disconnect_custom_key_store(CustomKeyStoreId=STORE)
    failed, landed = stand.server.calls
    assert (failed.service, failed.operation, failed.params) == (
        "cloudhsm",
        "DeleteCluster",
        {"ClusterId": CLUSTER},
    )
    assert (failed.error, failed.landed, failed.by_bot) == (
        "CloudHsmClusterInUseException",
        False,
        False,
    )
    assert failed.role == f"arn:aws:iam::{HUB}:role/deploy-ci"
    assert (landed.error, landed.landed, landed.by_bot) == (None, True, True)


def test_motos_services_run_in_the_callers_account_on_sandbox_time(stand: Stand) -> None:
    table = {
        "TableName": "unlatch-dev",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
    made = stand.client("dynamodb", account=SPOKE).create_table(**table)["TableDescription"]
    assert made["CreationDateTime"] == NOW
    assert SPOKE in made["TableArn"]
    code = refused(stand.client("dynamodb").describe_table, TableName="unlatch-dev")
    assert code == "ResourceNotFoundException"
    assert [call.landed for call in stand.server.calls] == [True, False]
    assert stand.server.calls[-1].error == code


def test_faults_count_only_the_bots_requests(stand: Stand) -> None:
    stand.seed()
    stand.server.faults.add("kms:DescribeKey", 2, kind="error", code="AccessDeniedException")
    key, bot, ci = stand.key(0), stand.client("kms", BOT), stand.client("kms")
    bot.describe_key(KeyId=key)
    ci.describe_key(KeyId=key)
    assert refused(bot.describe_key, KeyId=key) == "AccessDeniedException"
    bot.describe_key(KeyId=key)
    record = stand.events[0]["detail"]
    assert (record["eventName"], record["errorCode"]) == ("DescribeKey", "AccessDeniedException")


@pytest.mark.parametrize(
    ("kind", "lands", "kills"),
    [("timeout", True, False), ("crash_before", False, True), ("crash_after", True, True)],
)
def test_lost_replies_land_or_not_as_their_kind_says(
    stand: Stand, kind: str, lands: bool, kills: bool
) -> None:
    stand.seed()
    killed: list[int] = []
    stand.server.kill = killed.append
    stand.server.faults.add("kms:DisconnectCustomKeyStore", kind=kind)
    bot = stand.client("kms", BOT)
    with pytest.raises(ConnectionClosedError):
        bot.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    (call,) = stand.server.calls
    assert (call.landed, call.error) == (lands, kind)
    assert bool(killed) == kills
    (store,) = bot.describe_custom_key_stores()["CustomKeyStores"]
    assert store["ConnectionState"] == ("DISCONNECTING" if lands else "CONNECTED")
    assert len(stand.events) == int(lands)


def test_throttles_speak_each_services_language(stand: Stand) -> None:
    stand.seed()
    for call in ("kms:*", "sts:*", "dynamodb:*", "ec2:*"):
        stand.server.faults.add(call, kind="throttle")
    assert refused(stand.client("kms", BOT).list_keys) == "ThrottlingException"
    assert refused(stand.client("sts", BOT).get_caller_identity) == "Throttling"
    assert refused(stand.client("dynamodb", BOT).list_tables) == "ThrottlingException"
    ec2 = stand.client("ec2", BOT)
    assert refused(ec2.describe_network_interfaces) == "RequestLimitExceeded"


def test_a_slow_reply_comes_late(stand: Stand) -> None:
    stand.seed()
    stand.server.faults.add("kms:ListKeys", kind="slow", seconds=0.2)
    began = time.monotonic()
    stand.client("kms", BOT).list_keys()
    assert time.monotonic() - began >= 0.2


def test_nth_and_times_count_from_one() -> None:
    faults = Faults(Clock(NOW))
    faults.add("kms:ListKeys", 2, 2, kind="throttle")
    hits = [faults.hit("kms:ListKeys") is not None for _ in range(5)]
    assert hits == [False, True, True, False, False]
    with pytest.raises(ValueError, match="unknown kind"):
        faults.add("kms:ListKeys", kind="explode")


def test_a_window_befalls_each_request_within_it_and_none_outside() -> None:
    clock = Clock(NOW)
    faults = Faults(clock)
    hour = timedelta(hours=1)
    faults.add("kms:*", kind="cut", window=Window(NOW + hour, NOW + 2 * hour))
    assert faults.hit("kms:ListKeys") is None
    assert faults.missed() == [("kms:*", 1)]
    clock.move_to(NOW + hour)
    assert [faults.hit("kms:ListKeys") is not None for _ in range(2)] == [True, True]
    clock.move_to(NOW + 2 * hour)
    assert faults.hit("kms:ListKeys") is None
    assert faults.missed() == []


def raw_reply(stand: Stand, kind: str) -> tuple[http.client.HTTPResponse, bytes]:
    """The bytes of a DynamoDB reply that this fault befalls, however many came."""
    stand.server.faults.add("dynamodb:ListTables", kind=kind)
    issued = stand.server.identity.register(HUB, BOT.format(account=HUB))
    scope = f"{issued.access_key_id}/20260302/us-east-1/dynamodb/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Content-Type": "application/x-amz-json-1.0",
    }
    connection = http.client.HTTPConnection("127.0.0.1", stand.server.port, timeout=10)
    connection.request("POST", "/", "{}", headers)
    answer = connection.getresponse()
    try:
        return answer, answer.read()
    except http.client.IncompleteRead as broken_off:
        return answer, broken_off.partial


@pytest.mark.parametrize(
    ("kind", "body", "length", "summed"),
    [
        ("cut", b'{"TableNa', 9, b'{"TableNa'),
        ("dropped", b'{"TableNa', 18, b'{"TableNames": []}'),
        ("empty", b"{}", 2, b'{"TableNames": []}'),
    ],
)
def test_a_torn_reply_promises_what_its_kind_says(
    stand: Stand, kind: str, body: bytes, length: int, summed: bytes
) -> None:
    answer, came = raw_reply(stand, kind)
    assert (answer.status, came) == (200, body)
    assert answer.headers["Content-Length"] == str(length)
    assert answer.headers["x-amz-crc32"] == str(zlib.crc32(summed))


@pytest.mark.parametrize("kind", ["cut", "dropped", "empty"])
def test_what_a_torn_reply_answers_has_landed(stand: Stand, kind: str) -> None:
    stand.seed()
    stand.server.faults.add("cloudhsm:DeleteHsm", kind=kind)
    hsm = stand.client("cloudhsmv2", CI).describe_clusters()["Clusters"][0]["Hsms"][0]["HsmId"]
    with suppress(IncompleteReadError, ConnectionClosedError, ResponseStreamingError):
        told = stand.client("cloudhsmv2", BOT).delete_hsm(ClusterId=CLUSTER, HsmId=hsm)
        assert "HsmId" not in told, "botocore takes what breaks off for an empty reply"
    call = stand.server.calls[-1]
    assert (call.operation, call.landed, call.error) == ("DeleteHsm", True, kind)
    assert stand.events[-1]["detail"]["responseElements"] == {"hsmId": hsm}


def test_the_hook_denies_in_the_services_words(stand: Stand) -> None:
    stand.seed()
    stand.server.deny = lambda who, service, operation, params: (
        f"User: {who.arn} may not" if (service, operation) == ("kms", "ListKeys") else None
    )
    assert refused(stand.client("kms").list_keys) == "AccessDeniedException"
    stand.client("kms").list_aliases()


def test_a_reply_that_aws_cannot_give_is_an_internal_failure(stand: Stand) -> None:
    stand.server.services["kms"] = lambda visit: {"Keys": [{"KeyId": 7}]}
    assert refused(stand.client("kms").list_keys) == "InternalFailure"

    def invents(visit: RequestContext) -> Never:
        raise AwsError("NoSuchKeyException")

    stand.server.services["kms"] = invents
    assert refused(stand.client("kms").list_keys) == "InternalFailure"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"Hsm": {}}, "lacks the required HsmId"),
        ({"Hsm": {"HsmId": "h", "State": "GONE"}}, "none of"),
        ({"Hsm": {"HsmId": "h", "Colour": "red"}}, "no member Colour"),
        ({"Hsm": {"HsmId": None}}, "NoneType"),
    ],
)
def test_results_are_walked_along_the_service_model(result: dict[str, Any], reason: str) -> None:
    with pytest.raises(WrongReplyError, match=reason):
        check_result("cloudhsm", "CreateHsm", result=result)


def test_chalices_api_document_is_taken(stand: Stand) -> None:
    document = {"swagger": "2.0", "info": {"version": "1.0", "title": "unlatch"}, "paths": {}}
    body = json.dumps(document).encode()
    api = stand.client("apigateway").import_rest_api(body=body)
    stand.client("apigateway").put_rest_api(restApiId=api["id"], body=body, mode="overwrite")
    assert [call.operation for call in stand.server.calls] == ["ImportRestApi", "PutRestApi"]


def test_unsigned_requests_go_straight_to_moto(stand: Stand) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(stand.server.url + "/moto-api/") as answer:
        assert answer.status == 200
    assert stand.server.calls == []


def test_a_reset_of_moto_forgets_our_world_too(stand: Stand) -> None:
    stand.seed()
    kms = stand.client("kms")
    kms.schedule_key_deletion(KeyId=stand.key(0), PendingWindowInDays=7)
    reset = urllib.request.Request(stand.server.url + "/moto-api/reset", method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(reset) as answer:
        assert answer.status == 200
    stand.advance(days=8)
    assert kms.describe_custom_key_stores()["CustomKeyStores"] == []
    assert kms.list_keys()["Keys"] == []
    assert stand.client("cloudtrail").lookup_events()["Events"][-1]["EventName"] != (
        "ScheduleKeyDeletion"
    )

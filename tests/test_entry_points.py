"""Lambda's entry points over the real wiring, on moto: what comes in is parsed, one flow is called, it answers."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
import time_machine
from moto import mock_aws
from moto.kms.utils import generate_private_key

import app as bot
from chalicelib import aside, event_patterns, wiring
from chalicelib.aws import session
from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from chalicelib.domain.state.click import Act
from sandbox.clock import Clock
from sandbox.reliability.corpus import DELETE
from sandbox.slack.api import LocalSlack
from sandbox.slack.delivery import sealed
from sandbox.slack.records import BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM
from tests.flows.stand import table
from tests.slack.wire import TORN, Wire, reply
from tests.test_config import NEEDED

HUB, REGION = "123456789012", "us-east-1"
INTERACTIONS, COMMANDS = "/slack/interactions", "/slack/commands"


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    with LocalSlack(Clock(datetime.now(UTC)), {"alice": {}, "carol": {}}) as running:
        yield running


class Context:
    """What Lambda tells a function of itself."""

    invoked_function_arn = f"arn:aws:lambda:{REGION}:{HUB}:function:unlatch-dev"
    function_name = "unlatch-dev"
    aws_request_id = "request-1"


@pytest.fixture(autouse=True)
def deployed(slack: LocalSlack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    given = {
        **NEEDED,
        "SLACK_API_URL": slack.url,
        "SLACK_CHANNEL": CHANNEL,
        "SLACK_TEAM_IDS": TEAM,
        "APPROVERS": "alice",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_METRICS_NAMESPACE": "unlatch-dev",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("moto.kms.models.generate_private_key", one_key_of_a_kind)
    monkeypatch.setattr(session, "make_client", kept_client)
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        _stack()
        wiring._built.cache_clear()
        yield
        _nothing_goes_on()
    wiring._built.cache_clear()


def _nothing_goes_on() -> None:
    """What was begun aside, and is not waited for after a refusal, has ended."""
    for name in (aside.FIRST, aside.SECOND):
        aside._pool(name).shutdown()
    aside._pool.cache_clear()


# Made once: moto draws an RSA key for each key of KMS, and a client takes longer to make than to use.
one_key_of_a_kind = functools.cache(generate_private_key)
client = functools.cache(functools.partial(boto3.client, region_name=REGION))
make_own_client = functools.cache(session.make_client)


def kept_client(service: str, region: str, credentials: object, /, **more: Any) -> Any:
    """As the bot makes it. Those of a role are made anew: its credentials differ each time."""
    make = make_own_client.__wrapped__ if credentials else make_own_client
    return make(service, region, credentials, **more)


def _stack() -> None:
    """What infra/resources.yaml makes, as far as the entry points meet it."""
    table(NEEDED["TABLE_NAME"])
    kms = client("kms")
    for alias in (NEEDED["INBOX_KEY_ID"], NEEDED["BODY_KEY_ID"]):
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    client("ssm").put_parameter(Name=NEEDED["BRAKE_PARAMETER"], Value="off", Type="String")
    secrets = client("secretsmanager")
    secrets.create_secret(Name=NEEDED["SIGNING_SECRET_ID"], SecretString=SIGNING_SECRET)
    secrets.create_secret(Name=NEEDED["BOT_TOKEN_SECRET_ID"], SecretString=BOT_TOKEN)
    client("stepfunctions").create_state_machine(
        name=NEEDED["STATE_MACHINE_NAME"],
        definition=json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}),
        roleArn=f"arn:aws:iam::{HUB}:role/x",
    )


def delete_failed() -> dict[str, Any]:
    event = deepcopy(DELETE)
    event["account"] = event["detail"]["recipientAccountId"] = HUB
    return event


def case_of() -> str:
    return str(bot.on_delete_blocked(delete_failed(), Context())["case_id"])


def sent(path: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """As API Gateway hands it to the function."""
    event = {
        "httpMethod": "POST",
        "headers": dict(headers),
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {"resourcePath": path, "httpMethod": "POST", "identity": {}},
    }
    answer: dict[str, Any] = bot.app(event, Context())
    return answer


def post(path: str, body: dict[str, str], *, signature: str = "good") -> dict[str, Any]:
    envelope = sealed(urlencode(body), Clock(datetime.now(UTC)), signature=signature)
    return sent(path, envelope.body, envelope.headers)


def pressed(button: str, case_id: str) -> dict[str, str]:
    payload = {
        "type": "block_actions",
        "user": {"id": "alice", "team_id": TEAM},
        "team": {"id": TEAM},
        "container": {"channel_id": CHANNEL},
        "channel": {"id": CHANNEL},
        "trigger_id": "1.2.3",
        "actions": [{"action_id": button, "value": f"{case_id}:0", "type": "button"}],
    }
    return {"payload": json.dumps(payload)}


def typed(text: str, *, by: str = "alice") -> dict[str, str]:
    return {
        "user_id": by,
        "team_id": TEAM,
        "channel_id": CHANNEL,
        "text": text,
        "trigger_id": "1.2.3",
    }


def test_a_failed_delete_opens_a_case_once() -> None:
    case_id = case_of()
    assert case_of() == case_id
    runs = client("stepfunctions")
    machine = f"arn:aws:states:{REGION}:{HUB}:stateMachine:{NEEDED['STATE_MACHINE_NAME']}"
    found = runs.list_executions(stateMachineArn=machine)["executions"]
    assert [one["name"] for one in found] == [f"{case_id}-0"]


def test_what_is_no_failed_delete_is_refused_with_the_reason() -> None:
    event = delete_failed()
    event["detail"]["eventName"] = "DeleteHsm"
    assert "eventName" in bot.on_delete_blocked(event, Context())["refused"]
    event = delete_failed()
    event["account"] = event["detail"]["recipientAccountId"] = "999999999999"
    assert "not served" in bot.on_delete_blocked(event, Context())["refused"]


def test_a_run_sleeps_by_both_names_and_not_if_its_case_moved_on() -> None:
    event = {"case_id": case_of(), "version": 0, "token": "t"}
    for name in (bot.sleep, bot.park):
        assert name(event, Context()) == {"asleep": True}
        assert name({**event, "version": 7}, Context()) == {"asleep": False}


def test_a_use_of_a_key_that_no_case_switched_off_tells_nobody() -> None:
    event = delete_failed()
    event["source"] = "aws.kms"
    event["detail"] |= {
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "errorCode": "DisabledException",
        "resources": [
            {"ARN": f"arn:aws:kms:{REGION}:{HUB}:key/1234abcd-12ab-34cd-56ef-1234567890a"}
        ],
    }
    assert bot.on_key_used(event, Context()) == {"told": []}
    event["detail"]["errorCode"] = "AccessDenied"
    assert bot.on_key_used(event, Context())["refused"]


@pytest.mark.parametrize("path", [INTERACTIONS, COMMANDS])
@pytest.mark.parametrize("signature", ["bad", "missing", "stale"])
def test_what_slack_did_not_sign_is_refused(path: str, signature: str) -> None:
    reply = post(path, pressed("retire", "case-1"), signature=signature)
    assert reply["statusCode"] == 401
    assert reply["body"] == "The signature is missing or wrong."


def test_a_rotated_secret_is_taken_up_but_not_read_again_for_each_bad_signature() -> None:
    secrets = client("secretsmanager")

    def rotate(value: str) -> None:
        secrets.put_secret_value(SecretId=NEEDED["SIGNING_SECRET_ID"], SecretString=value)

    rotate("0" * 32)
    with time_machine.travel(datetime.now(UTC), tick=False) as now:
        assert post(INTERACTIONS, pressed("reject", "case-9"))["statusCode"] == 401
        rotate(SIGNING_SECRET)
        assert post(INTERACTIONS, pressed("reject", "case-9"))["statusCode"] == 401
        now.shift(60)
        assert post(INTERACTIONS, pressed("reject", "case-9"))["statusCode"] == 200


@pytest.mark.parametrize("path", [INTERACTIONS, COMMANDS])
def test_what_makes_no_sense_is_refused_with_the_reason(path: str) -> None:
    reply = post(path, {"payload": "{", "text": "x"})
    assert reply["statusCode"] == 400
    assert reply["body"].startswith("Not understood: ")


@pytest.mark.parametrize("path", [INTERACTIONS, COMMANDS])
@pytest.mark.parametrize("signature", ["good", "missing", "bad"])
def test_slacks_look_at_the_certificate_is_met_with_a_yes(path: str, signature: str) -> None:
    case_id = case_of()
    body = {"ssl_check": "1", "token": "x", **pressed("reject", case_id), **typed("status")}
    reply = post(path, body, signature=signature)
    assert (reply["statusCode"], reply["body"]) == (200, "")
    assert wiring.wired(Context()).ports.cases.load(case_id).clicks == (), "and nothing is done"


def posted_json(told: Any, *, signature: str = "good") -> dict[str, Any]:
    envelope = sealed(json.dumps(told), Clock(datetime.now(UTC)), signature=signature)
    headers = {**envelope.headers, "Content-Type": "application/json; charset=utf-8"}
    return sent(INTERACTIONS, envelope.body, headers)


def test_a_new_address_proves_itself_to_slack_alone() -> None:
    told = {"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}
    reply = posted_json(told)
    assert (reply["statusCode"], reply["body"]) == (200, "3eZbrw1a")
    assert posted_json(told, signature="bad")["statusCode"] == 401


@pytest.mark.parametrize(
    "told", [None, [], "x", {"type": "event_callback"}, {"type": "url_verification"}]
)
def test_other_json_is_refused_with_the_reason(told: Any) -> None:
    reply = posted_json(told)
    assert reply["statusCode"] == 400
    assert reply["body"].startswith("Not understood: ")


@pytest.mark.parametrize("stored", [f"{SIGNING_SECRET}\n", json.dumps({"s": SIGNING_SECRET})])
def test_secrets_are_taken_as_people_store_them(stored: str, slack: LocalSlack) -> None:
    secrets = client("secretsmanager")
    secrets.put_secret_value(SecretId=NEEDED["SIGNING_SECRET_ID"], SecretString=stored)
    token = json.dumps({"token": f"{BOT_TOKEN}\n"})
    secrets.put_secret_value(SecretId=NEEDED["BOT_TOKEN_SECRET_ID"], SecretString=token)
    assert post(INTERACTIONS, pressed("reject", "case-9"))["statusCode"] == 200
    assert len(slack.ephemerals) == 1


def test_a_secret_that_cant_be_read_is_said_so() -> None:
    secrets = client("secretsmanager")
    secrets.delete_secret(SecretId=NEEDED["SIGNING_SECRET_ID"], ForceDeleteWithoutRecovery=True)
    reply = post(INTERACTIONS, pressed("reject", "case-9"))
    assert reply["statusCode"] == 503
    assert reply["body"] == "The signature can’t be checked now. Please try again."


def test_a_token_that_cant_be_read_swallows_no_click() -> None:
    secrets = client("secretsmanager")
    secrets.delete_secret(SecretId=NEEDED["BOT_TOKEN_SECRET_ID"], ForceDeleteWithoutRecovery=True)
    assert post(INTERACTIONS, pressed("reject", case_of()))["statusCode"] == 200
    assert "could not say who may" in post(COMMANDS, typed("status"))["body"]


ODD: list[Any] = [
    None,
    "",
    0,
    [],
    {},
    [{}],
    {"value": []},
    "9" * 5_000,
    "x:" + "9" * 5_000,
    "é\u202e",
    True,
]


@pytest.mark.parametrize(
    "path",
    [
        ("user",),
        ("user", "id"),
        ("user", "team_id"),
        ("team",),
        ("channel",),
        ("channel", "id"),
        ("trigger_id",),
        ("response_url",),
        ("actions",),
        ("actions", 0),
        ("actions", 0, "action_id"),
        ("actions", 0, "value"),
        ("type",),
    ],
)
def test_odd_input_anywhere_is_a_clean_answer(path: tuple[str | int, ...]) -> None:
    for odd in ODD:
        payload = json.loads(pressed("reject", "case-9")["payload"])
        spot: Any = payload
        for name in path[:-1]:
            spot = spot[name]
        spot[path[-1]] = odd
        said = post(INTERACTIONS, {"payload": json.dumps(payload)})
        assert said["statusCode"] in (200, 400), odd
        assert said["statusCode"] == 200 or said["body"].startswith("Not understood: ")


@pytest.mark.parametrize("name", TORN)
def test_no_click_ends_in_an_error_whatever_slack_answers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(TORN[name]) as wire:
        monkeypatch.setenv("SLACK_API_URL", wire.url)
        wiring._built.cache_clear()
        assert post(INTERACTIONS, pressed("retire", case_of()))["statusCode"] == 200
        said = post(COMMANDS, typed("status"))
    asked = [path.rpartition("/")[2] for path, _, _ in wire.asked]
    ways = ["chat.postEphemeral", "chat.postMessage"]
    assert asked == ["users.info", *ways, "users.info"], "it tried to say so"
    assert "Slack could not say who may" in json.loads(said["body"])["text"]


@pytest.mark.parametrize("teams", ["E0ORG", "T0OTHER,E0ORG", "T0ONE"])
def test_a_click_in_an_organisation_counts(teams: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person = {
        "id": "W0ALICE",
        "team_id": "T0ONE",
        "name": "alice",
        "enterprise_user": {"enterprise_id": "E0ORG", "teams": ["T0ONE", "T0TWO"]},
    }
    case_id = case_of()
    payload = {
        **json.loads(pressed("reject", case_id)["payload"]),
        "user": {"id": "W0ALICE", "team_id": "T0ONE"},
        "team": {"id": "T0ONE", "enterprise_id": "E0ORG"},
        "enterprise": {"id": "E0ORG"},
    }
    with Wire(reply({"ok": True, "user": person})) as wire:
        monkeypatch.setenv("SLACK_API_URL", wire.url)
        monkeypatch.setenv("SLACK_TEAM_IDS", teams)
        monkeypatch.setenv("APPROVERS", "W0ALICE")
        wiring._built.cache_clear()
        assert post(INTERACTIONS, {"payload": json.dumps(payload)})["statusCode"] == 200
    clicks = wiring.wired(Context()).ports.cases.load(case_id).clicks
    assert [click.by for click in clicks] == ["W0ALICE"]


def test_a_click_is_recorded_and_answered_with_nothing() -> None:
    case_id = case_of()
    reply = post(INTERACTIONS, pressed("reject", case_id))
    assert (reply["statusCode"], reply["body"]) == (200, "")
    clicks = wiring.wired(Context()).ports.cases.load(case_id).clicks
    assert [(click.by, click.act) for click in clicks] == [("alice", Act.REJECT)]


def test_a_click_on_a_case_that_nobody_knows_is_told_to_who_clicked(slack: LocalSlack) -> None:
    assert post(INTERACTIONS, pressed("reject", "case-9"))["statusCode"] == 200
    assert [(one.user, "does not know this case" in one.text) for one in slack.ephemerals] == [
        ("alice", True)
    ]


def test_the_command_starts_a_case_and_lists_it() -> None:
    started = json.loads(post(COMMANDS, typed("cluster-2a3b4c5d6e7"))["body"])
    assert started["response_type"] == "ephemeral"
    assert "See the channel" in started["text"]
    assert "cluster-2a3b4c5d6e7" in post(COMMANDS, typed("status"))["body"]
    assert "you are not one of" in post(COMMANDS, typed("status", by="carol"))["body"]


@pytest.mark.parametrize("path", ["/approvals", "/cancels"])
def test_a_signed_request_for_nothing_is_refused_in_words(path: str) -> None:
    reply = sent(path, "{}", {"Content-Type": "application/json"})
    assert 400 <= reply["statusCode"] < 500
    assert json.loads(reply["body"])["message"]


def test_the_doctors_call_is_noted_sealed_and_opens_no_case() -> None:
    event = delete_failed()
    event["detail"] |= {"errorCode": "CloudHsmResourceNotFoundException", "requestID": "r-1"}
    event["detail"]["requestParameters"]["clusterId"] = PROBE_CLUSTER
    assert bot.on_probe(event, Context()) == {"noted": event["detail"]["eventID"]}
    noted = wiring._built(HUB).probes.last((HUB, REGION))
    assert noted is not None
    assert (noted.record["requestID"], noted.is_sealed) == ("r-1", True)
    event["detail"]["errorCode"] = "CloudHsmInvalidRequestException"
    assert "doctor" in bot.on_delete_blocked(event, Context())["refused"]


def test_the_doctors_function_notes_nothing_else() -> None:
    assert "doctor" in bot.on_probe(delete_failed(), Context())["refused"]
    assert wiring._built(HUB).probes.last((HUB, REGION)) is None


def test_the_rule_of_the_doctor_names_its_cluster() -> None:
    wanted = event_patterns.LIVE_PROBE["detail"]["requestParameters"]  # type: ignore[index]  # a pattern
    assert wanted == {"clusterId": [PROBE_CLUSTER]}

"""Operators beside a running bot: look, brake, let go, cancel, and prove what happened. In this order."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.store import codec
from chalicelib.domain.state.click import Act, Click
from ops.exits import Exit
from sandbox.aws.identity import Identity
from sandbox.stack import Sandbox
from tests.ops.office import (
    CLUSTER,
    HUB,
    OPERATOR,
    OPERATORS,
    REGION,
    START,
    STORE,
    Office,
    as_of,
    log_in,
)

pytestmark = pytest.mark.slow  # it deploys the whole bot

STRANGER = f"arn:aws:sts::{HUB}:assumed-role/audit/sam"


@pytest.fixture(scope="module", autouse=True)
def operators(office: Office) -> None:
    """Before the hub is deployed: who may cancel from a shell."""
    office.env(UNLATCH_OPERATOR_ROLES=OPERATORS.replace("*", "0123456789abcdef"))


@pytest.fixture(scope="module")
def blocked(sandbox: Sandbox, deployed: Office) -> str:
    """A delete that failed, and the case that it opened."""
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=CLUSTER)
    sandbox.settle()
    (case,) = deployed.run("cases", "--json").json
    return str(case["case_id"])


def test_a_case_is_shown_while_something_waits_in_its_inbox(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    """The key’s policy lets no operator make a seal, so none can be judged by making it again."""
    table = sandbox.client("dynamodb", account=HUB, region=REGION)
    where = {"pk": {"S": f"CASE#{blocked}"}, "sk": {"S": "INBOX"}}
    inbox = table.get_item(TableName="unlatch-dev", Key=where)["Item"]
    click = codec.dump(Click(Act.REFRESH, "U0ALICE", START))
    waits = {**inbox, "clicks": {"L": [{"S": f"c2VhbA== {click}"}]}}
    table.put_item(TableName="unlatch-dev", Item=waits)
    before = len(sandbox.aws.calls)
    try:
        for words in (["cases"], ["audit", "export", blocked], ["doctor"]):
            deployed.run(*words)
    finally:
        table.put_item(TableName="unlatch-dev", Item=inbox)
    asked = [c.role for c in sandbox.aws.calls[before:] if c.operation == "GenerateMac"]
    assert not [role for role in asked if "AWSReservedSSO" in role]


def changes(sandbox: Sandbox) -> list[str]:
    """What the bot did to stores and HSMs."""
    wanted = ("DisconnectCustomKeyStore", "ConnectCustomKeyStore", "DeleteHsm")
    landed = (c.operation for c in sandbox.aws.calls if c.by_bot and c.landed)
    return [name for name in landed if name in wanted]


def test_diagnose_tells_what_slack_would(sandbox: Sandbox, deployed: Office) -> None:
    said = deployed.run("diagnose", CLUSTER)
    assert said.code == 0, said.err
    assert "a key store with keys still uses it" in said.out
    assert STORE in said.out
    assert "alias/payments" in said.out
    assert "never used" in said.out
    assert "REPOINT  not possible: no other cluster" in said.out
    retire = said.out.split("RETIRE  ")[1]
    assert retire.startswith("needs 2 people")
    days = [re.sub(r"^... (.*) \d\d:\d\d UTC", r"\1", line.strip()) for line in retire.splitlines()]
    assert days[1:8] == [
        "02 Mar 2026  kms:ScheduleKeyDeletion  alias/payments",
        f"01 Apr 2026  kms:DisconnectCustomKeyStore  {STORE}",
        f"01 Apr 2026  kms:DeleteCustomKeyStore  {STORE}",
        "01 Apr 2026  cloudhsm:DeleteHsm  us-east-1a, us-east-1b",
        "01 Apr 2026  cloudhsm:ModifyBackupAttributes  newest",
        f"01 Apr 2026  cloudhsm:DeleteCluster  {CLUSTER}",
        "01 Apr 2026  The cluster is deleted. AWS was read again to make sure.",
    ]
    assert changes(sandbox) == []


def test_diagnose_for_machines(deployed: Office) -> None:
    told = deployed.run("diagnose", CLUSTER, "--region", REGION, "--account", HUB, "--json").json
    assert told["cause"] == "live_keys"
    assert told["keys_seen"] == 7
    ways = {way["remedy"]: way for way in told["ways_out"]}
    assert ways["retire"]["people"] == 2
    planned = [call["operation"] for call in ways["park"]["forecast"]["calls"]]
    assert planned == ["kms:DisconnectCustomKeyStore", "cloudhsm:DeleteHsm", "cloudhsm:DeleteHsm"]
    assert ways["park"]["forecast"]["end"].startswith("2026-03-02T09:1")


def test_diagnose_as_the_reader_role(sandbox: Sandbox, deployed: Office) -> None:
    before = len(sandbox.aws.calls)
    assert deployed.run("diagnose", CLUSTER, "--assume").code == 0
    roles = {c.role.rsplit("/", 1)[-1] for c in sandbox.aws.calls[before:] if c.service == "kms"}
    assert "unlatch-reader" in roles


def test_diagnose_another_account_needs_its_credentials(deployed: Office) -> None:
    said = deployed.run("diagnose", CLUSTER, "--account", "222233334444")
    assert said.code == 3
    assert f"Your credentials are for account {HUB}, not 222233334444." in said.err


def test_diagnose_what_is_not_there_and_what_is_no_cluster(deployed: Office) -> None:
    said = deployed.run("diagnose", "cluster-aaaaaaaaaaa")
    assert said.code == 1
    assert f"AWS knows no cluster-aaaaaaaaaaa in {HUB}, {REGION}." in said.out
    assert "RETIRE" not in said.out, "nothing is offered for what nobody knows"
    assert deployed.run("diagnose", "vpc-1").code == 2
    assert deployed.run("diagnose").code == 2


def test_the_clusters_region_is_not_taken_for_the_hubs(deployed: Office) -> None:
    said = deployed.run("diagnose", CLUSTER, "--region", "eu-west-1")
    assert f"AWS knows no {CLUSTER} in {HUB}, eu-west-1." in said.out
    elsewhere = deployed.run("diagnose", CLUSTER, "--region", REGION, "--hub-region", "eu-west-1")
    assert "Stage dev is not deployed here: default rules." in elsewhere.out


def test_cases_are_listed(deployed: Office, blocked: str) -> None:
    said = deployed.run("cases")
    assert blocked in said.out
    assert CLUSTER in said.out
    assert "waiting" in said.out


def test_frozen_nothing_is_changed_and_everybody_is_told_why(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    assert deployed.run("freeze", "--reason", "audit week").code == 0
    sandbox.slack.click("alice", button="park")
    sandbox.settle()
    sandbox.slack.submit("alice", {"cluster_id": CLUSTER, "reason": "too dear"})
    sandbox.advance(timedelta(minutes=6))
    assert changes(sandbox) == []
    assert "audit week" in deployed.run("cases").out
    again = deployed.run("freeze", "--reason", "again")
    assert "It is frozen already, and stays so: audit week (olga@example.com" in again.out
    assert "audit week" in deployed.run("cases").out, "the first reason stands"


def test_destroy_leaves_open_cases_alone(deployed: Office, blocked: str) -> None:
    said = deployed.run("destroy", "--yes-destroy", "dev")
    assert said.code == 6
    assert blocked in said.err


def test_thawed_it_goes_on(sandbox: Sandbox, deployed: Office) -> None:
    assert deployed.run("thaw").code == 0
    assert "Nothing was frozen" in deployed.run("thaw").out
    sandbox.advance(timedelta(minutes=6))
    assert changes(sandbox) == ["DisconnectCustomKeyStore"]


def test_cancel_without_slack_stops_and_restores(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    api = f"{sandbox._gateway.url}/dev/"
    assert deployed.run("cancel", blocked).code == 2, "a reason is required"
    unsaid = deployed.run("cancel", blocked, "--reason", "\u3164 -")
    assert (unsaid.code, "says nothing" in unsaid.err) == (3, True)
    log_in(deployed, sandbox, arn=STRANGER)
    with as_of(sandbox):
        said = deployed.run("cancel", blocked, "--reason", "wrong cluster", "--url", api)
    assert (said.code, "not in OPERATOR_ROLES" in said.err) == (3, True), said.err
    log_in(deployed, sandbox)
    with as_of(sandbox):
        said = deployed.run("cancel", blocked, "--reason", "wrong cluster", "--url", api)
    assert said.code == 0, said.err
    assert f"{OPERATOR} asked to cancel {blocked}" in said.out
    sandbox.advance(timedelta(minutes=16))
    assert changes(sandbox) == ["DisconnectCustomKeyStore", "ConnectCustomKeyStore"]
    (case,) = deployed.run("cases", "--all", "--json").json
    assert (case["phase"], case["outcome"]) == ("closed", "cancelled")
    assert deployed.run("cases", "--json").json == []


def test_cancel_where_it_makes_no_sense_says_why(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    api = f"{sandbox._gateway.url}/dev/"
    with as_of(sandbox):
        again = deployed.run("cancel", blocked, "--reason", "once more", "--url", api)
        unknown = deployed.run("cancel", "case-unknown", "--reason", "x", "--url", api)
    assert again.code == 3
    assert f"{OPERATOR} closed this on 2 Mar" in again.err
    assert unknown.code == 3
    assert "There is no case case-unknown" in unknown.err


def test_the_log_agrees_with_cloudtrail(sandbox: Sandbox, deployed: Office, blocked: str) -> None:
    said = deployed.run("audit", "verify", blocked)
    assert said.code == 0, said.out + said.err
    assert "The chain is whole" in said.out
    assert "CloudTrail agrees: 2 calls" in said.out
    told = deployed.run("audit", "verify", blocked, "--json").json
    assert (told["flaws"], told["differences"], told["calls_matched"]) == ([], [], 2)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_proves_itself(deployed: Office, blocked: str, tmp_path: Path, form: str) -> None:
    export = tmp_path / f"export.{form}"
    export.write_text(deployed.run("audit", "export", blocked, "--format", form).out)
    said = deployed.run("audit", "verify", "--file", str(export))
    assert said.code == Exit.UNANCHORED, said.out
    assert blocked in said.out
    head = deployed.run("audit", "verify", blocked, "--json").json["last_hash"]
    for anchor in ([blocked], ["--head", head], ["--head", head[:12]], [blocked, "--head", head]):
        said = deployed.run("audit", "verify", *anchor, "--file", str(export), "--json")
        assert (said.code, said.json["anchored"]) == (0, True), said.out
    assert deployed.run("audit", "verify", blocked, "--head", "0" * 12).code == 1
    both = deployed.run("audit", "verify", blocked, "--head", "0" * 12, "--file", str(export))
    assert "not the one that the stored case names" in both.out
    assert deployed.run("audit", "verify", blocked, "--head", "x").code == 2
    assert deployed.run("audit", "verify").code == 2
    export.write_text(
        export.read_text().replace("wrong cluster", "another").replace("park", "bark")
    )
    changed = deployed.run("audit", "verify", "--file", str(export))
    assert changed.code == 1
    assert "was changed after it was written" in changed.out


def test_a_call_behind_the_bots_back_is_a_difference(
    sandbox: Sandbox, deployed: Office, blocked: str
) -> None:
    rogue = f"arn:aws:sts::{HUB}:assumed-role/unlatch-executor/{blocked}"
    kms = sandbox.client("kms", account=HUB, region=REGION, who=rogue)
    kms.disconnect_custom_key_store(CustomKeyStoreId=STORE)
    said = deployed.run("audit", "verify", blocked)
    assert said.code == 1
    assert "kms:DisconnectCustomKeyStore" in said.out
    assert "the log has no entry of it" in said.out
    assert "in the name of nobody" in said.out


def queue_url() -> str:
    return str(boto3.client("sqs").get_queue_url(QueueName="unlatch-dev-dead-letters")["QueueUrl"])


def left() -> int:
    name = "ApproximateNumberOfMessages"
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url(), AttributeNames=["All"])
    hidden = found["Attributes"]["ApproximateNumberOfMessagesNotVisible"]
    return int(found["Attributes"][name]) + int(hidden)


def test_dead_letters_come_to_life(sandbox: Sandbox, deployed: Office) -> None:
    """A record of Lambda’s, an event of EventBridge’s, one for somebody else, and rubbish."""
    event = failed_delete()
    arn = f"arn:aws:lambda:{REGION}:{HUB}:function"
    record = {
        "requestContext": {"functionArn": f"{arn}:unlatch-dev-on_delete_blocked:$LATEST"},
        "requestPayload": event,
        "responsePayload": {"errorMessage": "throttled"},
    }
    other = {**record, "requestContext": {"functionArn": f"{arn}:billing:$LATEST"}}
    send = boto3.client("sqs").send_message
    send(QueueUrl=queue_url(), MessageBody=json.dumps(record))
    target = {"DataType": "String", "StringValue": f"{arn}:unlatch-dev-on_delete_blocked"}
    about = {"TARGET_ARN": target}
    send(QueueUrl=queue_url(), MessageBody=json.dumps(event), MessageAttributes=about)
    for body in (json.dumps(other), "rubbish", "[]"):
        send(QueueUrl=queue_url(), MessageBody=body)
    said = deployed.run("replay")
    assert said.code == 1
    assert said.out.count("given back to unlatch-dev-on_delete_blocked: DeleteCluster") == 2
    assert "(throttled)" in said.out
    assert "billing" in said.out
    assert "2 letters given back, 3 left." in said.out
    assert left() == 3
    sandbox.settle()
    (case,) = deployed.run("cases", "--json").json
    assert case["cluster_id"] == CLUSTER


def test_a_stranger_is_refused_in_words(
    sandbox: Sandbox, deployed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(identity: Identity, *_: object) -> str | None:
        return "User: eve is not authorized" if "eve" in identity.arn else None

    sandbox.aws.deny = deny
    log_in(deployed, sandbox, arn=f"arn:aws:iam::{HUB}:user/eve")
    said = deployed.run("freeze", "--reason", "mischief")
    assert said.code == 3
    assert "access denied" in said.err
    sandbox.aws.deny = None
    log_in(deployed, sandbox)


def failed_delete() -> dict[str, Any]:
    """The failed call as EventBridge tells it, with an event id that no case knows."""
    detail = {
        "eventSource": "cloudhsm.amazonaws.com",
        "eventName": "DeleteCluster",
        "errorCode": "CloudHsmClusterInUseException",
        "eventID": "lost-and-found",
        "eventTime": "2026-03-02T08:00:00Z",
        "awsRegion": REGION,
        "recipientAccountId": HUB,
        "requestParameters": {"clusterId": CLUSTER},
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{HUB}:user/ann"},
    }
    return {
        "version": "0",
        "id": "e1",
        "source": "aws.cloudhsm",
        "detail-type": "AWS API Call via CloudTrail",
        "account": HUB,
        "region": REGION,
        "time": "2026-03-02T08:00:00Z",
        "resources": [],
        "detail": detail,
    }

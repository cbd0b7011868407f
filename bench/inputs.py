"""What the programs meet: events, a case that is ready for a decision, signed clicks, the settings."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from bench.stub.answers import SECRET, TOKEN
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Remedy
from chalicelib.flows.open_case import open_case
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import CLUSTER, HUB, REGION, key, world
from tests.flows.stand import INBOX_SEAL, Stand

TABLE = "unlatch-bench"
SIGNING, BOT = "bench/signing-secret", "bench/bot-token"
SECRETS = {SIGNING: SECRET, BOT: TOKEN}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def settings(url: str) -> dict[str, str]:
    """The environment of a function; everything it calls is at this URL."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIABENCH",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_SESSION_TOKEN": "bench",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TABLE_NAME": TABLE,
        "STATE_MACHINE_NAME": "unlatch-bench-case",
        "INBOX_KEY_ID": "alias/inbox",
        "BODY_KEY_ID": "alias/body",
        "BRAKE_PARAMETER": "/unlatch/bench/brake",
        "SIGNING_SECRET_ID": SIGNING,
        "BOT_TOKEN_SECRET_ID": BOT,
        "SLACK_CHANNEL": "C1",
        "SLACK_API_URL": f"{url}/api/",
        "SLACK_TEAM_IDS": "T1",
        "APPROVERS": "alice,bob,erin",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": TOKEN,
        "POWERTOOLS_SERVICE_NAME": "unlatch",
        "POWERTOOLS_METRICS_NAMESPACE": "unlatch-bench",
        "LOG_LEVEL": "WARNING",
    }


def waiting_case(table: MemoryTable, *, keys: int = 10, approved: bool = False) -> Case:
    """A case whose message is out and whose run sleeps: the next yes is the first of two.

    `approved`: it is the second, as Bob has said the first.
    """
    bench = Stand(world(*map(key, range(keys))), store=DynamoCases(table, INBOX_SEAL))
    opened = open_case(bench.ports, bench.failed())
    assert opened, "the hub's own account is served"
    case = bench.run(opened.case_id, until=lambda case: bool(case.message.ts))
    if approved:
        bench.approve("bob", "retire", opened.case_id)
        bench.turn(opened.case_id)
        case = bench.case(opened.case_id)
    bench.stored.sleep(case.case_id, version=case.version, token="bench-token")  # noqa: S106  # a task token
    return case


def approval(case: Case) -> str:
    """The submitted dialog of one approver, as Slack's form has it."""
    plan = case.offer(Remedy.RETIRE)
    assert plan, "retire is offered"
    values = {
        "cluster_id": {"cluster_id": {"type": "plain_text_input", "value": case.cluster_id}},
        "reason": {"reason": {"type": "plain_text_input", "value": "not needed any more"}},
    }
    metadata = f"{case.case_id}:{case.version}:retire:{plan.plan_hash}"
    payload = {
        "type": "view_submission",
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "decide",
            "private_metadata": metadata,
            "blocks": [],
            "title": {"type": "plain_text", "text": "Retire"},
            "state": {"values": values},
        },
        "response_urls": [],
    }
    return _sent(payload)


def pressed(button: str, case_id: str) -> str:
    """A click on a button of the case's message, as Slack's form has it."""
    payload = {
        "type": "block_actions",
        "channel": {"id": "C1", "name": "keys"},
        "container": {"type": "message", "message_ts": "1.0", "channel_id": "C1"},
        "response_url": "https://hooks.slack.com/actions/T1/1/bench",
        "state": {"values": {}},
        "actions": [{"type": "button", "action_id": button, "value": f"{case_id}:1"}],
    }
    return _sent(payload)


def _sent(payload: dict[str, Any]) -> str:
    """By alice, in Slack's form."""
    who = {
        "user": {"id": "alice", "team_id": "T1", "username": "alice"},
        "team": {"id": "T1", "domain": "bench"},
        "api_app_id": "A1",
        "token": "legacy",
        "trigger_id": "1.2.3",
        "is_enterprise_install": False,
    }
    return urlencode({"payload": json.dumps({**payload, **who})})


def command(text: str) -> str:
    """The form of `/unlatch`, as Slack sends it."""
    return urlencode(
        {
            "token": "legacy",
            "team_id": "T1",
            "team_domain": "bench",
            "channel_id": "C1",
            "channel_name": "keys",
            "user_id": "alice",
            "user_name": "alice",
            "command": "/unlatch",
            "text": text,
            "api_app_id": "A1",
            "is_enterprise_install": "false",
            "response_url": "https://hooks.slack.com/commands/T1/1/bench",
            "trigger_id": "1.2.3",
        }
    )


def home_opened() -> str:
    """The event of somebody who opens the Home tab."""
    event = {"type": "app_home_opened", "user": "alice", "channel": "D1", "tab": "home"}
    return json.dumps(
        {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
    )


def signed(body: str) -> dict[str, str]:
    """Slack's headers over this body, as of now."""
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return {
        "Content-Type": JSON if body.startswith("{") else FORM,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }


def http_event(body: str, path: str = "/slack/interactions") -> dict[str, Any]:
    """What API Gateway hands to the function for a signed POST of this body."""
    headers = signed(body)
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": path,
            "path": path,
            "stage": "dev",
            "identity": {"sourceIp": "127.0.0.1"},
        },
    }


def failed_delete(event_id: str, cluster_id: str = CLUSTER) -> dict[str, Any]:
    """EventBridge's envelope of one DeleteCluster that CloudHSM refused."""
    now = datetime.now(UTC).isoformat()
    role = "arn:aws:sts::111122223333:assumed-role/deploy-ci/ci"
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.cloudhsm",
        "account": HUB,
        "time": now,
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "userIdentity": {"type": "AssumedRole", "arn": role, "accountId": HUB},
            "eventTime": now,
            "eventSource": "cloudhsm.amazonaws.com",
            "eventName": "DeleteCluster",
            "awsRegion": REGION,
            "userAgent": "APN/1.0 HashiCorp/1.0 Terraform/1.9.0",
            "errorCode": "CloudHsmClusterInUseException",
            "requestParameters": {"clusterId": cluster_id},
            "eventID": event_id,
            "recipientAccountId": HUB,
        },
    }

"""A warm function: a thousand clicks through the whole app, and as many of the references, in turn.

AWS answers at once and in this process; Slack, which is asked who clicked, on a port of another one.
"""

# ruff: noqa: SLF001, T201
# The environment is set before the app is imported; a program may look inside, and it prints.

import copy
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bench import inputs
from bench.stub.answers import SECRET, TOKEN, Answers
from bench.stub.transport import Transport
from chalicelib.aws.store import body
from sandbox.reliability.table import MemoryTable

WARM_UP = 20
ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev"
CONTEXT = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch-dev")


class Warm:
    def __init__(self) -> None:
        self.slack = os.environ["SLACK_API_URL"]
        self.table = MemoryTable(inputs.TABLE)
        self.case = inputs.waiting_case(self.table)
        self.before = copy.deepcopy(self.table.items)
        self.answers = Answers(self.table, inputs.SECRETS)
        self.transport = Transport(self.answers.aws, latency=0)
        self.body = inputs.approval(self.case)
        self.click, self.put, self.requests = self._app(), self._reference(), self._requests()

    def _app(self) -> Callable[[], Any]:
        import app
        from chalicelib import wiring
        from chalicelib.aws.session import own_session

        own_session(None).register("before-send", self.transport.send)
        wiring.wired(CONTEXT)

        def click() -> None:
            reply = app.app(self.event, CONTEXT)
            if reply["statusCode"] != 200 or reply["body"]:
                sys.exit(f"not answered: {reply}")

        return click

    def _reference(self) -> Callable[[], Any]:
        """Slack's signature checked, and one conditional put: no parsing, no people, no case."""
        import boto3

        from chalicelib.slack.requests import verify

        session = boto3.Session()
        session.events.register("before-send", self.transport.send)
        table = session.resource("dynamodb").Table(inputs.TABLE)

        def put() -> None:
            headers = {name.lower(): value for name, value in self.event["headers"].items()}
            verify(self.event["body"].encode(), headers, secret=SECRET, now=datetime.now(UTC))
            item = {"pk": "CLICK", "sk": headers["x-slack-signature"], "body": self.body}
            table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")

        return put

    def _requests(self) -> Callable[[], Any]:
        """What a click asks of AWS and Slack, made bare, one after the other: what nobody can do without who
        asks Slack, reads, seals, writes and wakes through botocore and slack_sdk."""
        from slack_sdk import WebClient

        from chalicelib import wiring

        wired = wiring.wired(CONTEXT)
        dynamo, kms = wired.client("dynamodb"), wired.client("kms")
        runs = wired.client("stepfunctions")
        pk = {"S": f"CASE#{self.case.case_id}"}
        key = {"pk": pk, "sk": {"S": "INBOX"}}
        both = {":pk": pk, ":low": {"S": "BODY"}, ":high": {"S": "INBOX"}}

        slack = WebClient(TOKEN, base_url=self.slack, retry_handlers=[])

        def requests() -> None:
            slack.users_info(user="alice")
            dynamo.query(
                TableName=inputs.TABLE,
                KeyConditionExpression="pk=:pk AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues=both,
                ConsistentRead=True,
            )
            kms.generate_mac(KeyId="k", Message=b"m", MacAlgorithm="HMAC_SHA_256")
            dynamo.update_item(
                TableName=inputs.TABLE,
                Key=key,
                UpdateExpression="ADD version :one",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )
            runs.send_task_success(taskToken="t", output="{}")

        return requests

    def calls_of_a_click(self) -> list[str]:
        self.answers.calls.clear()
        self.seconds(self.click)
        return list(self.answers.calls)

    def seconds(self, measured: Callable[[], Any]) -> float:
        """CPU time of one request on the table as it was before; a wall clock counts the neighbours too."""
        self.table.items = dict(self.before)
        body._decoded.cache_clear()  # people mostly meet a case that a turn has written since
        self.event = inputs.http_event(self.body)
        began = time.process_time()
        measured()
        return time.process_time() - began


warm = Warm()
count = json.load(sys.stdin)["clicks"]
contenders = {"click": warm.click, "put": warm.put, "requests": warm.requests}
found: dict[str, Any] = {name: [] for name in contenders}
for number in range(count + WARM_UP):
    for name, measured in contenders.items():
        seconds = warm.seconds(measured)
        if number >= WARM_UP:
            found[name].append(seconds)
found["calls"] = warm.calls_of_a_click()
print()
json.dump(found, sys.stdout)

"""The peer: slack-bolt with its Chalice adapter and a lazy listener, as bolt's own example has it.

The listener does what Unlatch does before it answers: asks Slack who clicked, reads the case,
seals the approval, records it on a condition, and wakes the run.
"""

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

from chalice.app import Chalice, Response
from slack_bolt import Ack, App  # type: ignore[import-not-found, unused-ignore]  # for `make bench` alone
from slack_bolt.adapter.aws_lambda.chalice_handler import (  # type: ignore[import-not-found, unused-ignore]  # same
    ChaliceSlackRequestHandler,
)
from slack_sdk import WebClient

bolt_app = App(
    process_before_response=True,
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    client=WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
)


def acknowledge(ack: Ack) -> None:
    ack()


def record(body: dict[str, Any], client: WebClient) -> None:
    import boto3  # the function that answers has no need of it

    user = client.users_info(user=body["user"]["id"])["user"]
    case_id, _, remedy, plan_hash = body["view"]["private_metadata"].split(":")
    table: Any = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
    pk = f"CASE#{case_id}"
    body, item = (
        table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True)["Item"]
        for sk in ("BODY", "INBOX")
    )
    if user["team_id"] != os.environ["SLACK_TEAM_IDS"] or plan_hash not in body["body"]:
        return
    said = json.dumps({"by": user["id"], "remedy": remedy, "plan_hash": plan_hash})
    mac = boto3.client("kms").generate_mac(
        KeyId=os.environ["INBOX_KEY_ID"], Message=said.encode(), MacAlgorithm="HMAC_SHA_256"
    )
    table.update_item(
        Key={"pk": pk, "sk": "INBOX"},
        UpdateExpression="SET clicks=list_append(clicks, :click) ADD version :one",
        ConditionExpression="version=:seen",
        ExpressionAttributeValues={
            ":click": [said + mac["Mac"].hex()],
            ":one": 1,
            ":seen": item["version"],
        },
    )
    boto3.client("stepfunctions").send_task_success(taskToken=item["token"], output="{}")


bolt_app.view("decide")(ack=acknowledge, lazy=[record])

ChaliceSlackRequestHandler.clear_all_log_handlers()  # type: ignore[no-untyped-call, unused-ignore]  # bolt's
app = Chalice(app_name="bolt-example")
slack_handler = ChaliceSlackRequestHandler(app=bolt_app, chalice=app)


@app.route(
    "/slack/interactions",
    methods=["POST"],
    content_types=["application/x-www-form-urlencoded"],
)
def interactions() -> Response:
    assert app.current_request, "only called within a request"
    return slack_handler.handle(app.current_request)  # type: ignore[no-any-return, unused-ignore]  # bolt says Any


if __name__ == "__main__":
    context = SimpleNamespace(function_name="bolt-example-dev", aws_request_id="1")
    reply = app(json.load(sys.stdin), context)
    if reply["statusCode"] != 200:
        sys.exit(f"not answered: {reply}")

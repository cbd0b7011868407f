"""The peer: a warm function with slack-bolt, which authorises each request and puts the click on a condition.

BOLT_STORE=1: as bolt's documentation has it for more than one workspace, with a store of installations
(here in memory); each request is then authorised by auth.test. Else with the token of one workspace,
where bolt asks Slack once a process.
"""

import json
import os
import time
from types import SimpleNamespace
from typing import Any

import boto3
from chalice.app import Chalice, Response
from slack_bolt import Ack, App  # type: ignore[import-not-found, unused-ignore]  # for `make bench` alone
from slack_bolt.adapter.aws_lambda.chalice_handler import (  # type: ignore[import-not-found, unused-ignore]  # same
    ChaliceSlackRequestHandler,
)
from slack_sdk import WebClient
from slack_sdk.oauth import InstallationStore
from slack_sdk.oauth.installation_store import Installation

from bench.fresh import answers

TOKEN = os.environ["SLACK_BOT_TOKEN"]


class Kept(InstallationStore):
    """One installation, in memory: no time is lost in looking for it."""

    def find_installation(self, **_: Any) -> Installation:
        return Installation(user_id="U1", team_id="T1", bot_token=TOKEN, bot_id="B1")


client = WebClient(TOKEN, base_url=os.environ["SLACK_API_URL"])
how: dict[str, Any] = {"installation_store": Kept()} if "BOLT_STORE" in os.environ else {}
bolt_app = App(
    process_before_response=True,
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    client=WebClient(base_url=os.environ["SLACK_API_URL"]) if how else client,
    **how,
)
table: Any = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@bolt_app.view("decide")  # type: ignore[untyped-decorator, unused-ignore]  # bolt's
def record(ack: Ack, body: dict[str, Any]) -> None:
    case_id, _, remedy, plan_hash = body["view"]["private_metadata"].split(":")
    said = {"by": body["user"]["id"], "remedy": remedy, "plan_hash": plan_hash}
    item = {"pk": f"CLICK#{case_id}", "sk": f"{time.time_ns()}", "said": json.dumps(said)}
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
    ack()


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


context = SimpleNamespace(function_name="bolt-example-dev", aws_request_id="1")


def click(event: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    reply = app(event, context)
    took = time.perf_counter() - began
    assert reply["statusCode"] == 200, reply
    return {"seconds": took}


answers(click)

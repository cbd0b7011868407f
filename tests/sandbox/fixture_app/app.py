"""A tiny bot with Unlatch's entry points, to try the sandbox's runtime with."""

import json
import os
from typing import Any

from chalice.app import Chalice, Response

app = Chalice(app_name="unlatch")
runs: dict[str, Any] = {}


def table() -> Any:
    import boto3

    return boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def states() -> Any:
    import boto3

    return boto3.client("stepfunctions")


@app.on_cw_event(
    {
        "source": ["aws.cloudhsm"],
        "detail": {"eventName": ["DeleteCluster"], "errorCode": [{"exists": True}]},
    }
)
def on_delete_blocked(event: Any) -> None:
    detail = event.to_dict()["detail"]
    print("blocked", detail["eventID"])  # noqa: T201 - shows up in the sandbox\'s log
    if os.environ.get("FAIL_EVENTS") == "true":
        raise RuntimeError("no")
    count = table().update_item(
        Key={"pk": "event", "sk": detail["eventID"]},
        UpdateExpression="ADD seen :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
    )["Attributes"]["seen"]
    if count == 1:
        start("c1")


def start(case_id: str) -> None:
    arn = f"arn:aws:states:us-east-1:111122223333:stateMachine:{os.environ['STATE_MACHINE_NAME']}"
    request = json.dumps({"case_id": case_id, "generation": 1, "turn": {"body": ""}})
    states().start_execution(stateMachineArn=arn, name=f"{case_id}-1", input=request)


@app.lambda_function()
def turn(event: Any, context: Any) -> dict[str, Any]:
    row = table().update_item(
        Key={"pk": "case", "sk": event["case_id"]},
        UpdateExpression="ADD turns :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    turns = int(row["turns"])
    if os.environ.get("FAIL_TURN") == str(turns):
        raise RuntimeError("this turn fails")
    waits = json.loads(os.environ.get("WAITS", "[64800]"))
    return {
        "finished": turns >= int(os.environ.get("TURNS", "12")),
        "wait_seconds": waits[turns % len(waits)],
        "version": turns,
        "body": str(turns),
    }


@app.lambda_function()
def sleep(event: Any, context: Any) -> None:
    table().update_item(
        Key={"pk": "case", "sk": event["case_id"]},
        UpdateExpression="SET #token = :token",
        ExpressionAttributeNames={"#token": "token"},
        ExpressionAttributeValues={":token": event["token"]},
    )


@app.schedule("rate(1 hour)")
def sweep(event: Any) -> None:
    print("sweep at", event.to_dict()["time"])  # noqa: T201 - shows up in the sandbox\'s log


@app.on_cw_event(
    {
        "source": ["aws.kms"],
        "detail": {"errorCode": ["DisabledException", "KMSInvalidStateException"]},
    }
)
def on_key_used(event: Any) -> None:
    print("key used", event.to_dict()["detail"]["eventName"])  # noqa: T201 - shows up in the sandbox\'s log


@app.route(
    "/slack/interactions", methods=["POST"], content_types=["application/x-www-form-urlencoded"]
)
def interactions() -> Response:
    request: Any = app.current_request
    body = request.raw_body.decode()
    if body == "boom":
        os._exit(1)
    token = table().get_item(Key={"pk": "case", "sk": "c1"}).get("Item", {}).get("token")
    if token:
        states().send_task_success(taskToken=token, output="{}")
    return Response(body=body, headers={"Content-Type": "text/plain"})


@app.route("/slack/commands", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def commands() -> dict[str, str]:
    return {"text": "hello"}


@app.route("/slack/events", methods=["POST"], content_types=["application/json"])
def events() -> dict[str, str]:
    return {}

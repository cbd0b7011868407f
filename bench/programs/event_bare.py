"""The reference: a bare Chalice app that answers the event with one conditional DynamoDB put."""

import json
import os
import sys
from types import SimpleNamespace

import boto3
from chalice.app import Chalice, CloudWatchEvent

app = Chalice(app_name="bare")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@app.on_cw_event({"source": ["aws.cloudhsm"]})
def heard(event: CloudWatchEvent) -> dict[str, str]:
    item = {
        "pk": f"EVENT#{event.detail['eventID']}",
        "sk": "EVENT",
        "body": json.dumps(event.detail),
    }
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
    return {"case_id": event.detail["eventID"]}


if __name__ == "__main__":
    context = SimpleNamespace(function_name="bare-dev-heard", aws_request_id="1")
    reply = heard(json.load(sys.stdin), context)
    if "case_id" not in reply:
        sys.exit(f"not put: {reply}")

"""The reference of package and import: a bare Chalice app with boto3 that answers one event with one put."""

import os

import boto3
from chalice.app import Chalice, CloudWatchEvent

app = Chalice(app_name="bare")


@app.on_cw_event({"source": ["aws.cloudhsm"]})
def heard(event: CloudWatchEvent) -> None:
    table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
    table.put_item(Item={"pk": event.detail["eventID"], "sk": "EVENT"})

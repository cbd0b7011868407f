"""What the stubbed services answer: a table in memory behind DynamoDB's wire format, the rest constants."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sandbox.reliability.table import MemoryTable

SECRET = "bench-signing-secret"  # noqa: S105  # signs nothing but benchmarks
TOKEN = "xoxb-bench"  # noqa: S105  # same
MAC = base64.b64encode(bytes(32)).decode()
MAPS = ("Item", "Key", "ExpressionAttributeValues")
Reply = tuple[int, dict[str, Any]]


class ErrorAnswer(Exception):  # noqa: N818  # an answer, not a failure of the stub
    """An AWS error of this code."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.body = {"__type": code, "message": code, **more}


class Answers:
    """`target` is the X-Amz-Target of a JSON request, like `DynamoDB_20120810.GetItem`."""

    def __init__(self, table: MemoryTable, secrets: dict[str, str]) -> None:
        self.table, self.secrets = table, secrets
        self.calls: list[str] = []
        self.runs: set[str] = set()
        self._read, self._written = TypeDeserializer(), TypeSerializer()
        self._dynamo: dict[str, Callable[..., dict[str, Any]]] = {
            "GetItem": table.get_item,
            "PutItem": self._put,
            "UpdateItem": table.update_item,
            "Query": table.query,
            "TransactWriteItems": self._transact,
        }

    def aws(self, target: str, body: bytes) -> Reply:
        """Status and JSON body of one call."""
        service, _, operation = target.rpartition(".")
        self.calls.append(f"{service.partition('_')[0].lower()}:{operation}")
        asked = json.loads(body or b"{}")
        try:
            if service.startswith("DynamoDB"):
                return 200, self._table_call(operation, asked)
            return 200, self._other(operation, asked)
        except ErrorAnswer as refused:
            return 400, refused.body

    def slack(self, method: str) -> dict[str, Any]:
        self.calls.append(f"slack:{method}")
        user = {"id": "alice", "team_id": "T1", "name": "alice", "profile": {}}
        return {
            "ok": True,
            "user": user if method == "users.info" else "unlatch",
            "users": ["alice"],
            "usergroups": [{"id": "S0PLATFORM", "handle": "platform"}],
            "view": {"id": "V1"},
            "ts": "1.0",
            "channel": "C1",
            "messages": [],
            "team_id": "T1",
            "team": "bench",
            "url": "https://bench.slack.com/",
            "user_id": "U0BOT",
            "bot_id": "B0BOT",
        }

    def _other(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "GetSecretValue":
                return {"Name": asked["SecretId"], "SecretString": self.secrets[asked["SecretId"]]}
            case "GenerateMac":
                return {"Mac": MAC, "MacAlgorithm": asked["MacAlgorithm"], "KeyId": "key"}
            case "StartExecution":
                self.runs.add(asked["name"])
                return {"executionArn": f"arn:{asked['name']}", "startDate": 1.0}
            case "SendTaskSuccess":
                return {}
            case "VerifyMac":
                return {"MacValid": asked["Mac"] == MAC, "KeyId": "key"}
            case "GetParameter":
                return {"Parameter": {"Name": asked["Name"], "Value": "off"}}
        raise ErrorAnswer("UnknownOperationException")

    def _transact(self, *, TransactItems: list[dict[str, Any]], **_: object) -> dict[str, Any]:  # noqa: N803  # boto3's name
        return self.table.transact_write_items(TransactItems=TransactItems)

    def _put(self, **asked: Any) -> dict[str, Any]:
        """The table's own PutItem knows no condition; a transaction of one write does."""
        try:
            return self.table.transact_write_items(TransactItems=[{"Put": asked}])
        except ClientError as error:
            raise ErrorAnswer("ConditionalCheckFailedException") from error

    def _table_call(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        for write in asked.get("TransactItems", ()):
            for request in write.values():
                self._plain(request)
        self._plain(asked)
        try:
            reply = self._dynamo[operation](**asked)
        except ClientError as error:
            code = f"{error.response['Error']['Code']}Exception"
            more = {k: v for k, v in error.response.items() if k == "CancellationReasons"}
            raise ErrorAnswer(code, **more) from error
        return self._typed(reply)

    def _plain(self, request: dict[str, Any]) -> None:
        for name in MAPS:
            if name in request:
                request[name] = {k: self._value(v) for k, v in request[name].items()}

    def _value(self, typed: Any) -> Any:
        """As boto3 reads it; binary arrives here in base64, and numbers are whole."""
        kind, value = next(iter(typed.items()))
        if kind == "B":
            return base64.b64decode(value)
        if kind == "N":
            return int(value)
        return self._read.deserialize(typed)

    def _typed(self, reply: dict[str, Any]) -> dict[str, Any]:
        for name in ("Item", "Attributes"):
            if name in reply:
                reply[name] = self._item(reply[name])
        if "Items" in reply:
            reply["Items"] = [self._item(item) for item in reply["Items"]]
        return reply

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        return {name: _in_base64(self._written.serialize(value)) for name, value in item.items()}


def _in_base64(typed: Any) -> Any:
    if "B" not in typed:
        return typed
    return {"B": base64.b64encode(bytes(typed["B"])).decode()}

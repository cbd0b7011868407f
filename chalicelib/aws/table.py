"""One DynamoDB table in plain Python values, over botocore's client. Knows nothing of cases.

What is past its time to live counts as gone already: DynamoDB takes days to delete it.

boto3's own Table does the same and more; loading it costs a cold function 40 ms (docs/performance.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


TTL = "ttl"
"""The attribute that infra/resources.yaml names as the time to live."""
MAPS = ("Item", "Key", "ExpressionAttributeValues")
Typed = dict[str, Any]


class Table:
    """The calls that the store makes, named as boto3's Table names them."""

    def __init__(
        self, client: DynamoDBClient, name: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client, self.name, self._clock = client, name, clock
        transact = SimpleNamespace(
            transact_write_items=self._transact, exceptions=client.exceptions
        )
        self.meta = SimpleNamespace(client=transact)

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Asks for the consumed capacity too, which marks “no item” apart from a reply that broke off."""
        asked = {**request, "ReturnConsumedCapacity": "TOTAL"}
        reply = self._call(self._client.get_item, asked)
        if self._is_past(reply.get("Item", {})):
            del reply["Item"]
        return reply

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._call(self._client.put_item, request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._call(self._client.update_item, request)

    def query(self, **request: Any) -> dict[str, Any]:
        reply = self._call(self._client.query, request)
        return {**reply, "Items": [item for item in reply["Items"] if not self._is_past(item)]}

    def scan(self, **request: Any) -> dict[str, Any]:
        return self._call(self._client.scan, request)

    def _is_past(self, item: Mapping[str, Any]) -> bool:
        ends = item.get(TTL)
        return type(ends) is int and ends <= self._clock()  # DynamoDB, too, takes numbers alone

    def _call(
        self, call: Callable[..., Mapping[str, Any]], request: Mapping[str, Any]
    ) -> dict[str, Any]:
        reply = dict(call(TableName=self.name, **_typed_maps(request)))
        for name in ("Item", "Attributes"):
            if name in reply:
                reply[name] = _plain_map(reply[name])
        if "Items" in reply:
            reply["Items"] = [_plain_map(item) for item in reply["Items"]]
        return reply

    def _transact(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # boto3's name
        writes: Any = [
            {kind: _typed_maps(request) for kind, request in write.items()}
            for write in TransactItems
        ]
        return {**self._client.transact_write_items(TransactItems=writes)}


def _typed_maps(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {key: typed(one) for key, one in value.items()} if name in MAPS else value
        for name, value in request.items()
    }


def _plain_map(item: Mapping[str, Typed]) -> dict[str, Any]:
    return {name: plain(value) for name, value in item.items()}


def typed(value: Any) -> Typed:
    """A value as DynamoDB's wire has it. TypeError for what the store never keeps, floats above all."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [typed(one) for one in value]}
        case set() | frozenset() if value and all(isinstance(one, str) for one in value):
            return {"SS": sorted(value)}
        case dict():
            return {"M": {key: typed(one) for key, one in value.items()}}
    raise TypeError(f"{type(value).__name__} can’t be stored")


def plain(value: Typed) -> Any:
    """The Python value; numbers are whole, a list of strings that is a set comes as a set."""
    ((kind, held),) = value.items()
    match kind:
        case "N":
            return int(held)
        case "L":
            return [plain(one) for one in held]
        case "M":
            return _plain_map(held)
        case "SS":
            return set(held)
        case "NULL":
            return None
    return held

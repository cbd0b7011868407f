"""Somebody with write access to the bot's table edits a case. Seals nothing, and knows no rule of the bot."""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Key
from boto3.dynamodb.types import Binary

Item = dict[str, Any]
OPEN, LOG = "OPEN", "LOG#"
LISTS = {"clicks": {"clicks"}, "uses": {"key_uses"}, "triggers": {"triggers", "attempts"}}
"""What others than turns have written, by the attributes of the items that hold it."""


class Tamper:
    """Edits on a boto3 Table; each gives the sentence that tells what came of it."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._kept: dict[str, tuple[str, list[Item]]] = {}

    def act(self, case_id: str, what: str, value: Any) -> str:
        match what:
            case "set":
                return self._set(case_id, value)
            case "keep":
                self._kept[value] = case_id, self._items(case_id)
                return f"Somebody copies {case_id} out of the table ({value})."
            case "put_back":
                return self._put_back(value)
        return self._drop(case_id, value)

    def _set(self, case_id: str, fields: Mapping[str, Any]) -> str:
        bodies = [item for item in self._items(case_id) if "body" in item]
        for item in bodies:
            body = json.loads(_text(item["body"]))
            for name, value in fields.items():
                _put(body, name.split("."), value)
                if name in item:  # what the item repeats of its body, for conditions on it
                    item[name] = value
            item["body"] = json.dumps(body, ensure_ascii=False)
            self._table.put_item(Item=item)
        if not bodies:
            return f"Somebody finds no body of {case_id} to edit in the table."
        said = ", ".join(f"{name} to {value!r}" for name, value in fields.items())
        return f"Somebody edits {case_id} in the table: sets {said}."

    def _put_back(self, name: str) -> str:
        """All of the case's items as they were, without those that came since."""
        if name not in self._kept:
            return f"Nothing was kept as {name}, so nothing is put back."
        case_id, kept = self._kept[name]
        known = {(item["pk"], item["sk"]) for item in kept}
        for item in self._items(case_id):
            if (item["pk"], item["sk"]) not in known:
                self._delete(item)
        for item in kept:
            self._table.put_item(Item=item)
        return f"Somebody puts {case_id} back into the table as it was ({name})."

    def _drop(self, case_id: str, what: str) -> str:
        for item in self._items(case_id):
            if what == "log":
                if item["sk"].startswith(LOG):
                    self._delete(item)
                continue
            for name in LISTS[what] & set(item):
                item[name] = []
                self._table.put_item(Item=item)
        return f"Somebody removes the {what} of {case_id} from the table."

    def items(self, case_id: str) -> dict[tuple[str, str], Item]:
        """All items of the case by their keys, in Python's own types."""
        return {
            (item["pk"], item["sk"]): {name: _plain(value) for name, value in item.items()}
            for item in self._items(case_id)
        }

    def replace(self, case_id: str, items: Mapping[tuple[str, str], Item]) -> None:
        """The case has these items and no others."""
        for pk, sk in self.items(case_id).keys() - items.keys():
            self._delete({"pk": pk, "sk": sk})
        for item in items.values():
            self._table.put_item(Item=item)

    def _items(self, case_id: str) -> list[Item]:
        """Of the case's own partition, and its pointer while it holds its cluster."""
        held = [item for item in self._query(OPEN) if item["case_id"] == case_id]
        return [*self._query(f"CASE#{case_id}"), *held]

    def _query(self, pk: str) -> list[Item]:
        asked: dict[str, Any] = {"KeyConditionExpression": Key("pk").eq(pk), "ConsistentRead": True}
        found: list[Item] = []
        while True:
            page = self._table.query(**asked)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _delete(self, item: Item) -> None:
        self._table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})


def _plain(value: Any) -> Any:
    """Without boto3's Decimal and Binary."""
    if isinstance(value, Decimal):
        return int(value)
    is_binary = isinstance(value, Binary)
    return bytes(value) if is_binary else value


def _text(stored: Any) -> str:
    """A body as JSON; a long one is stored compressed."""
    return stored if isinstance(stored, str) else lzma.decompress(bytes(stored)).decode()


def _put(body: Any, path: list[str], value: Any) -> None:
    """Along dotted names and places in lists; what is missing on the way is made, as defaults are left out."""
    *way, last = path
    for step in way:
        body = body[int(step)] if isinstance(body, list) else body.setdefault(step, {})
    body[int(last) if isinstance(body, list) else last] = value

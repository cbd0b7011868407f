"""The audit log of each case in DynamoDB: entries are only ever added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.writes import asking
from chalicelib.domain.state.audit_log import Entry


class Log:
    """Reads a case's log in order."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def entries(self, case_id: str) -> list[Entry]:
        """Without what can't be read: it is missed by its number, and holds up nobody's work."""
        found = self.query(f"CASE#{case_id}", between=("LOG#", "LOG#~"))
        return [entry for item in found if (entry := _read(item)) is not None]

    def query(self, pk: str, *, between: tuple[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """All items of a partition, or those whose sort key is from one to the other; page after page."""
        condition, values = "pk=:pk", {":pk": pk}
        if between:
            condition += " AND sk BETWEEN :low AND :high"
            values |= {":low": between[0], ":high": between[1]}
        start: dict[str, Any] = {}
        while True:
            with asking("Query"):
                page = self._table.query(
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ConsistentRead=True,
                    **start,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _read(item: dict[str, Any]) -> Entry | None:
    try:
        return codec.load(item["entry"], Entry)
    except codec.UNREADABLE:
        return None


def log_put(table: str, case_id: str, item: Entry) -> dict[str, Any]:
    """The transactional write of one entry; a number is written once only."""
    return {
        "Put": {
            "TableName": table,
            "Item": {
                "pk": f"CASE#{case_id}",
                "sk": f"LOG#{item.number:06d}",
                "entry": codec.dump(item),
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }

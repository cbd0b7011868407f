"""The conditional writes of the store, and DynamoDB's answers as temporary or permanent errors."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from chalicelib.aws.denials import OWN
from chalicelib.aws.errors import translated, understood
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.state.case import Case
from chalicelib.failures import Code, ConflictError, TemporaryError

OPEN = "OPEN"
Write = dict[str, Any]
REFUSED = {"ConditionalCheckFailed", "TransactionConflict"}
BUSY = {"ThrottlingError", "ProvisionedThroughputExceeded"}
FREE_OR_OWN = "attribute_not_exists(pk) OR case_id=:case"


def asking(call: str) -> AbstractContextManager[None]:
    """Turns what DynamoDB can't do into TemporaryError or PermanentError; conditions are caught inside."""
    return translated(f"dynamodb:{call}", **OWN)


def place(account: str, region: str, cluster_id: str) -> str:
    return f"{account}#{region}#{cluster_id}"


class Writes:
    """Requests on one table; `table` is a boto3 DynamoDB Table."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._client = table.meta.client

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with asking("GetItem"):
            found = self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def update(self, case_id: str, **request: Any) -> dict[str, Any] | None:
        """One conditional update of a case's inbox; what stood before, or None if it was refused.

        ConflictError if a transaction is just writing it: that says nothing of the condition.
        """
        key = {"pk": f"CASE#{case_id}", "sk": INBOX}
        with asking("UpdateItem"):
            try:
                reply = self._table.update_item(Key=key, ReturnValues="ALL_OLD", **request)
            except self._client.exceptions.ConditionalCheckFailedException:
                return None
            except self._client.exceptions.TransactionConflictException as error:
                raise ConflictError(case_id) from error
        with understood("dynamodb:UpdateItem"):
            # Each condition demands that the item is there: something stood there before.
            return dict(reply["Attributes"])

    def transact(self, writes: list[Write]) -> bool:
        """False if a condition did not hold, or another transaction was on the same items."""
        with asking("TransactWriteItems"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except self._client.exceptions.TransactionCanceledException as error:
                codes = {r.get("Code") for r in error.response.get("CancellationReasons", [])}
                if codes & BUSY:
                    raise TemporaryError("DynamoDB is busy", code=Code.BUSY) from error
                if codes - REFUSED - {"None"}:
                    raise
                return False
        return True

    @property
    def table(self) -> str:
        """The table's name."""
        name: str = self._table.name
        return name

    def put_item(self, item: dict[str, Any]) -> None:
        """Without a condition: what it replaces may go."""
        with asking("PutItem"):
            self._table.put_item(Item=item)

    def delete(self, item: dict[str, Any]) -> Write:
        """Its removal, if it is still as it was read."""
        return {
            "Delete": {
                "TableName": self._table.name,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "ConditionExpression": "version=:version",
                "ExpressionAttributeValues": {":version": item["version"]},
            }
        }

    def put(self, item: dict[str, Any], condition: str, **values: Any) -> Write:
        put = {"TableName": self._table.name, "Item": item, "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = {f":{name}": v for name, v in values.items()}
        return {"Put": put}

    def update_of(self, case_id: str, **request: Any) -> Write:
        """The same update as a part of a transaction."""
        key = {"pk": f"CASE#{case_id}", "sk": INBOX}
        return {"Update": {"TableName": self._table.name, "Key": key, **request}}

    def pointing(self, kind: str, where: str, case_id: str) -> Write:
        """`ConditionCheck` that this case holds the cluster, or `Delete` of its hold."""
        return {
            kind: {
                "TableName": self._table.name,
                "Key": {"pk": OPEN, "sk": where},
                "ConditionExpression": "case_id=:case",
                "ExpressionAttributeValues": {":case": case_id},
            }
        }

    def hold(self, case: Case) -> Write:
        """The case takes its cluster, unless another case has it."""
        where = place(case.account, case.region, case.cluster_id)
        pointer = {"pk": OPEN, "sk": where, "case_id": case.case_id}
        return self.put(pointer, FREE_OR_OWN, case=case.case_id)

    def pointer_writes(self, case: Case) -> list[Write]:
        """A case holds its cluster until it is over; then it lets it go, if it still holds it."""
        if not case.is_over:
            return [self.hold(case)]
        where = place(case.account, case.region, case.cluster_id)
        held = self.get(OPEN, where)
        if held is None or held["case_id"] != case.case_id:
            return []
        return [self.pointing("Delete", where, case.case_id)]

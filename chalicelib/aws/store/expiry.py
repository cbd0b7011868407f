"""The end of a case's record, by DynamoDB's time to live. Touches no case that was written meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.store import legacy
from chalicelib.aws.store.inbox import INBOX
from chalicelib.aws.store.log import Log
from chalicelib.aws.store.writes import Write, Writes
from chalicelib.aws.table import TTL
from chalicelib.domain.state.case import Case
from chalicelib.failures import ConflictError

AT_ONCE = 90
"""Of one transaction, which takes 100 writes."""
LATER = timedelta(days=1)
"""DynamoDB deletes what is past its time in no order. So the items without which there is no case
count as gone a day before the rest may go: nobody ever sees half a log."""
FIRST = frozenset({INBOX, legacy.OLD})


def expire(writes: Writes, log: Log, case: Case, at: datetime) -> None:
    """From then on there is no such case, and DynamoDB deletes its items within days. Safe to repeat.

    The inbox comes first: should this break off and never be repeated, the case still ends as a whole.
    ConflictError if somebody wrote to the case since it was loaded.
    """
    items = list(log.query(f"CASE#{case.case_id}"))
    first = [_until(writes, item, at) for item in items if item["sk"] in FIRST]
    for update in (one["Update"] for one in first if one["Update"]["Key"]["sk"] == INBOX):
        _as_it_was(update, case.version)
    rest = [_until(writes, item, at + LATER) for item in items if item["sk"] not in FIRST]
    for some in [first, *_parts(rest)]:
        if not writes.transact(some):
            raise ConflictError(case.case_id)


def _until(writes: Writes, item: dict[str, Any], at: datetime) -> Write:
    return {
        "Update": {
            "TableName": writes.table,
            "Key": {"pk": item["pk"], "sk": item["sk"]},
            "UpdateExpression": "SET #ttl=:ttl",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#ttl": TTL},
            "ExpressionAttributeValues": {":ttl": int(at.timestamp())},
        }
    }


def _as_it_was(update: Write, version: int) -> None:
    """Whoever judged the case before this must judge it again."""
    update["UpdateExpression"] += " ADD version :one"
    update["ConditionExpression"] = "version=:version"
    update["ExpressionAttributeValues"] |= {":version": version, ":one": 1}


def _parts(writes: Sequence[Write]) -> list[list[Write]]:
    return [list(writes[i : i + AT_ONCE]) for i in range(0, len(writes), AT_ONCE)]

"""The calls that CloudTrail saw in the name of a case. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Operation

MARGIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Seen:
    """One API call of a session that bears the case’s name, or that hit its targets as our role."""

    at: datetime
    operation: Operation
    request_id: str
    error: str
    role: str
    session: str
    source_identity: str
    account: str
    region: str
    parameters: Mapping[str, Any]

    def names(self, target: str) -> bool:
        """Whether the call’s parameters name this target, be it by its ARN."""
        values = {str(value) for value in self.parameters.values()}
        return any(value == target or value.endswith(f"/{target}") for value in values)


def seen(
    cloudtrail: Any, case: Case, *, roles: tuple[str, ...], pace: Callable[[], None], now: datetime
) -> tuple[Seen, ...]:
    """Oldest first, to this day: the session’s name stays after the case is closed.

    LookupEvents takes one attribute, so each operation is asked for by itself.
    """
    window = {"StartTime": case.opened_at - MARGIN, "EndTime": now}
    found = [
        call
        for operation in Operation
        for record in _records(cloudtrail, operation, window=window, pace=pace)
        if (call := _seen(record, operation)) and _is_ours(call, case, roles)
    ]
    return tuple(sorted(found, key=lambda call: call.at))


def _records(
    cloudtrail: Any,
    operation: Operation,
    *,
    window: Mapping[str, datetime],
    pace: Callable[[], None],
) -> Iterator[Mapping[str, Any]]:
    name = operation.partition(":")[2]
    attribute = {"AttributeKey": "EventName", "AttributeValue": name}
    request: dict[str, Any] = {"LookupAttributes": [attribute], **window}
    while True:
        pace()
        page = cloudtrail.lookup_events(**request)
        for item in page["Events"]:
            yield json.loads(item["CloudTrailEvent"])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _seen(record: Mapping[str, Any], operation: Operation) -> Seen | None:
    """None for callers that are no role’s session."""
    identity = record.get("userIdentity") or {}
    parts = str(identity.get("arn", "")).split(":", 5)[-1].split("/")
    if parts[0] != "assumed-role" or len(parts) < 3:
        return None
    session = identity.get("sessionContext") or {}
    return Seen(
        at=datetime.fromisoformat(str(record["eventTime"])),
        operation=operation,
        request_id=str(record.get("requestID", "")),
        error=str(record.get("errorCode") or ""),
        role=parts[1],
        session=parts[-1],
        source_identity=str(session.get("sourceIdentity") or ""),
        account=str(record.get("recipientAccountId", "")),
        region=str(record.get("awsRegion", "")),
        parameters=record.get("requestParameters") or {},
    )


def _is_ours(call: Seen, case: Case, roles: tuple[str, ...]) -> bool:
    """By the session’s name; or by our role on our targets in a session that bears no case’s name."""
    if call.session == case.case_id:
        return True
    if call.role not in roles or call.session.startswith("case-"):
        return False
    targets = {case.cluster_id, *(record.target for record in case.calls)}
    return any(call.names(target) for target in targets)

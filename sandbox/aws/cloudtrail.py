"""CloudTrail: a record of each KMS and CloudHSM call, LookupEvents over them, EventBridge events.

Never changes anything but its own records.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.calls import KEEPS_WHAT_WAS_ASKED, USES, AwsError, RequestContext
from sandbox.aws.kms_keys import DeletedKey

RECORDED = {"kms": "kms.amazonaws.com", "cloudhsm": "cloudhsm.amazonaws.com"}
KEPT = timedelta(days=90)
PAGE = 50
EVENT_VERSION = "1.08"
SOURCE_ADDRESS = "198.51.100.7"  # of a block that is reserved for documentation
SECRETS = frozenset({
    "KeyStorePassword", "Plaintext", "CiphertextBlob", "Message", "Mac", "Signature",
    "TrustAnchorCertificate",
})  # fmt: skip
# CloudTrail's own spelling of a parameter, if it isn't the API's.
SPELLED = {"CloudHsmClusterId": "clusterId"}
KEY_TYPE = "AWS::KMS::Key"

Record = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A record with what LookupEvents finds it by. `number` grows with each record."""

    number: int
    at: datetime
    names: Mapping[str, frozenset[str]]
    user: str
    record: Record


class Trail:
    """All records of all accounts, and those who want to hear of them as EventBridge events."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], list[Entry]] = defaultdict(list)

    def add(
        self, visit: RequestContext, result: dict[str, Any] | None, *, error: AwsError | None
    ) -> None:
        """Record a call; writes and failed calls also go to the listeners."""
        record = _record(visit, result, error=error)
        self._keep(record, visit.now, user=visit.identity.user_name)
        if error is not None or not visit.read_only:
            self._publish(record, "AWS API Call via CloudTrail")

    def add_past(self, visit: RequestContext) -> None:
        """A call of before anybody listened, if it is not too long ago. Add the oldest first."""
        self._keep(_record(visit, None, error=None), visit.now, user=visit.identity.user_name)

    def add_key_deletion(self, key: DeletedKey) -> None:
        """KMS itself deleted a key: its service event, and the event "KMS CMK Deletion"."""
        record = _deletion_record(key)
        self._keep(record, key.at, user="")
        self._publish(record, "AWS Service Event via CloudTrail")
        envelope = _envelope(record, "KMS CMK Deletion")
        detail = {"key-id": key.arn.rsplit("/", 1)[-1]}
        self._tell({**envelope, "resources": [key.arn], "detail": detail})

    def forget(self) -> None:
        with self._lock:
            self._entries.clear()

    def lookup(self, visit: RequestContext) -> dict[str, Any]:
        """LookupEvents: one attribute, newest first, 90 days, at most 50 a page."""
        params = visit.params
        attribute = _attribute(params)
        start = max(_moment(params.get("StartTime")) or visit.now - KEPT, visit.now - KEPT)
        end = _moment(params.get("EndTime")) or visit.now
        if start > end:
            raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")
        size = params.get("MaxResults", PAGE)
        if not 1 <= size <= PAGE:
            raise AwsError("InvalidMaxResultsException", f"MaxResults is 1 to {PAGE}.")
        before = _token(params.get("NextToken"))
        page: list[Entry] = []
        for entry in self._newest_first(visit.account, visit.region):
            if entry.number >= before or not start <= entry.at <= end:
                continue
            if attribute is None or attribute[1] in entry.names[attribute[0]]:
                if len(page) == size:
                    token = str(page[-1].number)
                    return {"Events": [_event(found) for found in page], "NextToken": token}
                page.append(entry)
        return {"Events": [_event(found) for found in page]}

    def _newest_first(self, account: str, region: str) -> Iterator[Entry]:
        with self._lock:
            entries = self._entries[account, region].copy()
        return reversed(entries)

    def _keep(self, record: Record, at: datetime, *, user: str) -> None:
        place = (record["recipientAccountId"], record["awsRegion"])
        with self._lock:
            entries = self._entries[place]
            entries.append(Entry(len(entries) + 1, at, _names(record, user), user, record))

    def _publish(self, record: Record, detail_type: str) -> None:
        self._tell(_envelope(record, detail_type))

    def _tell(self, event: dict[str, Any]) -> None:
        for listener in list(self.listeners):
            listener(event)


def lower_camel(value: Any) -> Any:
    """Parameters and replies as CloudTrail spells them, without what it keeps secret."""
    if isinstance(value, dict):
        return {
            SPELLED.get(name) or name[:1].lower() + name[1:]: lower_camel(item)
            for name, item in value.items()
            if name not in SECRETS
        }
    if isinstance(value, list):
        return [lower_camel(item) for item in value]
    if isinstance(value, datetime):
        return _iso(value)
    return value


def _record(
    visit: RequestContext, result: dict[str, Any] | None, *, error: AwsError | None
) -> Record:
    request = visit.request
    is_mute = request.operation == "DeleteCluster" and "A-LOSS-RECORD" in visit.differs
    answered = bool(result) and error is None and not visit.read_only and not is_mute
    tells_use = request.operation in USES and "A-FAILING-USE-RECORD" not in visit.differs
    record: Record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": visit.identity.as_recorded(),
        "eventTime": _iso(visit.now),
        "eventSource": RECORDED[request.service],
        "eventName": request.operation,
        "awsRegion": visit.region,
        "sourceIPAddress": SOURCE_ADDRESS,
        "userAgent": request.user_agent,
        **({"errorCode": _code(error, visit), "errorMessage": error.message} if error else {}),
        "requestParameters": _asked(visit, failed=error is not None),
        "responseElements": lower_camel(result) if answered else None,
        "requestID": visit.request_id,
        "eventID": visit.event_id,
        "readOnly": visit.read_only,
        **_kind("AwsApiCall", visit.account),
    }
    # Documented for each use of a key; of failed calls else nobody says so, and it is left out.
    if visit.remarks and (error is None or tells_use):
        record["additionalEventData"] = dict(visit.remarks)
    if visit.key_arns:
        record["resources"] = [_resource(visit.account, arn) for arn in visit.key_arns]
    return record


def _code(error: AwsError, visit: RequestContext) -> str:
    is_short = visit.request.service == "cloudhsm" and "A-CODE-IN-FULL" in visit.differs
    return error.code.removesuffix("Exception") if is_short else error.code


def _asked(visit: RequestContext, *, failed: bool) -> dict[str, Any] | None:
    keeps_none = failed and KEEPS_WHAT_WAS_ASKED.get(visit.request.name) in visit.differs
    return None if keeps_none else lower_camel(visit.request.params) or None


def _kind(event_type: str, account: str) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }


def _deletion_record(key: DeletedKey) -> Record:
    status = [
        {
            "keyHandle": "01",
            "backingKeyId": key.arn.rsplit("/", 1)[-1],
            "deletionStatus": "SUCCESS" if key.material_deleted else "FAILURE",
        }
    ]
    of_store = {"customKeyStoreId": key.store_id, "clusterId": key.cluster_id}
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": {"accountId": key.account, "invokedBy": "AWS Internal"},
        "eventTime": _iso(key.at),
        "eventSource": RECORDED["kms"],
        "eventName": "DeleteKey",
        "awsRegion": key.region,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "additionalEventData": {
            **{name: value for name, value in of_store.items() if value},
            "backingKeysDeletionStatus": json.dumps(status),
        },
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": [_resource(key.account, key.arn)],
        **_kind("AwsServiceEvent", key.account),
    }


def _resource(account: str, key_arn: str) -> dict[str, str]:
    return {"accountId": account, "type": KEY_TYPE, "ARN": key_arn}


def _envelope(record: Record, detail_type: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws." + record["eventSource"].split(".", 1)[0],
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def _names(record: Record, user: str) -> dict[str, frozenset[str]]:
    """What each lookup attribute of this record equals."""
    arns = [resource["ARN"] for resource in record.get("resources", [])]
    ids = [arn.rsplit("/", 1)[-1] for arn in arns]
    return {
        "EventId": frozenset({record["eventID"]}),
        "EventName": frozenset({record["eventName"]}),
        "ReadOnly": frozenset({str(record["readOnly"]).lower()}),
        "Username": frozenset({user}),
        "ResourceType": frozenset({KEY_TYPE} if arns else ()),
        "ResourceName": frozenset(arns + ids),
        "EventSource": frozenset({record["eventSource"]}),
        "AccessKeyId": frozenset({record["userIdentity"].get("accessKeyId", "")}),
    }


def _attribute(params: dict[str, Any]) -> tuple[str, str] | None:
    attributes = params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
    return (attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]) if attributes else None


def _event(entry: Entry) -> dict[str, Any]:
    record = entry.record
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "EventTime": entry.at,
        "EventSource": record["eventSource"],
        "Resources": [
            {"ResourceType": KEY_TYPE, "ResourceName": resource["ARN"]}
            for resource in record.get("resources", [])
        ],
        "CloudTrailEvent": json.dumps(record),
    }
    access_key = record["userIdentity"].get("accessKeyId")
    if access_key:
        event["AccessKeyId"] = access_key
    return {**event, "Username": entry.user} if entry.user else event


def _token(token: str | None) -> float:
    if token is None:
        return float("inf")
    if not token.isdigit():
        raise AwsError("InvalidNextTokenException", "The NextToken is not valid.")
    return int(token)


def _moment(stamp: float | str | None) -> datetime | None:
    if stamp is None:
        return None
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp)
    return datetime.fromtimestamp(stamp, UTC)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

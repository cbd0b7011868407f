"""What CloudTrail itself remembers (LookupEvents), as EventBridge promises no delivery. Reads only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.cloudtrail import NotOursError, failed_delete, key_uses
from chalicelib.aws.errors import translated
from chalicelib.aws.store_calls import CUTS_OFF, KMS, cut_off, refused_store_call
from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.state.case import KeyUse
from chalicelib.ports import CaseTrigger

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_cloudtrail.type_defs import EventTypeDef


LOOKUP = "cloudtrail:LookupEvents"
PAGE = 50
MOST_PAGES = 10
"""Of one key: a program that fails every second must not keep the others from their turn."""
KEPT_SECONDS = 300
"""A sweep's length: it looks at a place twice. Credentials last 15 minutes of the wall clock, which goes on
while Lambda lets a function sleep."""


@dataclass(frozen=True)
class AwsTrail:
    """Takes its share of the two requests a second that LookupEvents allows each account and Region."""

    accounts: Accounts
    reader_role: str
    own_roles: tuple[str, ...]
    codes: tuple[str, ...]
    pace: Callable[[str, str], Callable[[], None]]
    kept: dict[tuple[str, str], tuple[float, CloudTrailClient]] = field(default_factory=dict)

    def calls(
        self, account: str, region: str, *, since: datetime, names: Sequence[str]
    ) -> Sequence[CaseTrigger | Heard]:
        """All calls of these names since then that may open a case, oldest first."""
        trail = self._client(account, region)
        found = [
            call
            for name in names
            for record in self._records(trail, account, since, EventName=name)
            if (call := self._call(record))
        ]
        return sorted(found, key=lambda call: call.attempt.at)

    def failed_uses(
        self, account: str, region: str, *, keys: Mapping[str, datetime]
    ) -> Iterator[tuple[str, Sequence[KeyUse]]]:
        """Key by key, all failed uses since the time that stands beside it, oldest first."""
        trail = self._client(account, region)
        for key_id, since in keys.items():
            arn = f"arn:{self.accounts.partition}:kms:{region}:{account}:key/{key_id}"
            records = self._records(trail, account, since, ResourceName=arn)
            newest = islice(records, MOST_PAGES * PAGE)
            found = [use for record in newest if (use := self._use(record, key_id))]
            yield key_id, sorted(found, key=lambda use: use.at)

    def _client(self, account: str, region: str) -> CloudTrailClient:
        made, client = self.kept.get((account, region), (0.0, None))
        if client is None or time.time() - made > KEPT_SECONDS:
            clients = self.accounts.clients(
                self.reader_role, account=account, region=region, session_name="unlatch-sweep"
            )
            client = clients("cloudtrail")
            self.kept[account, region] = time.time(), client
        return client

    def _records(
        self, trail: CloudTrailClient, account: str, since: datetime, **attribute: str
    ) -> Iterator[Mapping[str, Any]]:
        """Records of calls since then that have this one attribute, page after page."""
        looked = [{"AttributeKey": k, "AttributeValue": v} for k, v in attribute.items()]
        request: dict[str, Any] = {"LookupAttributes": looked, "StartTime": since}
        while True:
            self.pace(LOOKUP, f"{account} {trail.meta.region_name}")()
            with translated(LOOKUP, role=self.reader_role, account=account):
                page = trail.lookup_events(**request)
            for item in page["Events"]:
                yield _record(item)
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _call(self, record: Mapping[str, Any]) -> CaseTrigger | Heard | None:
        """None: none of our business."""
        event, own = {"detail": record}, self.own_roles
        is_lost = record.get("eventName") in CUTS_OFF and not record.get("errorCode")
        try:
            if record.get("eventSource") == KMS:
                return refused_store_call(event, own_roles=own)
            if is_lost:
                return cut_off(event, own_roles=own)
            return failed_delete(event, codes=self.codes, own_roles=own)
        except NotOursError:
            return None

    def _use(self, record: Mapping[str, Any], key_id: str) -> KeyUse | None:
        try:
            uses, _, _ = key_uses({"detail": record}, own_roles=self.own_roles)
        except NotOursError:
            return None
        return next((use for use in uses if use.key_id == key_id), None)


def _record(item: EventTypeDef) -> Mapping[str, Any]:
    """Empty if the record can't be read."""
    try:
        record = json.loads(item.get("CloudTrailEvent", "{}"))
    except ValueError:
        return {}
    return record if isinstance(record, Mapping) else {}

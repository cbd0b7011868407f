"""Failed deletes from CloudTrail's own memory (LookupEvents): what EventBridge never delivered. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.cloudtrail import NotOurs, failed_delete
from chalicelib.aws.errors import translated
from chalicelib.ports import FailedDelete


@dataclass(frozen=True)
class AwsTrail:
    accounts: Accounts
    reader_role: str
    own_roles: tuple[str, ...]
    codes: tuple[str, ...]
    pace: Callable[[str], Callable[[], None]]

    def failed_deletes(
        self, account: str, region: str, *, since: datetime
    ) -> Sequence[FailedDelete]:
        """All failed DeleteCluster calls since then, oldest first. LookupEvents allows 2 a second."""
        clients = self.accounts.clients(
            self.reader_role, account=account, region=region, session_name="unlatch-sweep"
        )
        trail = clients("cloudtrail")
        found = []
        request = {
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "DeleteCluster"}],
            "StartTime": since,
        }
        while True:
            self.pace("cloudtrail:LookupEvents")()
            with translated("cloudtrail:LookupEvents", role=self.reader_role, account=account):
                page = trail.lookup_events(**request)
            found += [failed for item in page["Events"] if (failed := self._read(item))]
            if not page.get("NextToken"):
                return sorted(found, key=lambda failed: failed.attempt.at)
            request["NextToken"] = page["NextToken"]

    def _read(self, item: dict[str, str]) -> FailedDelete | None:
        try:
            record = json.loads(item.get("CloudTrailEvent", "{}"))
            return failed_delete({"detail": record}, codes=self.codes, own_roles=self.own_roles)
        except (NotOurs, ValueError):
            return None

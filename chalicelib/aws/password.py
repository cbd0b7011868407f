"""Reads what tells whether KMS can log in to another cluster: backups' times, the last connect. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import translated, understood
from chalicelib.domain.rules.password import REMEMBERED
from chalicelib.domain.state.snapshot import Cluster, Connects, Copy
from chalicelib.failures import Code, PermanentError, TemporaryError

if TYPE_CHECKING:
    from mypy_boto3_cloudhsmv2 import CloudHSMV2Client
    from mypy_boto3_cloudtrail import CloudTrailClient


LOOKUP = "cloudtrail:LookupEvents"
MOST_PAGES = 10
"""Of fifty connects each, of all key stores of the account and Region."""


def with_times(
    clusters: Iterable[Cluster], hsms: CloudHSMV2Client, *, role: str, account: str
) -> tuple[Cluster, ...]:
    """The clusters, each with whose backup it was made from, and when; unknown if that is gone."""
    listed = tuple(clusters)
    ids = sorted({cluster.source_backup for cluster in listed} - {""})
    if not ids:
        return listed
    call = "cloudhsm:DescribeBackups"
    pages = hsms.get_paginator("describe_backups").paginate(Filters={"backupIds": ids})
    try:
        with translated(call, role=role, account=account):
            items = [item for page in pages for item in page["Backups"]]
    except PermanentError:
        return listed
    except TemporaryError as trouble:
        if trouble.code is not Code.MOVED:
            raise
        return listed
    with understood(call):
        made = {i["BackupId"]: Copy(i.get("ClusterId", ""), i["CreateTimestamp"]) for i in items}
    return tuple(replace(c, copy=made.get(c.source_backup)) for c in listed)


def connects(
    trail: CloudTrailClient,
    key_store_id: str,
    *,
    now: datetime,
    pace: Callable[[], None],
    role: str,
    account: str,
) -> Connects:
    """The newest ConnectCustomKeyStore of this store that AWS took, as CloudTrail's own memory has it."""
    wanted = {"AttributeKey": "EventName", "AttributeValue": "ConnectCustomKeyStore"}
    request: dict[str, Any] = {"LookupAttributes": [wanted], "StartTime": now - REMEMBERED}
    for _ in range(MOST_PAGES):
        pace()
        try:
            with translated(LOOKUP, role=role, account=account):
                page = trail.lookup_events(**request)
        except PermanentError:
            return Connects()
        with understood(LOOKUP):
            mine = [e["EventTime"] for e in page["Events"] if _is_of(e, key_store_id)]
        if mine:
            return Connects(are_read=True, last=max(mine))
        if not page.get("NextToken"):
            return Connects(are_read=True)
        request["NextToken"] = page["NextToken"]
    return Connects()


def _is_of(event: Mapping[str, Any], key_store_id: str) -> bool:
    record = json.loads(event["CloudTrailEvent"])
    asked = record.get("requestParameters") or {}
    return asked.get("customKeyStoreId") == key_store_id and not record.get("errorCode")

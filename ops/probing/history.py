"""What CloudTrail remembers of real work, held against what is assumed. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ops.console import count
from ops.probing.report import Findings
from ops.probing.seen import Client, records

SURELY = timedelta(minutes=20)
"""AWS takes about half an hour for each HSM, so for so long the change is surely under way."""


def judge_material(found: Findings, client: Client) -> None:
    """Keys that KMS deleted while the HSMs of their cluster changed their type."""
    changes = list(_changes(client))
    told = [status for name, at, status in _deleted_keys(client) if _is_in(changes, name, at)]
    if not told:
        why = "because no key of a key store went here while the HSMs of its cluster changed their type"
        found.not_tried("A-MODIFY-KEEPS-MATERIAL", why)
        return
    left = sum("FAILURE" in status for status in told)
    says = f"{count(len(told), 'key')} went meanwhile, and the material of {left} stayed behind"
    found.judge("A-MODIFY-KEEPS-MATERIAL", holds=left == len(told), says=says)


def _changes(client: Client) -> Iterator[tuple[str, datetime]]:
    for event, record in records(client, "ModifyCluster"):
        asked = record.get("requestParameters") or {}
        if "errorCode" not in record and asked.get("hsmType"):
            yield str(asked.get("clusterId")), event["EventTime"]


def _deleted_keys(client: Client) -> Iterator[tuple[str, datetime, str]]:
    """The cluster of each key of a key store, when KMS deleted it, and what it says of the material."""
    for event, record in records(client, "DeleteKey"):
        about = record.get("additionalEventData") or {}
        if about.get("clusterId"):
            status = str(about.get("backingKeysDeletionStatus"))
            yield str(about["clusterId"]), event["EventTime"], status


def _is_in(changes: list[tuple[str, datetime]], name: str, at: datetime) -> bool:
    return any(name == one and began <= at <= began + SURELY for one, began in changes)

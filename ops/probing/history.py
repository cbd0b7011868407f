"""What CloudTrail remembers of real work, held against what is assumed. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from ops.console import count
from ops.probing.report import Findings
from ops.probing.seen import Client, Item, records

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


def judge_losses(found: Findings, client: Client) -> None:
    """Clusters and HSMs that somebody deleted: what their records tell."""
    told, lacking = 0, []
    for name in ("DeleteHsm", "DeleteCluster"):
        for _, record in records(client, name):
            if "errorCode" in record or record.get("eventSource") != "cloudhsm.amazonaws.com":
                continue
            told += 1
            if not (record.get("requestParameters") or {}).get("clusterId"):
                lacking.append(f"{name} without its cluster")
            if name == "DeleteCluster" and not _cluster(record).get("subnetMapping"):
                lacking.append("DeleteCluster without subnets")
    says = f"of {count(told, 'record')} of deletions, {', '.join(lacking) or 'all are whole'}"
    if told:
        found.judge("A-LOSS-RECORD", holds=not lacking, says=says)
    else:
        found.not_tried("A-LOSS-RECORD", "because nobody deleted an HSM or a cluster here lately")


def _cluster(record: Item) -> Item:
    found: Item = (record.get("responseElements") or {}).get("cluster") or {}
    return found


def judge_uses(found: Findings, client: Client) -> None:
    """Uses of keys that failed while their key store was down."""
    failed = [
        record.get("additionalEventData") or {}
        for name in ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
        for _, record in records(client, name)
        if record.get("errorCode") == "KMSInvalidStateException"
    ]
    if not failed:
        why = "because no use of a key failed here lately for the state of its key or store"
        found.not_tried("A-FAILING-USE-RECORD", why)
        return
    named = sum(bool(about.get("customKeyStoreId")) for about in failed)
    says = f"of {count(len(failed), 'use')} that failed so, {named} name the key store"
    if named:
        found.held("A-FAILING-USE-RECORD", says)
    else:
        found.differs("A-FAILING-USE-RECORD", f"{says}; keys of no store may be among them")


def judge_silence(found: Findings, client: Client) -> None:
    """Stores whose connection failed: did KMS itself write anything about them?"""
    stores = client("kms").describe_custom_key_stores()["CustomKeyStores"]
    failed = [s["CustomKeyStoreId"] for s in stores if s["ConnectionState"] == "FAILED"]
    if not failed:
        found.not_tried("A-SILENT-FAILURE", "because no key store here is FAILED")
        return
    of_kms = records(client, "kms.amazonaws.com", most=200, by="EventSource")
    told = [
        str(record.get("eventName"))
        for _, record in of_kms
        if record.get("eventType") == "AwsServiceEvent"
        and any(name in json.dumps(record) for name in failed)
        and record.get("eventName") != "DeleteKey"
    ]
    says = f"of {count(len(failed), 'store')} that failed AWS wrote {', '.join(told) or 'nothing'}"
    found.judge("A-SILENT-FAILURE", holds=not told, says=says)


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

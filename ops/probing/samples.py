"""Events that the rules are for, and reads that the bot makes, each as a sample. Calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from ops.hub import Hub

Detail = dict[str, Any]
CLUSTER, STORE = "cluster-2a3b4c5d6e7", "cks-1234567890abcdef0"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def _failed_deletes(hub: Hub) -> Iterator[Detail]:
    for code in hub.settings.error_codes:
        yield _cloudhsm(CLUSTER, code)


def _failed_uses(_: Hub) -> Iterator[Detail]:
    for code in ("DisabledException", "KMSInvalidStateException"):
        for name in ("Decrypt", "GenerateDataKey"):
            yield {
                "eventSource": "kms.amazonaws.com",
                "eventName": name,
                "errorCode": code,
                "requestParameters": {"keyId": KEY_ID},
                "readOnly": True,
            }


def _refused_stores(_: Hub) -> Iterator[Detail]:
    for name, code in (
        ("CreateCustomKeyStore", "CloudHsmClusterInUseException"),
        ("DeleteCustomKeyStore", "CustomKeyStoreHasCMKsException"),
        ("DeleteCustomKeyStore", "CustomKeyStoreInvalidStateException"),
        ("ConnectCustomKeyStore", "CloudHsmClusterNotActiveException"),
        ("ConnectCustomKeyStore", "CloudHsmClusterInvalidConfigurationException"),
    ):
        yield {
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "errorCode": code,
            "requestParameters": {"customKeyStoreId": STORE},
            "readOnly": False,
        }


def _cut_off(_: Hub) -> Iterator[Detail]:
    for name in ("DeleteHsm", "DeleteCluster"):
        yield {
            "eventSource": "cloudhsm.amazonaws.com",
            "eventName": name,
            "requestParameters": {"clusterId": CLUSTER},
            "readOnly": False,
        }


def _probes(_: Hub) -> Iterator[Detail]:
    for code in ("CloudHsmResourceNotFoundException", "CloudHsmResourceNotFound"):
        yield _cloudhsm(PROBE_CLUSTER, code)


def _cloudhsm(cluster_id: str, code: str) -> Detail:
    return {
        "eventSource": "cloudhsm.amazonaws.com",
        "eventName": "DeleteCluster",
        "errorCode": code,
        "requestParameters": {"clusterId": cluster_id},
        "readOnly": False,
    }


BY_FUNCTION: Mapping[str, Callable[[Hub], Iterator[Detail]]] = {
    "on_delete_blocked": _failed_deletes,
    "on_key_store_refused": _refused_stores,
    "on_cluster_lost": _cut_off,
    "on_key_used": _failed_uses,
    "on_probe": _probes,
}


def of(hub: Hub, function: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each with what it is called if a rule does not take it."""
    for detail in BY_FUNCTION[function](hub):
        named = " ".join(str(detail[n]) for n in ("eventName", "errorCode") if n in detail)
        yield named, _event(hub, detail)


def _event(hub: Hub, detail: Detail) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{detail['eventSource'].partition('.')[0]}",
        "account": hub.account,
        "time": f"{hub.clock():%Y-%m-%dT%H:%M:%SZ}",
        "region": hub.region,
        "resources": [],
        "detail": detail,
    }


def _metric(now: datetime) -> Mapping[str, Any]:
    metric = {"Namespace": "AWS/CloudHSM", "MetricName": "HsmSessionCount"}
    query = {"Id": "probe", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    start = now - timedelta(minutes=5)
    return {"MetricDataQueries": [query], "StartTime": start, "EndTime": now}


READS: tuple[tuple[str, str, Callable[[datetime], Mapping[str, Any]]], ...] = (
    ("cloudhsmv2", "describe_clusters", lambda _: {}),
    ("cloudhsmv2", "describe_backups", lambda _: {}),
    ("kms", "describe_custom_key_stores", lambda _: {}),
    ("kms", "list_keys", lambda _: {"Limit": 1}),
    ("kms", "list_aliases", lambda _: {"Limit": 1}),
    ("cloudtrail", "lookup_events", lambda _: {"MaxResults": 1}),
    ("cloudwatch", "get_metric_data", _metric),
    ("ec2", "describe_network_interfaces", lambda _: {"MaxResults": 5}),
    ("ec2", "describe_subnets", lambda _: {"MaxResults": 5}),
)
"""Beside these the reader describes single keys, which needs one to name."""

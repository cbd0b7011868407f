"""Reads what tells of programs other than KMS on a cluster's HSMs: connections, network interfaces. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.errors import translated, understood
from chalicelib.domain.rules.sessions import LATE, Samples, counted
from chalicelib.domain.state.snapshot import NO_OTHERS, Cluster, OtherUse
from chalicelib.failures import Code, PermanentError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import (
        MetricDataQueryTypeDef,
        MetricDataResultTypeDef,
        MetricStatTypeDef,
        MetricTypeDef,
    )
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, NetworkInterfaceTypeDef

    from chalicelib.aws.clients import Clients


def other_use(
    clients: Clients, cluster: Cluster | None, *, now: datetime, minutes: int
) -> OtherUse:
    """What was counted in the last minutes; TemporaryError if AWS can't say now."""
    if cluster is None or not cluster.live_hsms:
        return NO_OTHERS
    samples = _samples(clients("cloudwatch"), cluster, now, minutes + LATE + 1)
    hsms, late = counted(samples, now=now, minutes=minutes)
    return OtherUse(hsms, _interfaces(clients("ec2"), cluster), minutes, late)


def _samples(
    cloudwatch: CloudWatchClient, cluster: Cluster, now: datetime, minutes: int
) -> Samples:
    """The least and the most connections to each live HSM in each of the last whole minutes.

    A minute of which CloudWatch has not both is left out.
    """
    end = now.replace(second=0, microsecond=0)
    call = "cloudwatch:GetMetricData"
    try:
        with translated(call, role="unlatch-reader", account=""):
            pages = cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=_queries(cluster, cloudwatch.meta.region_name),
                StartTime=end - timedelta(minutes=minutes),
                EndTime=end,
            )
            found = list(pages)
    except PermanentError as stop:
        if stop.code is not Code.DENIED:
            raise
        found = []
    with understood(call):
        return _by_hsm(cluster, [item for page in found for item in page["MetricDataResults"]])


def _by_hsm(cluster: Cluster, results: Iterable[MetricDataResultTypeDef]) -> Samples:
    values: dict[str, dict[datetime, int]] = {}
    for result in results:
        pairs = zip(result["Timestamps"], map(int, result["Values"]), strict=True)
        values.setdefault(result["Id"], {}).update(pairs)
    return {
        hsm.hsm_id: _both(values.get(f"least{place}", {}), values.get(f"most{place}", {}))
        for place, hsm in enumerate(cluster.live_hsms)
    }


def _both(
    least: Mapping[datetime, int], most: Mapping[datetime, int]
) -> dict[datetime, tuple[int, int]]:
    return {minute: (least[minute], most[minute]) for minute in least if minute in most}


def _queries(cluster: Cluster, region: str) -> list[MetricDataQueryTypeDef]:
    return [
        {
            "Id": f"{name}{place}",
            "MetricStat": _session_metric(cluster.cluster_id, hsm.hsm_id, region, stat),
        }
        for place, hsm in enumerate(cluster.live_hsms)
        for name, stat in (("least", "Minimum"), ("most", "Maximum"))
    ]


def _session_metric(cluster_id: str, hsm_id: str, region: str, stat: str) -> MetricStatTypeDef:
    dimensions = {"ClusterId": cluster_id, "HsmId": hsm_id, "Region": region}
    metric: MetricTypeDef = {
        "Namespace": "AWS/CloudHSM",
        "MetricName": "HsmSessionCount",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    return {"Metric": metric, "Period": 60, "Stat": stat}


def _interfaces(ec2: EC2Client, cluster: Cluster) -> tuple[str, ...] | None:
    """Network interfaces in the cluster's security group that are neither its HSMs' nor KMS's; None if nobody knows."""
    if not cluster.security_group:
        return None
    filters: list[FilterTypeDef] = [{"Name": "group-id", "Values": [cluster.security_group]}]
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
    call = "ec2:DescribeNetworkInterfaces"
    try:
        with translated(call, role="unlatch-reader", account=""):
            items = [item for page in pages for item in page["NetworkInterfaces"]]
    except PermanentError:
        return None
    with understood(call):
        return tuple(
            item["NetworkInterfaceId"]
            for item in items
            if item["NetworkInterfaceId"] not in cluster.interfaces
            and not _is_of_aws(item, cluster)
        )


def _is_of_aws(item: NetworkInterfaceTypeDef, cluster: Cluster) -> bool:
    """KMS's own interface of this cluster, or one of CloudHSM's.

    AWS makes them itself (RequesterManaged), with these descriptions: KMS's is documented (“Connect
    an AWS CloudHSM key store”), CloudHSM's is not. A word in it tells nothing: whoever has a
    function made chooses half of its interfaces' descriptions.
    """
    about = item.get("Description", "")
    of_kms = about == f"KMS managed ENI for cluster {cluster.cluster_id}"
    return bool(item.get("RequesterManaged")) and (of_kms or about.startswith("CloudHsm ENI"))

"""Looks at what AWS shows of HSMs, interfaces, metrics, backups and keys, and says whether it is as assumed. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from chalicelib.aws.rate_limit import QUOTAS
from ops.probing.report import Findings

Client = Callable[[str], Any]
Item = Mapping[str, Any]
NAMESPACE, METRIC = "AWS/CloudHSM", "HsmSessionCount"
DIMENSIONS = frozenset({"ClusterId", "HsmId", "Region"})
KMS, CLOUDHSM, OF_HSM = "amazon-kms", "amazon-cloudhsm", "CloudHsm ENI"
NOT_TOLD = frozenset({
    "AccessDeniedException", "NotFoundException", "UnsupportedOperationException",
    "KMSInvalidStateException",
})  # fmt: skip
"""What KMS may say of a single key, as of one of AWS's own."""
SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}
KEYS = 20
OLD = timedelta(hours=1)


def clusters(client: Client) -> list[Item]:
    pages = client("cloudhsmv2").get_paginator("describe_clusters").paginate()
    return [one for page in pages for one in page["Clusters"]]


def cluster(client: Client, cluster_id: str) -> Item | None:
    """None if it is not described; one that shows as DELETED is given."""
    reply = client("cloudhsmv2").describe_clusters(Filters={"clusterIds": [cluster_id]})
    return next(iter(reply["Clusters"]), None)


def interfaces(client: Client, one: Item) -> list[Item]:
    """Those in the cluster’s security group."""
    group = one.get("SecurityGroup")
    if not group:
        return []
    filters = [{"Name": "group-id", "Values": [group]}]
    pages = client("ec2").get_paginator("describe_network_interfaces").paginate(Filters=filters)
    return [item for page in pages for item in page["NetworkInterfaces"]]


def judge_own_interfaces(found: Findings, hsms: Sequence[Item], shown: Iterable[Item]) -> None:
    """How CloudHSM describes the interfaces of its HSMs, which are what is left of them."""
    own = {hsm["EniId"] for hsm in hsms if hsm.get("EniId")}
    for item in (one for one in shown if one["NetworkInterfaceId"] in own):
        is_managed = bool(item.get("RequesterManaged"))
        holds = is_managed and item.get("Description", "").startswith(OF_HSM)
        managed = "requester-managed" if is_managed else "not requester-managed"
        says = f"an HSM’s interface is {managed} and described as “{item.get('Description', '')}”"
        found.judge("A-LEFT-INTERFACES", holds=holds, says=says)


def judge_interfaces_of_kms(found: Findings, one: Item, shown: Sequence[Item]) -> None:
    """Of a cluster with a connected key store: one in each zone, made by KMS."""
    about = _about(one)
    own = {hsm.get("EniId") for hsm in one.get("Hsms", ())}
    others = [item for item in shown if item["NetworkInterfaceId"] not in own]
    of_kms = [item for item in others if _is_of_kms(item, about)]
    zones = {hsm["AvailabilityZone"] for hsm in one.get("Hsms", ())}
    served = {item.get("AvailabilityZone") for item in of_kms}
    strange = {str(one.get("RequesterId")) for one in shown if one["NetworkInterfaceId"] in own}
    if strange - {CLOUDHSM}:
        says = f"HSMs’ own interfaces are by {', '.join(sorted(strange))}"
        found.differs("A-KMS-INTERFACES", says)
        return
    if zones <= served:
        found.held("A-KMS-INTERFACES", f"one in each of {len(zones)} zones, by {KMS}")
        return
    seen = "; ".join(
        f"“{item.get('Description', '')}” by {item.get('RequesterId', 'nobody named')}"
        for item in others
    )
    says = f"of {len(zones)} zones with HSMs {len(served)} have one; there is: {seen or 'none'}"
    found.differs("A-KMS-INTERFACES", says)


def judge_addresses(found: Findings, one: Item, shown: Sequence[Item]) -> None:
    """Of a cluster with a connected key store: KMS takes one in each zone, and each HSM takes one."""
    own = {hsm.get("EniId") for hsm in one.get("Hsms", ())}
    zones: dict[str, int] = {}
    for item in (item for item in shown if item.get("Description") == _about(one)):
        zone = str(item.get("AvailabilityZone"))
        zones[zone] = zones.get(zone, 0) + _addresses(item)
    of_hsms = [_addresses(item) for item in shown if item["NetworkInterfaceId"] in own]
    told = ", ".join(f"{number} in {zone}" for zone, number in sorted(zones.items())) or "none"
    says = f"KMS takes {told}; an HSM takes {max(of_hsms, default=0)}"
    holds = set(zones.values()) == {1} and set(of_hsms) == {1}
    found.judge("A-FREE-ADDRESSES", holds=holds, says=says)


def _addresses(item: Item) -> int:
    return len(item.get("PrivateIpAddresses") or ["the one that it always has"])


def judge_left_of_kms(found: Findings, one: Item, shown: Sequence[Item], *, passed: str) -> None:
    """Some time after the disconnect: KMS's interfaces should have gone with the connection."""
    left = sum(item.get("Description") == _about(one) for item in shown)
    says = f"{left} of KMS’s are left {passed} after the disconnect"
    found.judge("A-KMS-INTERFACES", holds=left == 0, says=says)


def _about(one: Item) -> str:
    return f"KMS managed ENI for cluster {one['ClusterId']}"


def _is_of_kms(item: Item, about: str) -> bool:
    return bool(
        item.get("RequesterManaged")
        and item.get("Description") == about
        and item.get("RequesterId") == KMS
    )


def judge_dimensions(found: Findings, client: Client) -> None:
    reply = client("cloudwatch").list_metrics(Namespace=NAMESPACE, MetricName=METRIC)
    sets = {frozenset(pair["Name"] for pair in one["Dimensions"]) for one in reply["Metrics"]}
    of_hsms = {names for names in sets if "HsmId" in names}
    if not of_hsms:
        found.not_tried("A-SESSION-DIMENSIONS", "because no HSM here has counted sessions lately")
        return
    says = " and ".join(", ".join(sorted(names)) for names in sorted(of_hsms, key=sorted))
    holds = DIMENSIONS in of_hsms
    found.judge("A-SESSION-DIMENSIONS", holds=holds, says=f"HsmSessionCount has {says}")


def judge_backups(found: Findings, client: Client) -> None:
    """Of clusters that are gone. A cluster that a key store was once connected to has had backups."""
    there = {one["ClusterId"] for one in clusters(client)}
    pages = client("cloudhsmv2").get_paginator("describe_backups").paginate()
    backups = [one for page in pages for one in page["Backups"]]
    left = [b for b in backups if b.get("ClusterId") not in there and b["BackupState"] == "READY"]
    if left:
        found.held("A-BACKUPS-OUTLIVE", f"{len(left)} are READY of clusters that are gone")
        return
    gone = {name: at for name, at in _deleted(client) if name not in there}
    had_keys = sorted(gone.keys() & set(_connected(client)))
    if had_keys:
        name = had_keys[0]
        says = f"{name}, which a key store was connected to, was deleted on {gone[name]:%Y-%m-%d}, and no backup is left"
        found.differs("A-BACKUPS-OUTLIVE", says)
    else:
        found.not_tried("A-BACKUPS-OUTLIVE", "because no activated cluster was deleted here lately")


def _deleted(client: Client) -> Iterator[tuple[str, datetime]]:
    for event, record in records(client, "DeleteCluster"):
        if "errorCode" not in record and record.get("eventSource") == "cloudhsm.amazonaws.com":
            name = (record.get("requestParameters") or {}).get("clusterId")
            if name:
                yield name, event["EventTime"]


def _connected(client: Client) -> Iterator[str]:
    for _, record in records(client, "ConnectCustomKeyStore"):
        name = (record.get("additionalEventData") or {}).get("clusterId")
        if name:
            yield name


def records(
    client: Client, name: str, *, most: int = 100, by: str = "EventName"
) -> Iterator[tuple[Item, Item]]:
    """CloudTrail’s newest events of this name, each with its record."""
    wanted = [{"AttributeKey": by, "AttributeValue": name}]
    pages = client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
    for event in islice((one for page in pages for one in page["Events"]), most):
        yield event, json.loads(event["CloudTrailEvent"])


def judge_tracking(found: Findings, client: Client, *, now: datetime) -> None:
    """KMS tracks uses since a day that stays: one that moves on never gets old enough."""
    kms, asked = client("kms"), 0
    for item in kms.list_keys(Limit=KEYS)["Keys"]:
        try:
            reply = kms.get_key_last_usage(KeyId=item["KeyId"])
        except ClientError as error:
            if code_of(error) not in NOT_TOLD:
                raise
            continue
        created, since = reply["KeyCreationDate"], reply["TrackingStartDate"]
        if created > now - OLD:
            continue
        asked += 1
        if since > now - OLD:
            says = f"of a key made on {created:%Y-%m-%d} it is tracked only since {since:%Y-%m-%d %H:%M}, just now"
            found.differs("A-TRACKING-AGE", says)
            return
    if asked:
        found.held("A-TRACKING-AGE", f"{asked} keys are tracked since a day that lies back")
    else:
        found.not_tried("A-TRACKING-AGE", "because no key is older than an hour")


def sessions(client: Client, one: Item, *, since: datetime, now: datetime) -> dict[str, int]:
    """The most connections to each HSM in the last whole minute that CloudWatch has; none before `since`."""
    hsms = [hsm["HsmId"] for hsm in one.get("Hsms", ())]
    region = client("cloudwatch").meta.region_name
    queries = [
        {
            "Id": f"most{place}",
            "MetricStat": {
                "Metric": _session_metric(one["ClusterId"], hsm, region),
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for place, hsm in enumerate(hsms)
    ]
    start = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = now.replace(second=0, microsecond=0)
    if start >= end or not queries:
        return {}
    reply = client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampDescending"
    )
    values = {item["Id"]: item["Values"] for item in reply["MetricDataResults"]}
    return {
        hsm: int(found[0])
        for place, hsm in enumerate(hsms)
        if (found := values.get(f"most{place}"))
    }


def _session_metric(cluster_id: str, hsm_id: str, region: str) -> dict[str, Any]:
    named = {"ClusterId": cluster_id, "HsmId": hsm_id, "Region": region}
    dimensions = [{"Name": name, "Value": value} for name, value in named.items()]
    return {"Namespace": NAMESPACE, "MetricName": METRIC, "Dimensions": dimensions}


def judge_rate(found: Findings, client: Client, *, share: float) -> None:
    """By Service Quotas: how often KMS may be asked when a key was last used."""
    pages = (
        client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="kms")
    )
    rates = dict(_rate(one) for page in pages for one in page["Quotas"])
    asked, like = rates.get("GetKeyLastUsage"), rates.get("ListGrants")
    if asked is None or like is None:
        found.not_tried("A-LAST-USAGE-RATE", "because Service Quotas does not list both quotas")
        return
    says = f"GetKeyLastUsage may be asked {asked:g} times a second, ListGrants {like:g} times"
    if asked >= like:
        found.held("A-LAST-USAGE-RATE", says)
    else:
        fitting = share * asked / QUOTAS["kms:GetKeyLastUsage"]
        found.differs("A-LAST-USAGE-RATE", says, QUOTA_SHARE=f"{fitting:.3g}")


def _rate(quota: Item) -> tuple[str, float]:
    """The operation, by the quota’s name, and how often a second."""
    seconds = SECONDS.get(quota.get("Period", {}).get("PeriodUnit", ""), 1)
    each = seconds * quota.get("Period", {}).get("PeriodValue", 1)
    return quota["QuotaName"].removesuffix(" request rate"), quota["Value"] / each

"""CloudWatch GetMetricData and ListMetrics for HsmSessionCount of AWS/CloudHSM. Everything else is moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.regions import Cluster, Hsm, Region, Regions

NAMESPACE, METRIC = "AWS/CloudHSM", "HsmSessionCount"
KMS_SESSIONS = 2  # that a connected key store holds on each HSM
SAMPLE = timedelta(minutes=1)
STATISTICS: dict[str, Callable[[list[int]], float]] = {
    "Maximum": lambda values: float(max(values)),
    "Minimum": lambda values: float(min(values)),
    "Average": lambda values: sum(values) / len(values),
    "Sum": lambda values: float(sum(values)),
    "SampleCount": lambda values: float(len(values)),
}


class Metrics:
    """Answers GetMetricData if all queries are of CloudHSM, and ListMetrics of its namespace."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def answer(self, visit: RequestContext) -> dict[str, Any] | None:
        """The result, or None if moto answers. Call it with the regions' lock held."""
        if visit.request.operation == "ListMetrics" and visit.params.get("Namespace") == NAMESPACE:
            return self._listed(visit)
        if visit.request.operation != "GetMetricData":
            return None
        queries = visit.params.get("MetricDataQueries", [])
        metrics = [query.get("MetricStat", {}).get("Metric", {}) for query in queries]
        if not metrics or any(metric.get("Namespace") != NAMESPACE for metric in metrics):
            return None
        return {"MetricDataResults": [self._series(visit, query) for query in queries]}

    def _listed(self, visit: RequestContext) -> dict[str, Any]:
        """Those of HSMs that count now."""
        region = self._regions.at(visit.account, visit.region)
        named = {"MetricName": METRIC}.items() <= {"MetricName": METRIC, **visit.params}.items()
        found = [
            _metric(region, cluster, hsm)
            for cluster in region.clusters.values()
            for hsm in cluster.hsms
            if named and cluster.clients is not None and hsm.serves(visit.now)
        ]
        return {"Metrics": found}

    def _series(self, visit: RequestContext, query: dict[str, Any]) -> dict[str, Any]:
        asked = query["MetricStat"]
        if asked["Stat"] not in STATISTICS:
            raise AwsError("ValidationException", f"Unknown statistic {asked['Stat']}.")
        period = int(asked["Period"])
        points = [
            (start, STATISTICS[asked["Stat"]](values))
            for start in _starts(visit, period)
            if (values := self._samples(visit, asked["Metric"], start=start, period=period))
        ]
        if visit.params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points.reverse()
        return {
            "Id": query["Id"],
            "Label": query.get("Label", METRIC),
            "Timestamps": [start for start, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }

    def _samples(
        self, visit: RequestContext, metric: dict[str, Any], *, start: datetime, period: int
    ) -> list[int]:
        """What each HSM counted, once a minute, in this period."""
        wanted = {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions", [])}
        region = self._regions.at(visit.account, visit.region)
        cluster = region.clusters.get(wanted.get("ClusterId", ""))
        named = metric.get("MetricName") == METRIC
        if not named or cluster is None or wanted.get("Region", region.name) != region.name:
            return []
        if "Region" in wanted and _has_no_region(region):
            return []
        end = min(start + timedelta(seconds=period), visit.now)
        samples, moment = [], start
        while moment < end:
            samples += _counts(region, cluster, at=moment, only=wanted.get("HsmId"))
            moment += SAMPLE
        return samples


def _starts(visit: RequestContext, period: int) -> Iterator[datetime]:
    start, end = _moment(visit.params["StartTime"]), _moment(visit.params["EndTime"])
    if start >= end:
        raise AwsError("ValidationException", "StartTime must be before EndTime.")
    stamp = int(start.timestamp()) // period * period
    while stamp < min(end, visit.now).timestamp():
        yield datetime.fromtimestamp(stamp, UTC)
        stamp += period


def _counts(region: Region, cluster: Cluster, *, at: datetime, only: str | None) -> list[int]:
    """Sessions on each HSM of a cluster at a moment; none if nobody measures."""
    if cluster.clients is None:
        return []
    serving = [hsm for hsm in cluster.hsms if hsm.serves(at)]
    kms = KMS_SESSIONS if _kms_logged_in(region, cluster, at=at) else 0
    return [
        cluster.health_sessions + kms + _share(cluster.clients, place, hsms=len(serving))
        for place, hsm in enumerate(serving)
        if _is(hsm, only)
    ]


def _metric(region: Region, cluster: Cluster, hsm: Hsm) -> dict[str, Any]:
    named = {"ClusterId": cluster.id, "HsmId": hsm.id}
    if not _has_no_region(region):
        named["Region"] = region.name
    dimensions = [{"Name": name, "Value": value} for name, value in named.items()]
    return {"Namespace": NAMESPACE, "MetricName": METRIC, "Dimensions": dimensions}


def _has_no_region(region: Region) -> bool:
    return "A-SESSION-DIMENSIONS" in region.differs


def _share(clients: int, place: int, *, hsms: int) -> int:
    """The cluster's sessions spread evenly, the first HSMs taking the remainder."""
    return clients // hsms + (place < clients % hsms)


def _kms_logged_in(region: Region, cluster: Cluster, *, at: datetime) -> bool:
    return any(
        login.cluster_id == cluster.id
        and login.start <= at
        and (login.end is None or at < login.end)
        for login in region.logins
    )


def _is(hsm: Hsm, wanted: str | None) -> bool:
    return wanted in (None, hsm.id)


def _moment(stamp: float | str) -> datetime:
    if isinstance(stamp, str):
        return datetime.fromisoformat(stamp)
    return datetime.fromtimestamp(stamp, UTC)

"""CloudWatch alarms on the metrics that functions print, worked out afterwards. Knows no metric of the bot's.

Rules: "Embedded metric format" and "Evaluating an alarm" in the CloudWatch user guide; data that is
missing never breaches here.
"""

from __future__ import annotations

import json
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Value:
    """One value of a metric; `at` in seconds since 1970."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    at: float
    value: float


@dataclass(frozen=True)
class Alarm:
    name: str
    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    statistic: str
    period: int
    periods: int
    needed: int
    comparison: str
    threshold: float

    def was_reached(self, values: Iterable[Value]) -> bool:
        """Whether enough periods in a row that it looks at were at the threshold, at any time."""
        by_period: dict[int, list[float]] = defaultdict(list)
        wanted = (self.namespace, self.metric, self.dimensions)
        for one in values:
            if (one.namespace, one.metric, one.dimensions) == wanted:
                by_period[int(one.at) // self.period].append(one.value)
        is_over, over = COMPARISONS[self.comparison], STATISTICS[self.statistic]
        bad = [at for at, found in by_period.items() if is_over(over(found), self.threshold)]
        return any(
            sum(0 <= at - other < self.periods for other in bad) >= self.needed for at in bad
        )


def own_alarms(resources: Iterable[Mapping[str, Any]], namespace: str) -> list[Alarm]:
    """The alarms of a stack on one metric of this namespace."""
    found = (r["Properties"] for r in resources if r["Type"] == "AWS::CloudWatch::Alarm")
    return [_alarm(given) for given in found if given.get("Namespace") == namespace]


def _alarm(given: Mapping[str, Any]) -> Alarm:
    periods = int(given["EvaluationPeriods"])
    return Alarm(
        name=given["AlarmName"],
        namespace=given["Namespace"],
        metric=given["MetricName"],
        dimensions=frozenset((one["Name"], one["Value"]) for one in given.get("Dimensions", ())),
        statistic=given["Statistic"],
        period=int(given["Period"]),
        periods=periods,
        needed=int(given.get("DatapointsToAlarm", periods)),
        comparison=given["ComparisonOperator"],
        threshold=float(given["Threshold"]),
    )


def put_values(lines: Iterable[str]) -> Iterator[Value]:
    """The values in what functions printed; any other line is passed over."""
    for line in lines:
        if '"_aws"' not in line:
            continue
        try:
            told = json.loads(line)
        except ValueError:
            continue
        yield from _values(told)


def _values(told: Mapping[str, Any]) -> Iterator[Value]:
    at = told["_aws"]["Timestamp"] / 1000
    for directive in told["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, str(told[name])) for name in names)
            for metric in (one["Name"] for one in directive["Metrics"]):
                given = told[metric]
                for value in given if isinstance(given, list) else [given]:
                    yield Value(directive["Namespace"], metric, dimensions, at, float(value))

"""Alarms are worked out from what functions print, by the alarms that a stack declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.alarms import own_alarms, put_values
from sandbox.aws.iam.template import rendered

RESOURCES = Path(__file__).parents[2] / "infra/resources.yaml"
NAMESPACE = "unlatch-dev"


def printed(*values: float, minute: int = 0, metric: str = "SealRefused", **more: Any) -> str:
    """A line as a function prints it, of a minute after nine."""
    about = {
        "Timestamp": (1772442000 + 60 * minute) * 1000,
        "CloudWatchMetrics": [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [["service"]],
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }
        ],
    }
    return json.dumps({"_aws": about, "service": "unlatch", metric: list(values), **more})


def reached(*lines: str, **given: Any) -> bool:
    properties = {
        "AlarmName": "a",
        "Namespace": NAMESPACE,
        "MetricName": "SealRefused",
        "Dimensions": [{"Name": "service", "Value": "unlatch"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 2,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | given}
    (alarm,) = own_alarms([resource], NAMESPACE)
    return alarm.was_reached(put_values(lines))


@pytest.mark.parametrize(
    ("lines", "given", "is_reached"),
    [
        ([printed(1)], {}, False),
        ([printed(1, 1)], {}, True),
        ([printed(1), printed(1, minute=4)], {}, True),
        ([printed(1), printed(1, minute=5)], {}, False),
        ([printed(1, 1)], {"Statistic": "Maximum"}, False),
        ([printed(2, metric="Other")], {}, False),
        ([printed(2, service="another")], {}, False),
        (["not JSON", '{"_aws": '], {}, False),
        ([printed(2), printed(2, minute=10)], {"EvaluationPeriods": 3}, False),
        (
            [printed(2), printed(2, minute=10)],
            {"EvaluationPeriods": 3, "DatapointsToAlarm": 2},
            True,
        ),
        (
            [printed(2), printed(2, minute=15)],
            {"EvaluationPeriods": 3, "DatapointsToAlarm": 2},
            False,
        ),
        ([printed(1)], {"ComparisonOperator": "LessThanThreshold"}, True),
    ],
)
def test_an_alarm_is_reached_as_cloudwatch_reaches_it(
    lines: list[Any], given: dict[str, Any], is_reached: bool
) -> None:
    assert reached(*lines, **given) is is_reached


def test_the_deployed_stack_has_alarms_of_its_own_namespace_and_others_are_left_out() -> None:
    parameters = {"Stage": "dev", "CaseDefinition": "{}"}
    resources = rendered(RESOURCES, parameters, account="111122223333").values()
    names = {alarm.name for alarm in own_alarms(resources, NAMESPACE)}
    assert {"unlatch-dev-seals", "unlatch-dev-not-moving"} <= names
    assert "unlatch-dev-dead-letters" not in names

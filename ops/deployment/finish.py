"""What Chalice has no words for: dead letters, retries, which events a rule sees, the API's limits. Safe to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ops.deployment.found import rule_of
from ops.hub import EVENT_FUNCTIONS, Hub

ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""CloudTrail calls Decrypt read-only, and a rule that is merely ENABLED never sees such events."""
RETRIES = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86_400}
TRIES, LATEST_SECONDS = 2, 21_600
API_RATE, API_BURST = 20, 50
"""Requests a second that API Gateway lets through: people click, and strangers may not use up what others need."""


def finish(hub: Hub, *, error_codes: tuple[str, ...], url: str, say: Callable[[str], None]) -> None:
    """After each `chalice deploy`, as that one overwrites rules and their targets."""
    _limit_api(hub, url)
    for function in EVENT_FUNCTIONS:
        _keep_dead_letters(hub, function)
        _finish_rule(hub, function, error_codes)
        say(f"{function}: dead letters kept, rule complete")


def _limit_api(hub: Hub, url: str) -> None:
    limits = {"rateLimit": API_RATE, "burstLimit": API_BURST}
    hub.client("apigateway").update_stage(
        restApiId=str(urlsplit(url).hostname).partition(".")[0],
        stageName=hub.stage,
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
            for name, value in limits.items()
        ],
    )


def _keep_dead_letters(hub: Hub, function: str) -> None:
    hub.client("lambda").put_function_event_invoke_config(
        FunctionName=f"{hub.name}-{function}",
        MaximumRetryAttempts=TRIES,
        MaximumEventAgeInSeconds=LATEST_SECONDS,
        DestinationConfig={"OnFailure": {"Destination": hub.dead_letters_arn}},
    )


def _finish_rule(hub: Hub, function: str, error_codes: tuple[str, ...]) -> None:
    events, rule_name = hub.client("events"), rule_of(hub, function)
    rule = events.describe_rule(Name=rule_name)
    change = _changed(function, rule, error_codes)
    if change:
        events.put_rule(Name=rule_name, **change)
    targets = events.list_targets_by_rule(Rule=rule_name)["Targets"]
    kept = {"DeadLetterConfig": {"Arn": hub.dead_letters_arn}, "RetryPolicy": RETRIES}
    events.put_targets(Rule=rule_name, Targets=[{**target, **kept} for target in targets])


def _changed(function: str, rule: dict[str, Any], error_codes: tuple[str, ...]) -> dict[str, Any]:
    """The rule as it must be, if that differs from what Chalice makes of the code."""
    if function == "on_key_used":
        return {"EventPattern": rule["EventPattern"], "State": ALL_EVENTS}
    if function == "on_delete_blocked":
        pattern = json.loads(rule["EventPattern"])
        pattern["detail"]["errorCode"] = list(error_codes)
        return {"EventPattern": json.dumps(pattern), "State": "ENABLED"}
    return {}

"""All of a hub as one CloudFormation template: what Chalice packages, the two stacks, and what Chalice leaves out. Calls nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import Settings
from ops.deployment import infra, record
from ops.deployment.finish import (
    ALL_EVENTS,
    API_BURST,
    API_RATE,
    LATEST_SECONDS,
    RETRIES,
    TRIES,
)
from ops.deployment.record import Record
from ops.deployment.templates import template
from ops.hub import APP, EVENT_FUNCTIONS, FUNCTIONS

API, API_ROLE = "APIHandler", "ApiHandlerRole"
QUEUE = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
OF_ELSEWHERE = {"Roles": "", "Forward": "", "Tries": "HasOperator"}
"""Conditions that tell where a stack of it is, and what is left of each in the hub."""
OF_TARGETS = frozenset({"HubAccountId", "HubBusArn", "CreateRoles", "RolesRegion"})
"""Parameters of infra/account.yaml that the hub’s own account does not need."""


def extras(
    project: Path, stage: str, *, variables: Mapping[str, str], parameters: Mapping[str, str]
) -> dict[str, Any]:
    """What `chalice package --merge-template` adds to Chalice’s own template. `variables` are the settings."""
    settings = config.read(variables)
    hub, account = template(project, "resources.yaml"), _of_the_hub(project)
    wanted = {
        **parameters,
        "Stage": stage,
        "TargetAccountIds": ",".join(settings.accounts),
        "Regions": ",".join(settings.regions),
        "ErrorCodes": ",".join(settings.error_codes),
    }
    merged: dict[str, Any] = {"Description": f"Unlatch {stage}: the hub, whole."}
    for part in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        merged[part] = {**hub.get(part, {}), **account.get(part, {})}
    for name, value in wanted.items():
        if name in merged["Parameters"]:
            merged["Parameters"][name] = {**merged["Parameters"][name], "Default": value}
    merged["Parameters"]["Stage"]["AllowedValues"] = [stage]
    del merged["Parameters"]["CaseDefinition"]
    merged["Resources"]["CaseRuns"]["Properties"]["DefinitionString"] = infra.definition(project)
    merged["Resources"] |= dict(_functions(stage, settings))
    arns = {
        name: {"Fn::GetAtt": [infra.SEAL_KEYS[name].resource, "Arn"]}
        for name in infra.sealed_by_stack(stage, variables)
    }
    for logical in _logical_names():
        merged["Resources"][logical]["Properties"]["Environment"] = {"Variables": arns}
    return merged


def with_record(merged: dict[str, Any], stage: str, made: Record) -> dict[str, Any]:
    """The deployment’s record, which `unlatch doctor` compares the functions with."""
    text = record.as_text(made).replace("${", "${!").replace('"url": ""', '"url": "${Url}"')
    url = f"https://${{RestAPI}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{stage}/"
    properties = {
        "Name": record.parameter(stage),
        "Type": "String",
        "Tier": "Intelligent-Tiering",
        "Value": {"Fn::Sub": [text, {"Url": {"Fn::Sub": url}}]},
    }
    noted = {"DeploymentRecord": {"Type": "AWS::SSM::Parameter", "Properties": properties}}
    return {**merged, "Resources": {**merged["Resources"], **noted}}


def _of_the_hub(project: Path) -> dict[str, Any]:
    """The account template as it is for the account that it is deployed to."""
    text = json.dumps(template(project, "account.yaml"))
    text = text.replace('{"Ref": "HubAccountId"}', '{"Ref": "AWS::AccountId"}')
    found: dict[str, Any] = json.loads(text.replace("${HubAccountId}", "${AWS::AccountId}"))
    forwarding = {n for n, r in found["Resources"].items() if r.get("Condition") == "Forward"}
    found["Resources"] = {
        name: _as_here(each) for name, each in found["Resources"].items() if name not in forwarding
    }
    found["Parameters"] = {
        name: each for name, each in found["Parameters"].items() if name not in OF_TARGETS
    }
    found["Conditions"] = {
        name: each for name, each in found["Conditions"].items() if name not in OF_ELSEWHERE
    }
    return found


def _as_here(resource: dict[str, Any]) -> dict[str, Any]:
    """The hub always has the roles; of their conditions only the others are left."""
    kept = {key: value for key, value in resource.items() if key != "Condition"}
    left = OF_ELSEWHERE.get(resource.get("Condition", ""), "")
    return {**kept, "Condition": left} if left else kept


def _functions(stage: str, settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names as `chalice deploy` gives them, since policies and templates rely on them."""
    prefix = f"{APP}-{stage}"
    yield API, {"Properties": {"FunctionName": prefix}}
    yield API_ROLE, {"Properties": {"RoleName": f"{prefix}-api_handler"}}
    limits = {"ThrottlingRateLimit": API_RATE, "ThrottlingBurstLimit": API_BURST}
    everything = {"ResourcePath": "/*", "HttpMethod": "*", **limits}
    yield "RestAPI", {"Properties": {"TracingEnabled": True, "MethodSettings": [everything]}}
    for name, logical in zip(FUNCTIONS, _logical_names()[1:], strict=True):
        properties: dict[str, Any] = {"FunctionName": f"{prefix}-{name}"}
        if name in EVENT_FUNCTIONS:
            properties["EventInvokeConfig"] = {
                "MaximumRetryAttempts": TRIES,
                "MaximumEventAgeInSeconds": LATEST_SECONDS,
                "DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": QUEUE}},
            }
            event = _event(f"{prefix}-{name}-event", name, settings)
            properties["Events"] = {f"{logical}Event": event}
        yield logical, {"Properties": properties}
        yield f"{logical}Role", {"Properties": {"RoleName": f"{prefix}-{name}"}}


def _logical_names() -> tuple[str, ...]:
    """Of the functions, as Chalice names them; the API’s first."""
    return (API, *("".join(word.capitalize() for word in name.split("_")) for name in FUNCTIONS))


def _event(rule: str, function: str, settings: Settings) -> dict[str, Any]:
    kept = {"DeadLetterConfig": {"Arn": QUEUE}, "RetryPolicy": RETRIES}
    if function in ("sweep", "digest"):
        return {"Properties": {"Name": rule, **kept}}
    properties = {"RuleName": rule, "State": "ENABLED", **kept}
    if function == "on_key_used":
        properties["State"] = ALL_EVENTS
    if function == "on_delete_blocked":
        properties["Pattern"] = {"detail": {"errorCode": list(settings.error_codes)}}
    return {"Type": "EventBridgeRule", "Properties": properties}

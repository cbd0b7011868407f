"""What Chalice has made in this account, read from AWS itself: no state file can be lost. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.hub import APP, FUNCTIONS, Hub

API = "api_handler"
"""Chalice’s own name for the function behind the API; the function itself is `unlatch-<stage>`."""
NOT_THERE = frozenset({"ResourceNotFoundException", "NoSuchEntity", "NotFoundException"})
Resource = dict[str, str]


def found(hub: Hub) -> dict[str, Any]:
    """As Chalice’s own `.chalice/deployed/<stage>.json`, in the order in which it creates things."""
    functions = dict(_functions(hub))
    names = dict.fromkeys([*FUNCTIONS, API, *functions])
    resources = [role for name in names for role in _role(hub, name)]
    resources += functions.values()
    resources += [rule for name in names for rule in _rule(hub, name)]
    resources += _api(hub)
    return {"resources": resources, "schema_version": "2.0", "backend": "api"}


def _functions(hub: Hub) -> Iterator[tuple[str, Resource]]:
    """Functions that carry Chalice’s tag of this app and stage, also those that the code has lost."""
    aws = hub.client("lambda")
    for page in aws.get_paginator("list_functions").paginate():
        for item in page["Functions"]:
            name = item["FunctionName"]
            if name != hub.name and not name.startswith(f"{hub.name}-"):
                continue
            tags = aws.list_tags(Resource=item["FunctionArn"]).get("Tags", {})
            if f"stage={hub.stage}:app={APP}" in tags.get("aws-chalice", ""):
                short = API if name == hub.name else name.removeprefix(f"{hub.name}-")
                arn = item["FunctionArn"]
                yield short, {"name": short, "resource_type": "lambda_function", "lambda_arn": arn}


def _role(hub: Hub, function: str) -> Iterator[Resource]:
    role_name = f"{hub.name}-{function}"
    try:
        arn = hub.client("iam").get_role(RoleName=role_name)["Role"]["Arn"]
    except ClientError as error:
        if code_of(error) in NOT_THERE:
            return
        raise
    yield {
        "name": f"{function}_role",
        "resource_type": "iam_role",
        "role_arn": arn,
        "role_name": role_name,
    }


def _rule(hub: Hub, function: str) -> Iterator[Resource]:
    rule_name = rule_of(hub, function)
    try:
        hub.client("events").describe_rule(Name=rule_name)
    except ClientError as error:
        if code_of(error) in NOT_THERE:
            return
        raise
    yield {
        "name": f"{function}-event",
        "resource_type": "cloudwatch_event",
        "rule_name": rule_name,
    }


def _api(hub: Hub) -> list[Resource]:
    """The API whose methods call this stage’s function: its name is the same in every stage."""
    api = hub.client("apigateway")
    for page in api.get_paginator("get_rest_apis").paginate():
        for item in page["items"]:
            if item["name"] == APP and _calls(hub, api, item["id"]):
                return [
                    {
                        "name": "rest_api",
                        "resource_type": "rest_api",
                        "rest_api_id": item["id"],
                        "rest_api_url": api_url(hub, item["id"]),
                    }
                ]
    return []


def _calls(hub: Hub, api: Any, api_id: str) -> bool:
    wanted = f":function:{hub.name}/invocations"
    for page in api.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"]):
        if wanted in json.dumps(page["items"], default=str):
            return True
    return False


def api_url(hub: Hub, api_id: str) -> str:
    suffix = "amazonaws.com.cn" if hub.partition == "aws-cn" else "amazonaws.com"
    return f"https://{api_id}.execute-api.{hub.region}.{suffix}/{hub.stage}/"


def rule_of(hub: Hub, function: str) -> str:
    return f"{hub.name}-{function}-event"

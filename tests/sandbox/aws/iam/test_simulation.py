"""SimulatePrincipalPolicy says of a role what the judge would, with what the caller tells and no more."""

import json
from typing import Any

import pytest

from sandbox.aws.iam.guard import Guard
from sandbox.aws.iam.simulation import Simulations
from tests.sandbox.aws.aws_stand import HUB, Stand, refused

ROLE = f"arn:aws:iam::{HUB}:role/unlatch-executor"
KEY = f"arn:aws:kms:us-east-1:{HUB}:key/1"
STATEMENTS = [
    {
        "Effect": "Allow",
        "Action": "kms:DisableKey",
        "Resource": f"arn:aws:kms:*:{HUB}:key/*",
        "Condition": {"StringEquals": {"kms:KeyOrigin": "AWS_CLOUDHSM"}},
    },
    {
        "Effect": "Allow",
        "Action": "kms:GenerateMac",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/unlatch-*"}},
    },
    {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
]


@pytest.fixture
def iam(stand: Stand) -> Any:
    guard = Guard(stand.server.regions, lambda role: False)
    stand.server.services["iam"] = Simulations(guard).answer
    client = stand.client("iam")
    client.create_role(RoleName="unlatch-executor", AssumeRolePolicyDocument='{"Statement": []}')
    document = {"Version": "2012-10-17", "Statement": STATEMENTS}
    client.put_role_policy(
        RoleName="unlatch-executor", PolicyName="own", PolicyDocument=json.dumps(document)
    )
    return client


def decided(iam: Any, *actions: Any, resources: Any = (), **context: Any) -> list[str]:
    entries = [
        {
            "ContextKeyName": name.replace("_", ":"),
            "ContextKeyType": "stringList" if isinstance(value, list) else "string",
            "ContextKeyValues": value if isinstance(value, list) else [value],
        }
        for name, value in context.items()
    ]
    where = {"ResourceArns": list(resources)} if resources else {}
    reply = iam.simulate_principal_policy(
        PolicySourceArn=ROLE, ActionNames=list(actions), ContextEntries=entries, **where
    )
    return [result["EvalDecision"] for result in reply["EvaluationResults"]]


def test_it_needs_the_resource_and_the_context(iam: Any) -> None:
    origin = {"kms_KeyOrigin": "AWS_CLOUDHSM"}
    assert decided(iam, "kms:DisableKey", resources=[KEY], **origin) == ["allowed"]
    assert decided(iam, "kms:DisableKey", **origin) == ["implicitDeny"], "* is no key"
    assert decided(iam, "kms:DisableKey", resources=[KEY]) == ["implicitDeny"]


def test_each_action_on_each_resource(iam: Any) -> None:
    actions, origin = ("kms:DisableKey", "iam:GetRole"), {"kms_KeyOrigin": "AWS_CLOUDHSM"}
    found = decided(iam, *actions, resources=[KEY, "arn:aws:s3:::bucket"], **origin)
    assert found == ["allowed", "implicitDeny", "explicitDeny", "explicitDeny"]


def test_keys_with_several_values(iam: Any) -> None:
    names = ["alias/a", "alias/unlatch-dev-seal"]
    assert decided(iam, "kms:GenerateMac", kms_ResourceAliases=names) == ["allowed"]


def test_a_role_that_is_not_there(iam: Any) -> None:
    call = iam.simulate_principal_policy
    assert refused(call, PolicySourceArn=f"{ROLE}s", ActionNames=["iam:GetRole"]) == "NoSuchEntity"

"""The functions' hand-written policies: real actions, and no right that a function does not need."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.linter import findings

CHALICE = Path(__file__).parents[2] / ".chalice"
CONFIG: dict[str, Any] = json.loads((CHALICE / "config.json").read_text())
STAGES: dict[str, dict[str, Any]] = CONFIG["stages"]
TABLE = {
    "on_delete_blocked": "GetItem Query PutItem UpdateItem ConditionCheckItem",
    "turn": "GetItem Query PutItem UpdateItem DeleteItem",
    "sleep": "UpdateItem",
    "park": "UpdateItem",
    "sweep": "GetItem Query PutItem UpdateItem ConditionCheckItem",
    "digest": "GetItem Query PutItem",
    "on_key_store_refused": "GetItem Query PutItem UpdateItem ConditionCheckItem",
    "on_cluster_lost": "GetItem Query PutItem UpdateItem ConditionCheckItem",
    "on_key_used": "GetItem Query PutItem UpdateItem ConditionCheckItem",
    "on_probe": "PutItem",
    "api_handler": "GetItem Query PutItem UpdateItem ConditionCheckItem",
}
WRITE_LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
TRACE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
LOOKS_AND_OPENS = {
    "states:StartExecution",
    "states:SendTaskSuccess",
    "sts:AssumeRole",
    "kms:GenerateMac",
    "sqs:SendMessage",
}
# Beside table, logs and traces, which all have.
OWN = {
    "on_delete_blocked": {
        "states:StartExecution",
        "states:SendTaskSuccess",
        "kms:GenerateMac",
        "sqs:SendMessage",
    },
    "turn": {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:GetExecutionHistory",
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
        "kms:GenerateMac",
        "kms:VerifyMac",
        "ssm:GetParameter",
        "secretsmanager:GetSecretValue",
    },
    "sleep": {"states:SendTaskSuccess"},
    "park": {"states:SendTaskSuccess"},
    "sweep": {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:SendTaskSuccess",
        "sts:AssumeRole",
        "kms:GenerateMac",
        "ssm:GetParameter",
        "secretsmanager:GetSecretValue",
        "sqs:SendMessage",
    },
    "digest": {"sts:AssumeRole", "secretsmanager:GetSecretValue"},
    "on_key_store_refused": LOOKS_AND_OPENS,
    "on_cluster_lost": LOOKS_AND_OPENS,
    "on_key_used": LOOKS_AND_OPENS,
    "on_probe": {"kms:GenerateMac", "sqs:SendMessage"},
    "api_handler": {
        "states:StartExecution",
        "states:SendTaskSuccess",
        "kms:GenerateMac",
        "ssm:GetParameter",
        "secretsmanager:GetSecretValue",
    },
}
# These know no resource.
ON_EVERYTHING = {"states:SendTaskSuccess", *TRACE}
FUNCTIONS = sorted(OWN)


def _statements(function: str) -> list[dict[str, Any]]:
    document = json.loads((CHALICE / "policies" / f"{function}.json").read_text())
    statements: list[dict[str, Any]] = document["Statement"]
    return statements


def _rights(function: str) -> dict[str, list[str]]:
    """Action → the resources that it is allowed on."""
    found: dict[str, list[str]] = {}
    for statement in _statements(function):
        resource = statement["Resource"]
        for action in statement["Action"]:
            found.setdefault(action, []).extend(
                resource if isinstance(resource, list) else [resource]
            )
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_these_rights_and_no_others(function: str) -> None:
    table = {f"dynamodb:{name}" for name in TABLE[function].split()}
    assert set(_rights(function)) == table | OWN[function] | WRITE_LOGS | TRACE


@pytest.mark.parametrize("function", FUNCTIONS)
def test_cfn_lint_knows_every_action_and_resource(function: str) -> None:
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "PolicyDocument": {"Version": "2012-10-17", "Statement": _statements(function)}
        },
    }
    assert findings(json.dumps({"Resources": {"Policy": policy}})) == []


def test_cfn_lint_would_notice_an_action_that_does_not_exist() -> None:
    statement = {"Effect": "Allow", "Action": ["kms:ScheduleKeyErasure"], "Resource": "*"}
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    }
    assert findings(json.dumps({"Resources": {"Policy": policy}})) != []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_right_on_everything_is_one_that_knows_no_resource(function: str) -> None:
    everywhere = {action for action, resources in _rights(function).items() if "*" in resources}
    assert everywhere <= ON_EVERYTHING


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policies_only_allow_and_name_unlatch(function: str) -> None:
    for statement in _statements(function):
        assert statement["Effect"] == "Allow"
        named = json.dumps([statement["Resource"], statement.get("Condition")])
        assert statement["Resource"] == "*" or "unlatch" in named, statement["Sid"]


def test_only_turn_can_change_other_accounts() -> None:
    roles = {
        function: [arn.rsplit("/", 1)[1] for arn in _rights(function).get("sts:AssumeRole", [])]
        for function in FUNCTIONS
    }
    assert {function: names for function, names in roles.items() if names} == {
        "turn": ["unlatch-reader", "unlatch-executor", "unlatch-restorer"],
        "sweep": ["unlatch-reader"],
        "digest": ["unlatch-reader"],
        "on_key_store_refused": ["unlatch-reader"],
        "on_cluster_lost": ["unlatch-reader"],
        "on_key_used": ["unlatch-reader"],
    }


def _seals(function: str) -> set[tuple[str, str]]:
    """Action and alias of each right on a sealing key."""
    return {
        (action, str(statement["Condition"]["ForAnyValue:StringLike"]["kms:ResourceAliases"]))
        for statement in _statements(function)
        for action in statement["Action"]
        if action in ("kms:GenerateMac", "kms:VerifyMac")
    }


def test_who_hears_seals_the_inbox_and_turns_alone_seal_bodies() -> None:
    inbox, body = "alias/unlatch-*-inbox", "alias/unlatch-*-body"
    hears = {("kms:GenerateMac", inbox)}
    turn = {("kms:VerifyMac", inbox), ("kms:GenerateMac", body), ("kms:VerifyMac", body)}
    assert {each: seals for each in FUNCTIONS if (seals := _seals(each))} == {
        "api_handler": hears,
        "on_delete_blocked": hears,
        "on_key_store_refused": hears,
        "on_cluster_lost": hears,
        "on_key_used": hears,
        "on_probe": hears,
        "sweep": hears,
        "turn": turn,
    }


def test_who_acts_in_accounts() -> None:
    assert [each for each in FUNCTIONS if "sts:SetSourceIdentity" in _rights(each)] == ["turn"]


def test_only_the_slack_function_reads_the_signing_secret() -> None:
    readers = {
        function: [arn.split("/")[-1] for arn in _rights(function)["secretsmanager:GetSecretValue"]]
        for function in FUNCTIONS
        if "secretsmanager:GetSecretValue" in _rights(function)
    }
    assert readers == {
        "turn": ["slack-bot-token-??????"],
        "sweep": ["slack-bot-token-??????"],
        "digest": ["slack-bot-token-??????"],
        "api_handler": ["slack-signing-secret-??????", "slack-bot-token-??????"],
    }


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_its_own_policy(stage: str) -> None:
    functions = STAGES[stage]["lambda_functions"]
    assert {name: each["iam_policy_file"] for name, each in functions.items()} == {
        name: f"policies/{name}.json" for name in FUNCTIONS
    }
    assert CONFIG["autogen_policy"] is False
    assert sorted(path.stem for path in (CHALICE / "policies").iterdir()) == FUNCTIONS


@pytest.mark.parametrize("stage", STAGES)
def test_settings_name_the_stages_own_resources(stage: str) -> None:
    settings = STAGES[stage]["environment_variables"]
    assert all(isinstance(value, str) for value in settings.values())
    other = next(name for name in STAGES if name != stage)
    assert [name for name, value in settings.items() if f"unlatch-{other}" in value] == []
    assert settings["TABLE_NAME"] == f"unlatch-{stage}"
    assert settings["STATE_MACHINE_NAME"] == f"unlatch-{stage}-case"
    assert settings["INBOX_KEY_ID"] == f"alias/unlatch-{stage}-inbox"
    assert settings["BODY_KEY_ID"] == f"alias/unlatch-{stage}-body"
    assert settings["BRAKE_PARAMETER"] == f"/unlatch/{stage}/brake"


def test_only_prod_acts_without_being_asked_to() -> None:
    dry_run = {stage: each["environment_variables"]["DRY_RUN"] for stage, each in STAGES.items()}
    assert dry_run == {"dev": "true", "prod": "false"}

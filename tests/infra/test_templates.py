"""The CloudFormation templates: valid by cfn-lint, and taken by moto as the callers pass them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.decode.cfn_yaml import loads
from moto import mock_aws

from chalicelib.event_patterns import (
    CUT_OFF,
    DELETE_FAILED,
    KEY_STORE_REFUSED,
    KEY_USE_FAILED,
    LIVE_PROBE,
)
from sandbox.aws.moto_setup import fill_in_definitions, read_fast
from sandbox.aws.patches import Patches
from tests.infra.linter import findings

INFRA = Path(__file__).parents[2] / "infra"
CASE_DEFINITION = (INFRA / "case.asl.json").read_text()
TEMPLATES = ["resources.yaml", "account.yaml", "guardrails.yaml"]
HUB = "123456789012"  # moto's own account
HUB_BUS = "arn:aws:events:us-east-1:111122223333:event-bus/default"
HEARING = {
    "on_delete_blocked",
    "on_key_store_refused",
    "on_cluster_lost",
    "on_key_used",
    "on_probe",
}
FUNCTIONS = {*HEARING, "turn", "sleep", "park", "sweep", "digest"}
# I4010 wants prose in a `Metadata` block of every resource; the why stands in comments here.
IGNORED_RULES = ("I4010",)

# moto says so for each resource type that its CloudFormation does not make.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS")


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    text = (INFRA / name).read_text()
    assert findings(text, include=("I",), ignore=IGNORED_RULES) == []


def test_cfn_lint_takes_the_state_machine() -> None:
    definition = _filled_in()
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": definition,
            "RoleArn": f"arn:aws:iam::{HUB}:role/unlatch-dev-case",
        },
    }
    assert findings(json.dumps({"Resources": {"CaseRuns": machine}})) == []


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws(), closing(Patches()) as seams:
        read_fast(seams)
        fill_in_definitions(seams)
        yield


def _client(service: Any) -> Any:
    return boto3.client(service, region_name="us-east-1")


def _deploy(name: str, **parameters: str) -> dict[str, str]:
    """Deploys the file as it is; returns its outputs."""
    cloudformation = _client("cloudformation")
    cloudformation.create_stack(
        StackName=name.replace(".", "-"),
        TemplateBody=(INFRA / name).read_text(),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.mark.usefixtures("aws")
def test_the_state_machine_file_reaches_step_functions_with_stage_and_partition_filled_in() -> None:
    outputs = _deploy("resources.yaml", Stage="dev", CaseDefinition=CASE_DEFINITION)
    machine = _client("stepfunctions").describe_state_machine(
        stateMachineArn=outputs["StateMachineArn"]
    )
    assert machine["name"] == "unlatch-dev-case"
    assert machine["definition"] == _filled_in()


@pytest.mark.usefixtures("aws")
def test_names_follow_from_the_stage() -> None:
    outputs = _deploy("resources.yaml", Stage="dev", CaseDefinition=CASE_DEFINITION)
    assert outputs["TableName"] == "unlatch-dev"
    assert outputs["DeadLettersArn"].endswith(":unlatch-dev-dead-letters")
    assert outputs["HubBusArn"] == f"arn:aws:events:us-east-1:{HUB}:event-bus/default"
    listed = _client("kms").list_aliases()["Aliases"]
    keys = {alias["AliasName"]: alias.get("TargetKeyId") for alias in listed}
    assert outputs["InboxKeyArn"].endswith(f":key/{keys['alias/unlatch-dev-inbox']}")
    assert outputs["BodyKeyArn"].endswith(f":key/{keys['alias/unlatch-dev-body']}")


def test_the_console_has_a_host_in_each_partition() -> None:
    template = _template("resources.yaml")
    link = template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
    assert link[0].startswith("https://${AWS::Region}.${Host}/cloudwatch/")
    hosts = {name: each["Host"] for name, each in template["Mappings"]["Console"].items()}
    assert hosts["aws-us-gov"] == "console.amazonaws-us-gov.com"
    assert set(hosts) == {"aws", "aws-us-gov", "aws-cn"}


@pytest.mark.usefixtures("aws")
def test_the_dashboard_is_json() -> None:
    _deploy("resources.yaml", Stage="dev", CaseDefinition=CASE_DEFINITION)
    body = _client("cloudwatch").get_dashboard(DashboardName="unlatch-dev")["DashboardBody"]
    assert json.loads(body)["widgets"]


@pytest.mark.usefixtures("aws")
def test_the_hub_gets_roles_and_no_rules() -> None:
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB)
    assert _roles() == {"unlatch-reader", "unlatch-executor", "unlatch-restorer"}
    assert _client("events").list_rules()["Rules"] == []


@pytest.mark.usefixtures("aws")
def test_the_role_that_tries_whether_events_arrive_is_the_operators_alone() -> None:
    operator = f"arn:aws:iam::{HUB}:role/operators"
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB, OperatorArn=operator)
    (statement,) = _trust("unlatch-prober")
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"]["StringLike"] == {"aws:PrincipalArn": operator}


@pytest.mark.usefixtures("aws")
def test_the_same_events_are_forwarded_as_the_hub_hears_itself() -> None:
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB, HubBusArn=HUB_BUS)
    rules = _client("events").list_rules()["Rules"]
    forwarded = sorted(json.dumps(_spelled(json.loads(r["EventPattern"]))) for r in rules)
    heard = (DELETE_FAILED, KEY_USE_FAILED, KEY_STORE_REFUSED, CUT_OFF, LIVE_PROBE)
    assert forwarded == sorted(json.dumps(_spelled(pattern)) for pattern in heard)


@pytest.mark.usefixtures("aws")
def test_a_further_region_gets_rules_and_no_roles() -> None:
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB, HubBusArn=HUB_BUS, CreateRoles="no")
    assert _roles() == set()
    rules = {rule["Name"]: rule for rule in _client("events").list_rules()["Rules"]}
    deletes, uses = rules["unlatch-dev-failed-deletes"], rules["unlatch-dev-failed-key-uses"]
    assert json.loads(deletes["EventPattern"])["detail"]["errorCode"] == [
        "CloudHsmClusterInUseException",
        "CloudHsmInvalidRequestException",
    ]
    assert uses["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", (
        "Decrypt is a read-only event, which an ENABLED rule never sees"
    )


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("role", ["unlatch-executor", "unlatch-restorer"])
def test_no_session_that_changes_something_without_the_approvers_names(role: str) -> None:
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB)
    statements = _trust(role)
    granted = {action for statement in statements for action in _list(statement["Action"])}
    assert granted == {"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}
    assume = next(each for each in statements if each["Action"] == "sts:AssumeRole")
    assert assume["Condition"]["Null"] == {
        "sts:SourceIdentity": "false",
        "aws:RequestTag/case": "false",
        "aws:RequestTag/plan_hash": "false",
        "aws:RequestTag/approvers": "false",
    }


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("role", "callers"),
    [
        (
            "unlatch-reader",
            {
                f"unlatch-dev-{name}"
                for name in (
                    *("turn", "sweep", "digest"),
                    *("on_key_store_refused", "on_cluster_lost", "on_key_used"),
                )
            },
        ),
        ("unlatch-executor", {"unlatch-dev-turn"}),
        ("unlatch-restorer", {"unlatch-dev-turn"}),
    ],
)
def test_only_these_functions_of_the_hub_may_take_the_role(role: str, callers: set[str]) -> None:
    _deploy("account.yaml", Stage="dev", HubAccountId=HUB)
    expected = {f"arn:aws:iam::{HUB}:role/{caller}" for caller in callers}
    for statement in _trust(role):
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{HUB}:root"}
        named = _list(statement["Condition"]["StringLike"]["aws:PrincipalArn"])
        assert {name for name in named if name is not None} == expected


def test_the_executor_has_these_rights_and_no_others() -> None:
    allowed, denied = _rights("Executor")
    assert allowed == {
        "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
        "kms:EnableKey",
        "kms:DisableKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ConnectCustomKeyStore",
        "kms:DisconnectCustomKeyStore",
        "kms:UpdateCustomKeyStore",
        "kms:DeleteCustomKeyStore",
        "cloudhsm:DescribeClusters",
        "cloudhsm:DeleteHsm",
        "cloudhsm:DeleteCluster",
        "cloudhsm:ModifyBackupAttributes",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteSecurityGroup",
    }
    assert denied >= {"iam:*", "cloudhsm:DeleteBackup", "kms:PutKeyPolicy", "kms:Decrypt"}


def test_every_right_to_change_something_is_bound_to_regions() -> None:
    for role in ("Executor", "Restorer"):
        for statement in _statements(role):
            if statement["Effect"] == "Allow":
                assert "aws:RequestedRegion" in json.dumps(statement["Condition"]), statement["Sid"]


def test_the_reader_only_reads() -> None:
    allowed, _ = _rights("Reader")
    verbs = ("Describe", "Get", "List", "Lookup", "Simulate")
    assert [each for each in allowed if not each.split(":")[1].startswith(verbs)] == []


def test_the_state_machine_may_invoke_turn_and_sleep_only() -> None:
    role = _template("resources.yaml")["Resources"]["CaseRunsRole"]["Properties"]
    (invoke,) = [
        statement
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    names = [resource["Fn::Sub"].rsplit(":", 1)[1] for resource in invoke["Resource"]]
    assert names == [f"unlatch-${{Stage}}-{name}" for name in ("turn", "sleep", "park")]


def test_every_function_is_watched_for_errors() -> None:
    alarm = _template("resources.yaml")["Resources"]["FunctionErrorsAlarm"]["Properties"]
    watched = {
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Fn::Sub"]
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }
    watched_for = FUNCTIONS - {
        "park"
    }  # an alarm has ten metrics at the most, and park's runs go on
    assert watched == {"unlatch-${Stage}"} | {f"unlatch-${{Stage}}-{name}" for name in watched_for}


def test_what_holds_state_outlives_the_stack() -> None:
    resources = _template("resources.yaml")["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy") == "Retain"}
    assert kept >= {
        "Table",
        "SealKey",
        "BodyKey",
        "SlackSigningSecret",
        "SlackBotToken",
        "DeadLetters",
    }


def test_no_template_holds_a_secret() -> None:
    for secret in ("SlackSigningSecret", "SlackBotToken"):
        properties = _template("resources.yaml")["Resources"][secret]["Properties"]
        assert set(properties) == {"Name", "Description"}


def test_a_guardrail_leaves_people_the_call_that_opens_cases() -> None:
    template = _template("guardrails.yaml")
    assert template["Parameters"]["ReserveDeleteCluster"]["Default"] == "no"


def _spelled(pattern: Any) -> Any:
    """In one order of names and values; CloudFormation makes text of what YAML says."""
    if isinstance(pattern, dict):
        return {name: _spelled(pattern[name]) for name in sorted(pattern)}
    if isinstance(pattern, list):
        return sorted((_spelled(one) for one in pattern), key=json.dumps)
    return str(pattern).lower()


def _filled_in(partition: str = "aws") -> str:
    return CASE_DEFINITION.replace("${Stage}", "dev").replace("${Partition}", partition)


def _template(name: str) -> Mapping[str, Any]:
    template: Mapping[str, Any] = loads((INFRA / name).read_text())
    return template


def _statements(role: str) -> list[dict[str, Any]]:
    (policy,) = _template("account.yaml")["Resources"][role]["Properties"]["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _rights(role: str) -> tuple[set[str], set[str]]:
    """What the role's own policy allows, and what it denies."""
    actions: dict[str, set[str]] = {"Allow": set(), "Deny": set()}
    for statement in _statements(role):
        actions[statement["Effect"]].update(_list(statement["Action"]))
    return actions["Allow"], actions["Deny"]


def _roles() -> set[str]:
    return {
        role["RoleName"]
        for role in _client("iam").list_roles()["Roles"]
        if role["RoleName"] in {"unlatch-reader", "unlatch-executor", "unlatch-restorer"}
    }


def _trust(role: str) -> list[dict[str, Any]]:
    document = _client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    statements: list[dict[str, Any]] = document["Statement"]
    return statements


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value

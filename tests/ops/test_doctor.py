"""The doctor looks at a real deployment: well as it is, and ill in one way after the other."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from ops.command_context import PROJECT
from sandbox.slack.records import BOT_TOKEN, SIGNING_SECRET
from sandbox.stack import Sandbox
from tests.ops.office import HUB, OPERATORS, REGION, Office

pytestmark = pytest.mark.slow  # it deploys the whole bot


def findings(office: Office) -> tuple[int, dict[tuple[str, bool | None], Any]]:
    said = office.run("doctor", "--json")
    return said.code, {(c["name"], c["ok"]): c for c in said.json["checks"]}


@pytest.fixture
def ill(deployed: Office) -> Callable[[], dict[str, str]]:
    """What the doctor finds wrong, as {name: what it says and advises}."""

    def look() -> dict[str, str]:
        code, found = findings(deployed)
        wrong = {name: f"{c['says']} → {c['do']}" for (name, ok), c in found.items() if ok is False}
        assert code == (1 if wrong else 0)
        return wrong

    return look


def test_a_fresh_deployment_is_well(deployed: Office) -> None:
    said = deployed.run("doctor")
    assert said.code == 0, said.out
    assert "Nothing is wrong; 1 warning: see above." in said.out, "nobody hears the alarms yet"
    assert f"account {HUB}, {REGION}" in said.out
    assert "\x1b[" not in said.out, "no colours if nobody sees them"
    acting = (f"executor {HUB}", f"restorer {HUB}")
    for name in ("trail us-east-1", "inbox key", "slack channel", "quorum", "reader", *acting):
        assert f"ok      {name}" in said.out


def test_a_second_stage_in_the_account_is_warned_of(deployed: Office) -> None:
    """Its functions have policies that cover this stage too."""
    aws = boto3.client("stepfunctions")
    made = aws.list_state_machines()["stateMachines"]
    role = aws.describe_state_machine(stateMachineArn=made[0]["stateMachineArn"])["roleArn"]
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    other = aws.create_state_machine(
        name="unlatch-prod-case", definition=json.dumps(done), roleArn=role
    )
    code, found = findings(deployed)
    aws.delete_state_machine(stateMachineArn=other["stateMachineArn"])
    assert code == 0
    assert found["stages", True]["warns"]
    assert found["stages", True]["says"].startswith("unlatch-prod in the same account")


def test_events_that_would_not_come(deployed: Office, ill: Callable[[], dict[str, str]]) -> None:
    events, trails = boto3.client("events"), boto3.client("cloudtrail")
    name = "unlatch-dev-on_key_used-event"
    pattern = events.describe_rule(Name=name)["EventPattern"]
    events.put_rule(Name=name, EventPattern=pattern, State="ENABLED")
    events.disable_rule(Name="unlatch-dev-on_delete_blocked-event")
    trails.stop_logging(Name="all")
    wrong = ill()
    assert "disabled" in wrong["rule on_delete_blocked"]
    assert "does not log" in wrong["trail us-east-1"]
    assert "unlatch deploy" in wrong["rule on_delete_blocked"]
    assert "Decrypt" in wrong["rule on_key_used"], "as Chalice leaves it, the rule misses reads"
    trails.start_logging(Name="all")
    events.enable_rule(Name="unlatch-dev-on_delete_blocked-event")
    events.put_rule(
        Name=name,
        EventPattern=pattern,
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )


def test_fips_without_dual_stack_does_not_reach_cloudhsm(
    ill: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert "AWS_USE_DUALSTACK_ENDPOINT=true" in ill()["fips"]
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    assert "fips" not in ill()


def test_alarms_that_nobody_hears_are_a_warning(deployed: Office) -> None:
    said = deployed.run("doctor")
    assert said.code == 0, "a warning is not ill"
    assert "warning alarms                 nobody hears them" in said.out
    topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
    assert deployed.run("deploy", "--yes", "--parameter", f"AlarmTopicArn={topic}").code == 0
    found = {name: c for (name, _), c in findings(deployed)[1].items()}
    assert "no confirmed subscription" in found["alarms"]["says"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="o@example.com")
    found = {name: c for (name, _), c in findings(deployed)[1].items()}
    assert not found["alarms"]["warns"]


def test_code_that_nobody_deployed(deployed: Office, ill: Callable[[], dict[str, str]]) -> None:
    assert "code" not in ill()
    functions, empty = boto3.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("app.py", "def sleep(*_): pass")
    functions.update_function_code(FunctionName="unlatch-dev-sleep", ZipFile=empty.getvalue())
    assert "unlatch-dev-sleep runs other code than 0.1.0, deployed 2026-03-02" in ill()["code"]
    planned = deployed.run("deploy", typing="no")
    assert "function unlatch-dev-sleep: code " in planned.out
    assert deployed.run("deploy", "--yes").code == 0
    assert "code" not in ill()


def test_a_channel_that_outsiders_read(sandbox: Sandbox, ill: Callable[[], dict[str, str]]) -> None:
    sandbox.slack.workspace.change_channel(is_shared=True)
    assert "another company" in ill()["slack channel"]
    sandbox.slack.workspace.change_channel(is_shared=False)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"is_archived": True}, "it is archived"), ({"is_member": False}, "/invite @Unlatch")],
)
def test_a_channel_that_cant_be_written(
    sandbox: Sandbox, ill: Callable[[], dict[str, str]], change: dict[str, Any], says: str
) -> None:
    sandbox.slack.workspace.change_channel(**change)
    assert says in ill()["slack channel"]
    sandbox.slack.workspace.change_channel(is_archived=False, is_member=True)
    assert "slack channel" not in ill()


def test_secrets_that_are_stored_oddly(ill: Callable[[], dict[str, str]]) -> None:
    secrets = boto3.client("secretsmanager")
    signing, token = "unlatch/dev/slack-signing-secret", "unlatch/dev/slack-bot-token"

    def store(secret: str, value: str) -> None:
        secrets.put_secret_value(SecretId=secret, SecretString=value)

    store(signing, f"{SIGNING_SECRET}\n")
    store(token, json.dumps({"token": BOT_TOKEN}))
    assert ill() == {}, "blanks around it and JSON with one value are taken"
    store(signing, json.dumps({"a": "1", "b": "2"}))
    store(token, "xoxp-of-a-person")
    wrong = ill()
    assert "is JSON in which nobody can tell" in wrong["slack-signing-secret"]
    assert "does not look like a bot token" in wrong["slack-bot-token"]
    assert "xoxp" not in str(wrong), "no word of a secret is shown"
    store(signing, SIGNING_SECRET)
    store(token, BOT_TOKEN)


def test_a_token_without_a_scope_of_the_manifest(
    sandbox: Sandbox, ill: Callable[[], dict[str, str]]
) -> None:
    api = sandbox.slack._web_api
    whole = api.manifest
    api.manifest = replace(whole, scopes=whole.scopes - {"users:read.email"})
    assert "lacks users:read.email" in ill()["slack scopes"]
    api.manifest = whole


def test_approvers_who_cannot_approve(ill: Callable[[], dict[str, str]]) -> None:
    functions = boto3.client("lambda")

    def approve_by(names: str) -> None:
        found = functions.get_function_configuration(FunctionName="unlatch-dev-turn")
        variables = {**found["Environment"]["Variables"], "APPROVERS": names}
        functions.update_function_configuration(
            FunctionName="unlatch-dev-turn", Environment={"Variables": variables}
        )

    approve_by("dora,gus,alice")
    wrong = ill()
    assert "gus is a guest" in wrong["approvers"]
    assert "1 can approve, and the settings ask for 2" in wrong["quorum"]
    approve_by("")
    assert "nobody can approve" in ill()["approvers"]
    approve_by("alice,bob,carl")


def test_a_seal_key_that_is_off(ill: Callable[[], dict[str, str]]) -> None:
    kms = boto3.client("kms")
    key = kms.describe_key(KeyId="alias/unlatch-dev-inbox")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    assert "enable-key" in ill()["inbox key"]
    kms.enable_key(KeyId=key)


def test_an_alias_that_was_moved(ill: Callable[[], dict[str, str]]) -> None:
    kms, alias = boto3.client("kms"), "alias/unlatch-dev-inbox"
    key, other = (
        kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"]
        for name in (alias, "alias/unlatch-dev-body")
    )
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    assert "does not point to the key of the functions" in ill()["inbox key"]
    kms.update_alias(AliasName=alias, TargetKeyId=key)


def test_functions_that_are_gone_and_dead_letters(
    sandbox: Sandbox, deployed: Office, ill: Callable[[], dict[str, str]]
) -> None:
    queues = boto3.client("sqs")
    url = queues.get_queue_url(QueueName="unlatch-dev-dead-letters")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody="{}")
    boto3.client("lambda").delete_function(FunctionName="unlatch-dev-sleep")
    wrong = ill()
    assert "unlatch-dev-sleep is missing" in wrong["functions"]
    assert "unlatch replay" in wrong["dead letters"]
    queues.purge_queue(QueueUrl=url)


def test_a_table_of_another_name_is_the_one_that_counts(deployed: Office) -> None:
    name = "unlatch-elsewhere"
    keys: dict[str, Any] = {"pk": "HASH", "sk": "RANGE"}
    tables, functions = boto3.client("dynamodb"), boto3.client("lambda")
    tables.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
    )
    turn = "unlatch-dev-turn"
    found = functions.get_function_configuration(FunctionName=turn)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=turn, Environment={"Variables": {**found, "TABLE_NAME": name}}
    )
    assert deployed.run("freeze", "--reason", "a move").code == 0
    brake = boto3.client("ssm").get_parameter(Name="/unlatch/dev/brake")["Parameter"]["Value"]
    assert brake.startswith("a move (")
    said = {name: c["says"] for (name, _), c in findings(deployed)[1].items()}
    assert said["table"] == f"{name} is ACTIVE"
    assert "a move" in said["brake"]
    functions.update_function_configuration(FunctionName=turn, Environment={"Variables": found})


def test_roles_elsewhere_are_asked_about_as_the_reader(sandbox: Sandbox, deployed: Office) -> None:
    turn, other = "unlatch-dev-turn", "222233334444"
    functions = boto3.client("lambda")
    found = functions.get_function_configuration(FunctionName=turn)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=turn, Environment={"Variables": {**found, "ACCOUNTS": other}}
    )
    said = {name: c for (name, ok), c in findings(deployed)[1].items() if ok is None}
    assert "OperatorArn" in said[f"rights {other}"]["do"]
    parameters = {
        "Stage": "dev",
        "HubAccountId": HUB,
        "OperatorArn": OPERATORS,
        "MinWindowDays": "30",
        "Regions": "eu-west-1",
    }
    sandbox.client("cloudformation", account=other, region=REGION).create_stack(
        StackName="account",
        TemplateBody=(PROJECT / "infra/account.yaml").read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    said = {name: c["says"] for (name, ok), c in findings(deployed)[1].items() if ok is False}
    assert said[f"executor {other}"].startswith("unlatch-executor may not kms:ScheduleKeyDeletion")
    assert said[f"restorer {other}"] == "unlatch-restorer may not cloudhsm:CreateHsm"
    functions.update_function_configuration(FunctionName=turn, Environment={"Variables": found})


def test_an_executor_that_may_not_do_all(ill: Callable[[], dict[str, str]]) -> None:
    roles = boto3.client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "cloudhsm:Delete*", "Resource": "*"},
    }
    about = {"RoleName": "unlatch-executor", "PolicyName": "brake"}
    roles.put_role_policy(**about, PolicyDocument=json.dumps(policy))
    said = ill()[f"executor {HUB}"]
    assert said.startswith("unlatch-executor may not cloudhsm:DeleteHsm, cloudhsm:DeleteCluster →")
    roles.delete_role_policy(**about)
    assert f"executor {HUB}" not in ill()


def test_nothing_deployed_is_said_so(deployed: Office) -> None:
    said = deployed.run("doctor", "--stage", "prod")
    assert said.code == 5
    assert said.err.count("\n") == 2, "one sentence and what helps, not one for each check"
    assert "unlatch deploy --stage prod" in said.err
    assert "Traceback" not in said.out + said.err


def test_what_strangers_can_use_up_is_limited(deployed: Office) -> None:
    api = boto3.client("apigateway")
    (one,) = api.get_rest_apis()["items"]
    stage = api.get_stage(restApiId=one["id"], stageName="dev")
    limits = stage["methodSettings"]["*/*"]
    assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (20, 50)
    functions = boto3.client("lambda")
    for name, number in (("unlatch-dev", 20), ("unlatch-dev-on_key_used", 10)):
        found = functions.get_function_concurrency(FunctionName=name)
        assert found["ReservedConcurrentExecutions"] == number

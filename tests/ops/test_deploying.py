"""Deploy and destroy over HTTP: fresh, broken off half-way, again, down, and up once more."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.aws.identity import Identity
from sandbox.stack import Sandbox
from tests.ops.office import HUB, OPERATOR, OPERATORS, REGION, Office

pytestmark = pytest.mark.slow  # it deploys the whole bot

FUNCTIONS = {f"unlatch-dev{n}" for n in ("", "-turn", "-park", "-sweep", "-on_key_used")} | {
    "unlatch-dev-on_delete_blocked"
}


def functions() -> set[str]:
    return {f["FunctionName"] for f in boto3.client("lambda").list_functions()["Functions"]}


def apis() -> list[str]:
    return [item["id"] for item in boto3.client("apigateway").get_rest_apis()["items"]]


def rule(function: str) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("events").describe_rule(
        Name=f"unlatch-dev-{function}-event"
    )
    return found


CODE = "CloudHsmInvalidRequestException"


@pytest.fixture(scope="module", autouse=True)
def settled_codes(office: Office) -> None:
    """From the first deployment on: moto can’t update rules whose condition is false."""
    office.env(UNLATCH_ERROR_CODES=CODE)


def refusing(sandbox: Sandbox, wanted: str) -> None:
    """The operator lacks this right, as where a permission set was made too narrow."""

    def deny(identity: Identity, service: str, operation: str, _: object) -> str | None:
        refused = identity.arn == OPERATOR and f"{service}:{operation}" == wanted
        return f"not authorized to perform: {wanted}" if refused else None

    sandbox.aws.deny = deny


def test_settings_that_are_missing_are_all_named_before_anything_is_made(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UNLATCH_SLACK_CHANNEL", "UNLATCH_APPROVERS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNLATCH_EXPIRY_HOURS", "soon")
    monkeypatch.setenv("UNLATCH_APPROVRES", "alice")
    said = office.run("deploy", "--parameter", "Moon=full")
    assert said.code == 3
    for words in ("SLACK_CHANNEL is missing", "APPROVERS is missing", "EXPIRY_HOURS must be a",
                  "APPROVRES is no setting", "Moon: no template has it"):  # fmt: skip
        assert words in said.err
    assert functions() == set()


def test_a_deployment_that_breaks_off_goes_on_where_it_was(
    sandbox: Sandbox, office: Office
) -> None:
    refusing(sandbox, "apigateway:CreateDeployment")
    broken = office.run("deploy")
    assert broken.code == 3
    assert "run this command again" in broken.err
    assert "Traceback" not in broken.err
    half_made = apis()
    assert len(half_made) == 1
    sandbox.aws.deny = None
    said = office.run("deploy")
    assert said.code == 0, said.err
    assert apis() == half_made, "the API that was half made is taken up, not made twice"
    assert functions() == FUNCTIONS
    url = f"https://{half_made[0]}.execute-api.{REGION}.amazonaws.com/dev"
    assert f"{url}/slack/interactions" in said.out
    assert f"{url}/slack/commands" in said.out
    assert "put-secret-value" in said.out


def test_what_chalice_leaves_out_is_there() -> None:
    queue = f"arn:aws:sqs:{REGION}:{HUB}:unlatch-dev-dead-letters"
    for function in ("on_delete_blocked", "on_key_used", "sweep"):
        found = boto3.client("lambda").get_function_event_invoke_config(
            FunctionName=f"unlatch-dev-{function}"
        )
        assert found["DestinationConfig"]["OnFailure"]["Destination"] == queue
        targets = boto3.client("events").list_targets_by_rule(Rule=rule(function)["Name"])
        assert [t["DeadLetterConfig"]["Arn"] for t in targets["Targets"]] == [queue]
    pattern = json.loads(rule("on_delete_blocked")["EventPattern"])
    assert pattern["detail"]["errorCode"] == [CODE], "as the setting says, not as the code does"
    assert rule("on_key_used")["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_deploying_again_follows_the_settings_and_makes_nothing_twice(
    office: Office, tmp_path: Path
) -> None:
    before = apis()
    settings = tmp_path / "dev.env"
    settings.write_text("# ours\nexpiry_hours = 12\nREMIND_HOURS='3'\naccounts=444455556666\n")
    operators = f"OperatorArn={OPERATORS}"
    said = office.run("deploy", "--settings", str(settings), "--parameter", operators)
    assert said.code == 0, said.err
    (elsewhere,) = (line for line in said.out.splitlines() if "for 444455556666: " in line)
    assert f"HubAccountId={HUB} Stage=dev " in elsewhere
    assert elsewhere.endswith(f"MinWindowDays=7 '{operators}' RequireTag=no"), "as in the hub"
    assert apis() == before
    assert functions() == FUNCTIONS
    turn = boto3.client("lambda").get_function_configuration(FunctionName="unlatch-dev-turn")
    assert turn["Environment"]["Variables"]["EXPIRY_HOURS"] == "12"
    assert not (office.project / ".chalice/config.json").read_text().count("EXPIRY_HOURS")


def test_destroy_keeps_the_data_and_a_later_deploy_goes_on_with_it(office: Office) -> None:
    boto3.resource("dynamodb").Table("unlatch-dev").put_item(Item={"pk": "a", "sk": "b"})
    assert office.run("destroy").code == 0
    assert functions() == set()
    assert apis() == []
    assert boto3.client("events").list_rules(NamePrefix="unlatch-dev")["Rules"] == []
    roles = {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]}
    assert roles == {"unlatch-dev-case"}
    assert office.run("destroy").code == 0, "nothing left to take down is fine"
    assert office.run("deploy").code == 0
    table = boto3.resource("dynamodb").Table("unlatch-dev")
    assert "Item" in table.get_item(Key={"pk": "a", "sk": "b"})


def test_destroy_also_data_leaves_nothing(office: Office) -> None:
    seal_keys = [
        boto3.client("kms").describe_key(KeyId=f"alias/unlatch-dev-{name}")["KeyMetadata"]["KeyId"]
        for name in ("inbox", "body")
    ]
    said = office.run("destroy", "--also-data")
    assert said.code == 0, said.err
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []
    states = {
        boto3.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in seal_keys
    }
    assert states == {"PendingDeletion"}


def test_without_credentials_it_says_how_to_log_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    said = office.run("deploy")
    assert said.code == 4
    assert "aws sso login" in said.err

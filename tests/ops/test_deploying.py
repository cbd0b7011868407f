"""Deploy and destroy over HTTP: fresh, broken off half-way, again, down, and up once more."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops import hub
from sandbox.aws.identity import Identity
from sandbox.stack import Sandbox
from tests.ops.office import HUB, OPERATOR, OPERATORS, REGION, Office

pytestmark = pytest.mark.slow  # it deploys the whole bot

FUNCTIONS = {"unlatch-dev", *(f"unlatch-dev-{name}" for name in hub.FUNCTIONS)}


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
    """The operator lacks this right, as if a permission set was made too narrow."""

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
                  "APPROVRES is not a setting", "Moon: no template has it"):  # fmt: skip
        assert words in said.err
    assert functions() == set()


def test_an_account_without_room_for_reserved_concurrency_is_told_before_anything_is_made(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new account has ten."""
    monkeypatch.setenv("MOTO_LAMBDA_CONCURRENCY_QUOTA", "10")
    said = office.run("deploy", "--yes")
    assert said.code == 3
    assert "may run 10 times at once" in said.err
    assert "request-service-quota-increase" in said.err
    assert functions() == set()


def test_a_deployment_that_breaks_off_goes_on_where_it_was(
    sandbox: Sandbox, office: Office
) -> None:
    refusing(sandbox, "apigateway:CreateDeployment")
    broken = office.run("deploy", "--yes")
    assert broken.code == 3
    assert "run this command again" in broken.err
    assert "Traceback" not in broken.err
    half_made = apis()
    assert len(half_made) == 1
    sandbox.aws.deny = None
    said = office.run("deploy", "--yes")
    assert said.code == 0, said.err
    assert apis() == half_made, "the API that was half made is taken up, not made twice"
    assert functions() == FUNCTIONS
    url = f"https://{half_made[0]}.execute-api.{REGION}.amazonaws.com/dev"
    assert f"{url}/slack/interactions" in said.out
    assert f"{url}/slack/commands" in said.out
    assert "put-secret-value" in said.out


def test_what_chalice_leaves_out_is_there() -> None:
    queue = f"arn:aws:sqs:{REGION}:{HUB}:unlatch-dev-dead-letters"
    for function in ("on_delete_blocked", "on_key_used", "on_probe", "sweep"):
        found = boto3.client("lambda").get_function_event_invoke_config(
            FunctionName=f"unlatch-dev-{function}"
        )
        assert found["DestinationConfig"]["OnFailure"]["Destination"] == queue
        targets = boto3.client("events").list_targets_by_rule(Rule=rule(function)["Name"])
        assert [t["DeadLetterConfig"]["Arn"] for t in targets["Targets"]] == [queue]
    pattern = json.loads(rule("on_delete_blocked")["EventPattern"])
    assert pattern["detail"]["errorCode"] == [CODE], "as the setting says, not as the code does"
    assert rule("on_key_used")["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_the_functions_are_told_the_seal_keys_by_arn() -> None:
    """Whoever moves an alias leads them to no other key."""
    kms = boto3.client("kms")
    for function in FUNCTIONS:
        found = boto3.client("lambda").get_function_configuration(FunctionName=function)
        told = found["Environment"]["Variables"]
        for name, short in (("INBOX_KEY_ID", "inbox"), ("BODY_KEY_ID", "body")):
            key = kms.describe_key(KeyId=f"alias/unlatch-dev-{short}")["KeyMetadata"]
            assert told[name] == key["Arn"]


def test_deploying_again_follows_the_settings_and_makes_nothing_twice(
    office: Office, tmp_path: Path
) -> None:
    before = apis()
    settings = tmp_path / "dev.env"
    settings.write_text("# ours\nexpiry_hours = 12\nREMIND_HOURS='3'\naccounts=444455556666\n")
    operators = f"OperatorArn={OPERATORS}"
    said = office.run("deploy", "--yes", "--settings", str(settings), "--parameter", operators)
    assert said.code == 0, said.err
    (elsewhere,) = (line for line in said.out.splitlines() if "for 444455556666 alone: " in line)
    assert "create-stack-set --stack-set-name unlatch-dev-account" in said.out
    assert f"OrganizationalUnitIds=OU,AccountFilterType=DIFFERENCE,Accounts={HUB}" in said.out
    assert f"HubAccountId={HUB} Stage=dev " in elsewhere
    assert elsewhere.endswith(f"MinWindowDays=7 '{operators}' RequireTag=no"), "as in the hub"
    assert apis() == before
    assert functions() == FUNCTIONS
    turn = boto3.client("lambda").get_function_configuration(FunctionName="unlatch-dev-turn")
    assert turn["Environment"]["Variables"]["EXPIRY_HOURS"] == "12"
    assert not (office.project / ".chalice/config.json").read_text().count("EXPIRY_HOURS")


def test_what_was_given_once_is_remembered_and_what_would_go_is_shown(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UNLATCH_APPROVERS", "UNLATCH_SLACK_CHANNEL", "UNLATCH_SLACK_TEAM_IDS"):
        monkeypatch.delenv(name)
    said = office.run("deploy", "--yes", "--json")
    assert said.code == 0, said.err
    assert said.json["changes"]["settings"] == [], "EXPIRY_HOURS, of a file, still holds"
    assert said.json["changes"]["functions"] == [], "the same code makes the same package"
    bill = json.loads(Path(said.json["sbom"]).read_text())
    (digest,) = bill["metadata"]["component"]["hashes"]
    assert digest["content"] == said.json["sha256"]
    assert "slack/interactions" not in said.out, "the URLs are as they were"
    file = tmp_path / "less.env"
    file.write_text("approvers=alice,bob\nslack_channel=C0UNLATCH\nslack_team_ids=T0ACME\n")
    declined = office.run("deploy", "--settings", str(file), typing="no")
    assert declined.code == 6
    assert "setting  EXPIRY_HOURS: 12 → the default" in declined.out
    assert "setting  ACCOUNTS: 444455556666 → the default" in declined.out
    assert "setting  APPROVERS: alice,bob,carl → alice,bob" in declined.out
    assert "unlatch-dev-resources: TargetAccountIds: " in declined.out
    turn = boto3.client("lambda").get_function_configuration(FunctionName="unlatch-dev-turn")
    assert turn["Environment"]["Variables"]["EXPIRY_HOURS"] == "12", "nothing was done"
    sets = boto3.client("cloudformation").list_change_sets(StackName="unlatch-dev-resources")
    assert [s for s in sets["Summaries"] if s["ExecutionStatus"] == "AVAILABLE"] == []


def test_without_anybody_to_ask_nothing_is_deployed(office: Office) -> None:
    said = office.run("deploy", "--parameter", "MinWindowDays=14")
    assert said.code == 6
    assert "--yes" in said.err
    assert "unlatch-dev-account: MinWindowDays: 7 → 14" in said.out
    assert "Nobody hears the alarms yet" in said.out


def test_ids_that_cannot_be_are_told_before_anything_happens(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNLATCH_SLACK_API_URL")
    monkeypatch.delenv("UNLATCH_SLACK_CHANNEL")
    file = tmp_path / "wrong.env"
    file.write_text(
        "slack_channel=#unlatch\naccounts=44445555666\nregions=Ireland\n"
        "people=arn:aws:iam::111122223333:user/ann=ann\nstep_up_roles=Approver\n"
    )
    topic = f"AlarmTopicArn=arn:aws:sns:eu-west-1:{HUB}:alarms"
    parameters = ("--parameter", topic, "--parameter", "MinWindowDays=3")
    said = office.run("deploy", "--yes", "--settings", str(file), *parameters)
    assert said.code == 3
    for words in ("SLACK_CHANNEL: #unlatch is not right", "ACCOUNTS: 44445555666 is not", "REGIONS: Ir",
                  "PEOPLE: arn:aws:iam::111122223333:user/ann=ann", "STEP_UP_ROLES: Approver is",
                  "APPROVERS: alice is not right", "alarms of us-east-1 reach topics of us-east-1",
                  "MinWindowDays=3 is not right"):  # fmt: skip
        assert words in said.err


def test_destroy_wants_the_stages_name(office: Office) -> None:
    for words, typed in (((), None), ((), "yes"), (("--yes-destroy", "prod"), None)):
        assert office.run("destroy", *words, typing=typed).code == 6
    assert functions() == FUNCTIONS


def test_destroy_keeps_the_data_and_a_later_deploy_goes_on_with_it(office: Office) -> None:
    boto3.resource("dynamodb").Table("unlatch-dev").put_item(Item={"pk": "a", "sk": "b"})
    said = office.run("destroy", typing="dev")
    assert said.code == 0, said.err
    assert "all evidence" not in said.out
    for words in ("444455556666", "delete-log-group", "api.slack.com/apps", "destroy --also-data"):
        assert words in said.out.split("What remains")[1]
    assert functions() == set()
    assert apis() == []
    assert boto3.client("events").list_rules(NamePrefix="unlatch-dev")["Rules"] == []
    roles = {role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]}
    assert roles == {"unlatch-dev-case"}
    assert office.run("destroy", "--yes-destroy", "dev").code == 0, (
        "nothing left to take down is fine"
    )
    again = office.run("deploy", "--yes")
    assert again.code == 0
    assert "The URLs have CHANGED" in again.out
    table = boto3.resource("dynamodb").Table("unlatch-dev")
    assert "Item" in table.get_item(Key={"pk": "a", "sk": "b"})


def test_destroy_also_data_leaves_nothing(office: Office) -> None:
    seal_keys = [
        boto3.client("kms").describe_key(KeyId=f"alias/unlatch-dev-{name}")["KeyMetadata"]["KeyId"]
        for name in ("inbox", "body")
    ]
    said = office.run("destroy", "--yes-destroy", "dev", "--also-data")
    assert said.code == 0, said.err
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []
    assert boto3.client("sqs").list_queues().get("QueueUrls", []) == []
    states = {
        boto3.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in seal_keys
    }
    assert states == {"PendingDeletion"}
    assert "the table with 0 cases, and so all evidence of who approved what" in said.out
    for words in (
        "the table: gone",
        "secret slack-bot-token: gone",
        "body seal key: will be deleted",
    ):
        assert words in said.out
    again = office.run("destroy", "--yes-destroy", "dev", "--also-data")
    assert again.code == 5, "SQS may go on naming the queue for a minute; moto does not"
    assert again.err.startswith("Unlatch is not deployed as stage dev")


def test_without_credentials_it_says_how_to_log_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    said = office.run("deploy", "--yes")
    assert said.code == 4
    assert "aws sso login" in said.err

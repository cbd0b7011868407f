"""The artefact of a pipeline: the code, and one template that has all that `unlatch deploy` would make."""

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.__main__ import main
from ops.command_context import PROJECT, CommandContext
from ops.console import Console
from ops.deployment.finish import ALL_EVENTS
from ops.hub import EVENT_FUNCTIONS, FUNCTIONS
from tests.infra.linter import findings
from tests.ops.office import START, copy_of_project

pytestmark = pytest.mark.slow  # it packages twice
SETTINGS = """slack_channel=C0UNLATCH
slack_team_ids=T0UNLATCH
approvers=U1,U2,U3
accounts=444455556666
error_codes=CloudHsmInvalidRequestException
"""


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("one"))


def packaged(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir()
    copy_of_project(project)
    (folder / "prod.env").write_text(SETTINGS)
    out, err = io.StringIO(), io.StringIO()
    context = CommandContext(Console(out, err), lambda: START, project=project)
    words = ["package", "--stage", "prod", "--settings", str(folder / "prod.env")]
    topic = "AlarmTopicArn=arn:aws:sns:us-east-1:111122223333:alarms"
    words += ["--out", str(folder / "out"), "--parameter", topic]
    assert main(words, context) == 0, err.getvalue()
    assert "aws cloudformation deploy" in out.getvalue()
    return folder / "out"


@pytest.fixture(scope="module")
def template(artefact: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((artefact / "template.json").read_text())
    return found


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def test_cfn_lint_takes_it(artefact: Path) -> None:
    assert findings((artefact / "template.json").read_text()) == []


def test_it_needs_no_parameter(template: dict[str, Any]) -> None:
    assert [n for n, p in template["Parameters"].items() if "Default" not in p] == []
    assert template["Parameters"]["TargetAccountIds"]["Default"] == "444455556666"
    assert template["Parameters"]["AlarmTopicArn"]["Default"].endswith(":alarms")
    assert template["Parameters"]["Stage"]["AllowedValues"] == ["prod"]


def test_names_are_those_that_policies_and_templates_rely_on(template: dict[str, Any]) -> None:
    serverless = "AWS::Serverless::Function"
    made = [r["Properties"] for r in template["Resources"].values() if r["Type"] == serverless]
    names = {"unlatch-prod", *(f"unlatch-prod-{short}" for short in FUNCTIONS)}
    assert {each["FunctionName"] for each in made} == names
    for role, name in (("TurnRole", "turn"), ("ApiHandlerRole", "api_handler")):
        assert properties(template, role)["RoleName"] == f"unlatch-prod-{name}"
    environment = properties(template, "Turn")["Environment"]["Variables"]
    assert environment["APPROVERS"] == "U1,U2,U3"
    assert environment["INBOX_KEY_ID"] == {"Fn::GetAtt": ["SealKey", "Arn"]}
    assert environment["BODY_KEY_ID"] == {"Fn::GetAtt": ["BodyKey", "Arn"]}


def test_it_has_what_chalice_leaves_out(template: dict[str, Any]) -> None:
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    for function in EVENT_FUNCTIONS:
        logical = "".join(word.capitalize() for word in function.split("_"))
        about = properties(template, logical)
        assert about["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"] == queue
        (event,) = about["Events"].values()
        assert event["Properties"]["DeadLetterConfig"] == {"Arn": queue}
        rule = event["Properties"].get("RuleName") or event["Properties"]["Name"]
        assert rule == f"unlatch-prod-{function}-event"
    (used,) = properties(template, "OnKeyUsed")["Events"].values()
    assert used["Properties"]["State"] == ALL_EVENTS
    (blocked,) = properties(template, "OnDeleteBlocked")["Events"].values()
    codes = blocked["Properties"]["Pattern"]["detail"]["errorCode"]
    assert codes == ["CloudHsmInvalidRequestException"]
    assert "HubAccountId" not in json.dumps(template)


def test_the_prober_is_made_for_a_named_operator_alone(template: dict[str, Any]) -> None:
    assert template["Resources"]["Prober"]["Condition"] == "HasOperator"
    assert "Condition" not in template["Resources"]["Reader"]


def test_its_record_names_the_code_that_is_in_it(artefact: Path, template: dict[str, Any]) -> None:
    digest = hashlib.sha256((artefact / "deployment.zip").read_bytes()).hexdigest()
    assert (artefact / "SHA256SUMS").read_text() == f"{digest}  deployment.zip\n"
    bill = json.loads((artefact / "sbom.cdx.json").read_text())
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    text, names = properties(template, "DeploymentRecord")["Value"]["Fn::Sub"]
    noted = json.loads(text)
    assert bytes.fromhex(digest) == base64.b64decode(noted["code_sha256"])
    assert noted["settings"]["ERROR_CODES"] == "CloudHsmInvalidRequestException"
    assert names["Url"]["Fn::Sub"].endswith("/prod/")


def test_it_is_the_same_wherever_it_is_made(
    artefact: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = packaged(tmp_path_factory.mktemp("two"))
    for name in ("deployment.zip", "template.json", "sbom.cdx.json", "SHA256SUMS"):
        assert (again / name).read_bytes() == (artefact / name).read_bytes(), name


def test_the_pipelines_example_is_a_workflow_without_keys() -> None:
    text = (PROJECT / "docs/examples/deploy.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in text
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert any("unlatch package" in command for command in commands)

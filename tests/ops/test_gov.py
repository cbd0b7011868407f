"""A deployment in GovCloud: every ARN that is made or written carries that partition."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from sandbox.slack.records import CHANNEL, TEAM
from sandbox.stack import Sandbox
from tests.ops.office import HUB, PEOPLE, START, Office, copy_of_project, log_in

pytestmark = pytest.mark.slow  # it deploys the whole bot
GOV = "us-gov-west-1"
OLGA = f"arn:aws-us-gov:sts::{HUB}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/olga"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with (
        Sandbox(now=START, people=PEOPLE, regions=(GOV,)) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        project: Path = copy_of_project(tmp_path_factory.mktemp("project"))
        made = Office(project, sandbox.clock.now, patch)
        log_in(made, sandbox, arn=OLGA)
        made.env(
            AWS_REGION=GOV,
            UNLATCH_SLACK_CHANNEL=CHANNEL,
            UNLATCH_SLACK_TEAM_IDS=TEAM,
            UNLATCH_APPROVERS="alice,bob,carl",
            UNLATCH_SLACK_API_URL=sandbox.slack.url,
            UNLATCH_ACCOUNTS="444455556666",
        )
        yield made


def test_it_deploys_there(office: Office) -> None:
    said = office.run("deploy", "--yes")
    assert said.code == 0, said.err + said.out
    assert not re.findall(r"arn:aws:\S+", said.out), "all that it says is of that partition"
    assert f"HubBusArn=arn:aws-us-gov:events:{GOV}:{HUB}:event-bus/default" in said.out


@pytest.mark.usefixtures("office")
def test_the_state_machine_calls_lambda_there() -> None:
    name = "unlatch-dev-case"
    arn = f"arn:aws-us-gov:states:{GOV}:{HUB}:stateMachine:{name}"
    machine = boto3.client("stepfunctions", region_name=GOV)
    (found,) = machine.list_state_machines()["stateMachines"]
    definition = machine.describe_state_machine(stateMachineArn=found["stateMachineArn"])[
        "definition"
    ]
    resources = {
        s["Resource"] for s in json.loads(definition)["States"].values() if "Resource" in s
    }
    assert resources == {
        "arn:aws-us-gov:states:::lambda:invoke",
        "arn:aws-us-gov:states:::lambda:invoke.waitForTaskToken",
    }
    assert found["stateMachineArn"] == arn


@pytest.mark.usefixtures("office")
def test_roles_trust_callers_of_that_partition() -> None:
    role = boto3.client("iam", region_name=GOV).get_role(RoleName="unlatch-executor")["Role"]
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    assert f"arn:aws-us-gov:iam::{HUB}:role/unlatch-dev-turn" in trust
    assert "arn:aws:" not in trust

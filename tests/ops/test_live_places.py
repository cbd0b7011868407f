"""`unlatch doctor --live` where other accounts and Regions are served: each has its own call and forwarder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.cloudtrail import PROBE_CLUSTER
from chalicelib.config import PROBER_ROLE
from ops.deploy import SECRETS
from sandbox.aws.callers import client
from sandbox.aws.identity import Credentials
from sandbox.slack.records import BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM
from sandbox.stack import Sandbox
from tests.ops.conftest import make_trail
from tests.ops.office import (
    APPROVERS,
    HUB,
    OPERATOR,
    OPERATORS,
    PEOPLE,
    REGION,
    START,
    Office,
    copy_of_project,
    log_in,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it deploys the whole bot

OTHER, AWAY = "222233334444", "eu-west-1"
VALUES = {"slack-signing-secret": SIGNING_SECRET, "slack-bot-token": BOT_TOKEN}
PLACES = [(HUB, REGION), (HUB, AWAY), (OTHER, REGION), (OTHER, AWAY)]
RULE = "unlatch-dev-live-probes"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=START, people=PEOPLE, accounts=(HUB, OTHER), regions=(REGION, AWAY)) as made:
        yield made


@pytest.fixture(scope="module")
def office(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The bot, which serves two accounts in two Regions; a trail in the hub's account."""
    with pytest.MonkeyPatch.context() as patch:
        project = copy_of_project(tmp_path_factory.mktemp("project"))
        made = Office(project, sandbox.clock.now, patch)
        log_in(made, sandbox)
        made.env(
            UNLATCH_SLACK_CHANNEL=CHANNEL,
            UNLATCH_SLACK_TEAM_IDS=TEAM,
            UNLATCH_APPROVERS=",".join(APPROVERS),
            UNLATCH_SLACK_API_URL=sandbox.slack.url,
            UNLATCH_ACCOUNTS=OTHER,
            UNLATCH_REGIONS=AWAY,
        )
        said = made.run("deploy", "--yes", "--parameter", f"OperatorArn={OPERATORS}")
        assert said.code == 0, said.err
        for line in said.out.splitlines():
            if f"for {OTHER} alone: " in line:
                deploy_account(sandbox, project, shlex.split(line.split("alone: ")[1]))
        secrets = sandbox.client("secretsmanager", account=HUB, region=REGION)
        for name in SECRETS:
            secrets.put_secret_value(SecretId=f"unlatch/dev/{name}", SecretString=VALUES[name])
        make_trail(sandbox)
        sandbox.slack.interactions_url = sandbox._gateway.url_of("/slack/interactions", stage="dev")
        made.pause = lambda seconds: sandbox.advance(timedelta(seconds=seconds))
        yield made


def deploy_account(sandbox: Sandbox, project: Path, words: list[str]) -> None:
    """As the command says that `unlatch deploy` printed."""
    said = dict(pairwise(words))
    given = dict(w.split("=", 1) for w in words[words.index("--parameter-overrides") + 1 :])
    sandbox.client("cloudformation", account=OTHER, region=said["--region"]).create_stack(
        StackName=said["--stack-name"],
        TemplateBody=(project / said["--template-file"]).read_text(),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )


def test_an_event_comes_from_each_place_through_its_own_forwarder(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = len(sandbox.aws.calls)
    said = office.run("doctor", "--live", "--json", "--report", str(tmp_path))
    told = {one["name"]: one for one in said.json["checks"]}
    wanted = ("event", f"event {AWAY}", f"event {OTHER} {REGION}", f"event {OTHER} {AWAY}")
    for name in wanted:
        assert name in told, [(n, told[n]["says"]) for n in told if told[n]["ok"] is not True]
        assert told[name]["ok"], told[name]
    made = [c for c in sandbox.aws.calls[before:] if c.operation == "DeleteCluster"]
    assert sorted((c.account, c.region) for c in made) == sorted(PLACES)
    (path,) = tmp_path.glob("*.json")
    took = [one["what"] for one in json.loads(path.read_text())["durations"]]
    assert "an event, from the call to the bot" in took
    assert f"an event from account-2 {AWAY}, from the call to the bot" in took


def test_a_place_whose_rule_is_gone_is_named_and_no_other(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    events = sandbox.client("events", account=OTHER, region=AWAY)
    events.disable_rule(Name=RULE)
    try:
        said = office.run("doctor", "--live", "--report", str(tmp_path))
    finally:
        events.enable_rule(Name=RULE)
    wrong = [line for line in said.out.splitlines() if line.startswith("WRONG") and "event" in line]
    assert len(wrong) == 1
    assert f"event {OTHER} {AWAY}" in wrong[0]
    assert "CloudTrail there has the record" in wrong[0]
    assert "held    A-EVENT-IN-15-MINUTES" in said.out, "the hub’s own event came"


def taken(sandbox: Sandbox, who: str) -> Credentials:
    """A session of the prober role in the other account."""
    issued = sandbox.aws.identity.register(HUB, who)
    sts: Any = client(sandbox.aws_url, "sts", issued, region=REGION)
    reply = sts.assume_role(
        RoleArn=f"arn:aws:iam::{OTHER}:role/{PROBER_ROLE}", RoleSessionName="olga"
    )["Credentials"]
    return Credentials(reply["AccessKeyId"], reply["SecretAccessKey"], reply["SessionToken"])


def code(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**given)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.usefixtures("office")
def test_the_role_may_make_this_one_call_and_nothing_else(sandbox: Sandbox) -> None:
    given = taken(sandbox, OPERATOR)
    hsms: Any = client(sandbox.aws_url, "cloudhsmv2", given, region=REGION)
    assert code(hsms.delete_cluster, ClusterId=PROBE_CLUSTER) == "CloudHsmResourceNotFoundException"
    assert "AccessDenied" in code(hsms.delete_cluster, ClusterId="cluster-2a3b4c5d6e7")
    assert "AccessDenied" in code(hsms.describe_clusters)
    kms: Any = client(sandbox.aws_url, "kms", given, region=REGION)
    assert "AccessDenied" in code(kms.list_keys)
    west: Any = client(sandbox.aws_url, "cloudhsmv2", given, region="us-west-2")
    assert "AccessDenied" in code(west.delete_cluster, ClusterId=PROBE_CLUSTER)


@pytest.mark.usefixtures("office")
def test_nobody_but_the_operator_may_take_the_role(sandbox: Sandbox) -> None:
    for who in (
        f"arn:aws:sts::{HUB}:assumed-role/developers/dan",
        f"arn:aws:sts::{HUB}:assumed-role/unlatch-dev-turn/unlatch-dev-turn",
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            taken(sandbox, who)


def test_who_may_not_take_the_role_is_told_what_makes_it(
    office: Office, sandbox: Sandbox, tmp_path: Path
) -> None:
    log_in(office, sandbox, arn=f"arn:aws:sts::{HUB}:assumed-role/developers/dan")
    try:
        said = office.run("doctor", "--live", "--report", str(tmp_path), "--json")
    finally:
        log_in(office, sandbox)
    told = {one["name"]: one for one in said.json["checks"]}[f"event {OTHER} {REGION}"]
    assert told["ok"] is None
    assert "OperatorArn" in told["do"]

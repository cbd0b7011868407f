"""A bot that serves two accounts in two Regions, as `unlatch deploy` and the commands that it prints make it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ops.deploy import SECRETS
from sandbox.slack.records import BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM
from sandbox.stack import Sandbox
from tests.ops.conftest import make_trail
from tests.ops.office import (
    APPROVERS,
    HUB,
    OPERATORS,
    PEOPLE,
    REGION,
    START,
    Office,
    copy_of_project,
    log_in,
)

OTHER, AWAY = "222233334444", "eu-west-1"
VALUES = {"slack-signing-secret": SIGNING_SECRET, "slack-bot-token": BOT_TOKEN}
PLACES = [(HUB, REGION), (HUB, AWAY), (OTHER, REGION), (OTHER, AWAY)]


@contextmanager
def wide_office(folder: Path) -> Iterator[tuple[Sandbox, Office]]:
    """The sandbox’s time passes in the operator’s pauses."""
    with (
        Sandbox(now=START, people=PEOPLE, accounts=(HUB, OTHER), regions=(REGION, AWAY)) as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        office = Office(copy_of_project(folder), sandbox.clock.now, patch)
        log_in(office, sandbox)
        office.env(
            UNLATCH_SLACK_CHANNEL=CHANNEL,
            UNLATCH_SLACK_TEAM_IDS=TEAM,
            UNLATCH_APPROVERS=",".join(APPROVERS),
            UNLATCH_SLACK_API_URL=sandbox.slack.url,
            UNLATCH_DRY_RUN="false",
            UNLATCH_ACCOUNTS=OTHER,
            UNLATCH_REGIONS=AWAY,
        )
        said = office.run("deploy", "--yes", "--parameter", f"OperatorArn={OPERATORS}")
        assert said.code == 0, said.err
        for line in said.out.splitlines():
            if f"for {OTHER} alone: " in line:
                deploy_account(sandbox, folder, shlex.split(line.split("alone: ")[1]))
        secrets = sandbox.client("secretsmanager", account=HUB, region=REGION)
        for name in SECRETS:
            secrets.put_secret_value(SecretId=f"unlatch/dev/{name}", SecretString=VALUES[name])
        make_trail(sandbox)
        sandbox.slack.interactions_url = sandbox._gateway.url_of("/slack/interactions", stage="dev")
        sandbox.delivery.start_schedules()
        office.pause = lambda seconds: sandbox.advance(timedelta(seconds=seconds))
        yield sandbox, office


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

"""A pipeline’s artefact on the sandbox: the doctor finds it well, and the bot does its work."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.cloudformation import parsing

from ops.__main__ import main
from ops.command_context import CommandContext
from ops.console import Console
from ops.deployment.remains import SECRETS
from sandbox.aws.patches import Patches
from sandbox.aws.seed import seed
from sandbox.slack.records import CHANNEL, TEAM
from sandbox.stack import Sandbox
from tests.ops.conftest import VALUES, WORLD, make_trail
from tests.ops.office import (
    CLUSTER,
    HUB,
    PEOPLE,
    REGION,
    START,
    Office,
    copy_of_project,
    log_in,
)
from tests.ops.sam import Artefact

pytestmark = pytest.mark.slow  # it packages and deploys the whole bot


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Office]]:
    folder = tmp_path_factory.mktemp("pipeline")
    with (
        Sandbox(now=START, people=PEOPLE) as sandbox,
        pytest.MonkeyPatch.context() as patch,
        closing(Patches()) as seams,
    ):
        quiet = SimpleNamespace(
            **dict.fromkeys(("warn", "warning", "debug"), lambda *_, **__: None)
        )
        seams.replace(parsing, "warnings", quiet)
        seams.replace(parsing, "logger", quiet)
        (folder / "project").mkdir()
        office = Office(copy_of_project(folder / "project"), sandbox.clock.now, patch)
        log_in(office, sandbox)
        boto3.setup_default_session(region_name=REGION)
        settings = folder / "prod.env"
        settings.write_text(
            f"slack_channel={CHANNEL}\nslack_team_ids={TEAM}\napprovers=alice,bob,carl\n"
            f"slack_api_url={sandbox.slack.url}\n"
        )
        out = packaged(office.project, settings, folder / "out")
        Artefact(out, region=REGION, account=HUB).deploy("unlatch-prod")
        secrets = boto3.client("secretsmanager")
        for name in SECRETS:
            secrets.put_secret_value(SecretId=f"unlatch/prod/{name}", SecretString=VALUES[name])
        make_trail(sandbox)
        seed(sandbox.aws, WORLD, accounts=(HUB,), now=START)
        gateway = sandbox._gateway
        sandbox.slack.interactions_url = gateway.url_of("/slack/interactions", stage="prod")
        sandbox.delivery.start_schedules()
        yield sandbox, office


def packaged(project: Path, settings: Path, out: Path) -> Path:
    said = io.StringIO()
    context = CommandContext(Console(said, said), lambda: START, project=project)
    words = ["package", "--stage", "prod", "--settings", str(settings), "--out", str(out)]
    assert main(words, context) == 0, said.getvalue()
    return out


def test_the_doctor_finds_it_well(deployed: tuple[Sandbox, Office]) -> None:
    _, office = deployed
    said = office.run("doctor", "--stage", "prod")
    assert said.code == 0, said.out
    assert "the functions run 0.1.0, deployed from template.json by a pipeline" in said.out


def test_it_hears_asks_and_acts(deployed: tuple[Sandbox, Office]) -> None:
    sandbox, office = deployed
    hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=CLUSTER)
    sandbox.settle()
    (case,) = office.run("cases", "--stage", "prod", "--json").json
    assert case["cluster_id"] == CLUSTER
    sandbox.slack.click("alice", button="park")
    sandbox.settle()
    sandbox.slack.submit("alice", {"cluster_id": CLUSTER, "reason": "too dear"})
    sandbox.settle()
    acted = [c.operation for c in sandbox.aws.calls if c.role.endswith("/unlatch-executor")]
    assert acted == ["DisconnectCustomKeyStore"]

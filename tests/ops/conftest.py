"""One deployed hub for all tests of a module, since a deployment takes seconds; and a bare one."""

from collections.abc import Iterator

import pytest

from ops.deploy import SECRETS
from sandbox.aws.seed import seed
from sandbox.slack.records import BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM
from sandbox.stack import Sandbox
from tests.ops.office import (
    APPROVERS,
    CLUSTER,
    HUB,
    OPERATORS,
    PEOPLE,
    REGION,
    START,
    STORE,
    Office,
    copy_of_project,
    log_in,
)

WORLD = {
    "clusters": [{"id": CLUSTER, "hsms": 2, "backups": [{"age": "2h"}]}],
    "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER, "state": "CONNECTED"}],
    "keys": [{"store": STORE, "aliases": ["alias/payments"], "last_used": "never"}],
    "other_keys": 3,
}
VALUES = {"slack-signing-secret": SIGNING_SECRET, "slack-bot-token": BOT_TOKEN}


@pytest.fixture(scope="module")
def module_patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=START, people=PEOPLE) as made:
        yield made


@pytest.fixture(scope="module")
def office(
    sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
    module_patch: pytest.MonkeyPatch,
) -> Office:
    """An operator who is logged in; nothing is deployed yet."""
    project = copy_of_project(tmp_path_factory.mktemp("project"))
    made = Office(project, sandbox.clock.now, module_patch)
    log_in(made, sandbox)
    made.env(
        UNLATCH_SLACK_CHANNEL=CHANNEL,
        UNLATCH_SLACK_TEAM_IDS=TEAM,
        UNLATCH_APPROVERS=",".join(APPROVERS),
        UNLATCH_SLACK_API_URL=sandbox.slack.url,
        UNLATCH_DRY_RUN="false",
    )
    return made


@pytest.fixture(scope="module")
def deployed(sandbox: Sandbox, office: Office) -> Office:
    """The bot, brought in by `unlatch deploy`, with its secrets, its world and a trail."""
    seed(sandbox.aws, WORLD, accounts=sandbox.accounts, now=START)
    assert office.run("deploy", "--yes", "--parameter", f"OperatorArn={OPERATORS}").code == 0
    secrets = sandbox.client("secretsmanager", account=HUB, region=REGION)
    for name in SECRETS:
        secrets.put_secret_value(SecretId=f"unlatch/dev/{name}", SecretString=VALUES[name])
    make_trail(sandbox)
    sandbox.slack.interactions_url = sandbox._gateway.url_of("/slack/interactions", stage="dev")
    sandbox.delivery.start_schedules()
    return office


def make_trail(sandbox: Sandbox) -> None:
    sandbox.client("s3", account=HUB, region=REGION).create_bucket(Bucket="trail")
    trails = sandbox.client("cloudtrail", account=HUB, region=REGION)
    trails.create_trail(Name="all", S3BucketName="trail", IsMultiRegionTrail=True)
    everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
    trails.put_event_selectors(TrailName="all", EventSelectors=[everything])
    trails.start_logging(Name="all")

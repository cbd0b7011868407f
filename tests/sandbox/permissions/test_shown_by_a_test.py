"""The rights that people use in a way that a scenario has no words for."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.iam.guard import Right
from sandbox.permissions.reasons import BY_KEY, SLASH
from sandbox.scenario.load import load
from sandbox.scenario.theatre import open_stage

SCENARIO = Path(__file__).parents[3] / "sandbox/scenarios/empty-store.yaml"
pytestmark = pytest.mark.slow  # it deploys the whole bot
CLUSTER = "cluster-2a3b4c5d6e7"


def test_the_slash_command_lists_cases_and_folds_into_an_open_one() -> None:
    with open_stage(load(SCENARIO)) as (stage, _):
        hsms = stage.client("cloudhsmv2", account="111122223333", region="us-east-1", who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        stage.settle()
        assert CLUSTER in stage.slack.command("alice", "status").body
        assert "has an open case" in stage.slack.command("alice", CLUSTER).body
        stage.settle()
        used = {right for right, times in stage.guard.used.items() if times}
    for key in (key for key, why in BY_KEY.items() if why == SLASH):
        assert Right(f"unlatch-dev-{key.role}", key.statement, key.action) in used

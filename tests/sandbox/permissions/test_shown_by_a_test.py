"""The rights that people use in a way that a scenario has no words for."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.iam.guard import Right
from sandbox.permissions.reasons import BY_KEY, SLASH
from sandbox.scenario.load import load
from sandbox.scenario.scenario_sandbox import open_sandbox

SCENARIO = Path(__file__).parents[3] / "sandbox/scenarios/empty-store.yaml"
pytestmark = pytest.mark.slow  # it deploys the whole bot
CLUSTER = "cluster-2a3b4c5d6e7"


def test_the_slash_command_lists_cases_and_folds_into_an_open_one() -> None:
    with open_sandbox(load(SCENARIO)) as (sandbox, _):
        hsms = sandbox.client("cloudhsmv2", account="111122223333", region="us-east-1", who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        sandbox.settle()
        assert CLUSTER in sandbox.slack.command("alice", "status").body
        assert "has an open case" in sandbox.slack.command("alice", CLUSTER).body
        sandbox.settle()
        used = {right for right, times in sandbox.guard.used.items() if times}
    for key in (key for key, why in BY_KEY.items() if why == SLASH):
        assert Right(f"unlatch-dev-{key.role}", key.statement, key.action) in used

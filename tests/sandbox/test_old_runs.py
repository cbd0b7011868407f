"""A run keeps the definition that it began with: one of an earlier deployment sleeps by its old name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.scenario.load import load
from sandbox.scenario.scenario_sandbox import open_sandbox

SCENARIO = Path(__file__).parents[2] / "sandbox" / "scenarios" / "parked.yaml"
CLUSTER, HUB, REGION = "cluster-2a3b4c5d6e7", "111122223333", "us-east-1"
MACHINE = f"arn:aws:states:{REGION}:{HUB}:stateMachine:unlatch-dev-case"
SLEEP, BEFORE = "unlatch-dev-sleep", "unlatch-dev-park"


@pytest.mark.slow
def test_a_run_of_an_earlier_deployment_goes_on_to_its_end() -> None:
    with open_sandbox(load(SCENARIO)) as (sandbox, _):
        runs = sandbox.client("stepfunctions", account=HUB, region=REGION)
        deployed = runs.describe_state_machine(stateMachineArn=MACHINE)["definition"]
        before = deployed.replace(SLEEP, BEFORE)
        assert before != deployed
        runs.update_state_machine(stateMachineArn=MACHINE, definition=before)
        hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION, who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        sandbox.settle()
        runs.update_state_machine(stateMachineArn=MACHINE, definition=deployed)

        sandbox.slack.click("alice", button="park")
        sandbox.settle()
        sandbox.slack.submit("alice", {"cluster_id": CLUSTER, "reason": "too dear"})
        sandbox.advance(timedelta(hours=1))

        kept = {c.role.rpartition("/")[2] for c in sandbox.aws.calls if c.operation == "UpdateItem"}
        assert BEFORE in kept
        assert SLEEP not in kept
        done = [c.operation for c in sandbox.aws.calls if c.role.endswith("/unlatch-executor")]
        assert done == ["DisconnectCustomKeyStore", "DeleteHsm", "DeleteHsm"]

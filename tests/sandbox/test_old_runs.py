"""A run keeps the definition that it began with: one of an earlier deployment sleeps by its old name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.scenario.load import load
from sandbox.scenario.theatre import open_stage

SCENARIO = Path(__file__).parents[2] / "sandbox" / "scenarios" / "parked.yaml"
CLUSTER, HUB, REGION = "cluster-2a3b4c5d6e7", "111122223333", "us-east-1"
MACHINE = f"arn:aws:states:{REGION}:{HUB}:stateMachine:unlatch-dev-case"
SLEEP, BEFORE = "unlatch-dev-sleep", "unlatch-dev-park"


@pytest.mark.slow
def test_a_run_of_an_earlier_deployment_goes_on_to_its_end() -> None:
    with open_stage(load(SCENARIO)) as (stage, _):
        runs = stage.client("stepfunctions", account=HUB, region=REGION)
        deployed = runs.describe_state_machine(stateMachineArn=MACHINE)["definition"]
        before = deployed.replace(SLEEP, BEFORE)
        assert before != deployed
        runs.update_state_machine(stateMachineArn=MACHINE, definition=before)
        hsms = stage.client("cloudhsmv2", account=HUB, region=REGION, who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        stage.settle()
        runs.update_state_machine(stateMachineArn=MACHINE, definition=deployed)

        stage.slack.click("alice", button="park")
        stage.settle()
        stage.slack.submit("alice", {"cluster_id": CLUSTER, "reason": "too dear"})
        stage.advance(timedelta(hours=1))

        kept = {c.role.rpartition("/")[2] for c in stage.aws.calls if c.operation == "UpdateItem"}
        assert BEFORE in kept
        assert SLEEP not in kept
        done = [c.operation for c in stage.aws.calls if c.role.endswith("/unlatch-executor")]
        assert done == ["DisconnectCustomKeyStore", "DeleteHsm", "DeleteHsm"]

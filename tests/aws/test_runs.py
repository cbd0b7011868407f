"""Runs of the state machine: each name starts once, stale tokens are no news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.runs import StepFunctionsRuns
from chalicelib.ports import GiveUp, TryLater

ARN = "arn:aws:states:us-east-1:111122223333:stateMachine:unlatch-dev-case"


@pytest.fixture
def sfn() -> Any:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client("stepfunctions", region_name="us-east-1", **keys)


@pytest.fixture
def stub(sfn: Any) -> Iterator[Stubber]:
    with Stubber(sfn) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_run_is_named_by_case_and_generation(sfn: Any, stub: Stubber) -> None:
    wanted = {
        "stateMachineArn": ARN,
        "name": "case-a-3",
        "input": '{"case_id": "case-a", "generation": 3}',
    }
    answer = {"executionArn": "arn:aws:states:us-east-1:111122223333:execution:x:case-a-3"}
    stub.add_response("start_execution", answer | {"startDate": "2026-03-02T09:00:00Z"}, wanted)
    StepFunctionsRuns(sfn, ARN).start("case-a", 3)


def test_a_taken_name_is_fine(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("start_execution", "ExecutionAlreadyExists")
    StepFunctionsRuns(sfn, ARN).start("case-a", 0)


@pytest.mark.parametrize("code", ["InvalidToken", "TaskTimedOut", "TaskDoesNotExist"])
def test_a_stale_token_wakes_nobody_and_is_fine(sfn: Any, stub: Stubber, code: str) -> None:
    stub.add_client_error("send_task_success", code)
    StepFunctionsRuns(sfn, ARN).wake("token")


def test_throttling_and_denial_are_told_apart(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("send_task_success", "ThrottlingException")
    stub.add_client_error("start_execution", "AccessDeniedException", http_status_code=400)
    runs = StepFunctionsRuns(sfn, ARN)
    with pytest.raises(TryLater):
        runs.wake("token")
    with pytest.raises(GiveUp, match="access denied"):
        runs.start("case-a", 0)


@pytest.mark.parametrize(("status", "alive"), [("RUNNING", True), ("FAILED", False)])
def test_only_a_running_run_is_alive(sfn: Any, stub: Stubber, status: str, alive: bool) -> None:
    execution = f"{ARN.replace(':stateMachine:', ':execution:')}:case-a-0"
    answer = {
        "executionArn": execution,
        "stateMachineArn": ARN,
        "status": status,
        "startDate": "2026-03-02T09:00:00Z",
    }
    stub.add_response("describe_execution", answer, {"executionArn": execution})
    assert StepFunctionsRuns(sfn, ARN).is_alive("case-a", 0) is alive


def test_a_run_that_never_was_is_not_alive(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert not StepFunctionsRuns(sfn, ARN).is_alive("case-a", 0)

"""Runs of the state machine: each name starts once, stale tokens are no news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.runs import StepFunctionsRuns
from chalicelib.domain.rules.trust import UNSEALED
from chalicelib.failures import PermanentError, TemporaryError

ARN = "arn:aws:states:us-east-1:111122223333:stateMachine:unlatch-dev-case"


@pytest.fixture
def sfn() -> Any:
    keys: Any = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
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
        "input": '{"case_id": "case-a", "generation": 3, "turn": {"body": "abc"}}',
    }
    answer = {"executionArn": "arn:aws:states:us-east-1:111122223333:execution:x:case-a-3"}
    stub.add_response("start_execution", answer | {"startDate": "2026-03-02T09:00:00Z"}, wanted)
    assert StepFunctionsRuns(sfn, ARN).start("case-a", 3, body="abc")


def test_a_taken_name_is_fine(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("start_execution", "ExecutionAlreadyExists")
    assert not StepFunctionsRuns(sfn, ARN).start("case-a", 0)


@pytest.mark.parametrize("code", ["InvalidToken", "TaskTimedOut", "TaskDoesNotExist"])
def test_a_stale_token_wakes_nobody_and_is_fine(sfn: Any, stub: Stubber, code: str) -> None:
    stub.add_client_error("send_task_success", code)
    StepFunctionsRuns(sfn, ARN).wake("token")


def test_throttling_and_denial_are_told_apart(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("send_task_success", "ThrottlingException")
    stub.add_client_error("start_execution", "AccessDeniedException", http_status_code=400)
    runs = StepFunctionsRuns(sfn, ARN)
    with pytest.raises(TemporaryError):
        runs.wake("token")
    with pytest.raises(PermanentError, match="access denied"):
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


EXECUTION = f"{ARN.replace(':stateMachine:', ':execution:')}:case-a-0"


def described(status: str, **more: str) -> dict[str, Any]:
    given = {"input": '{"case_id": "case-a", "generation": 0, "turn": {"body": "given"}}'}
    return {
        "executionArn": EXECUTION,
        "stateMachineArn": ARN,
        "startDate": "2026-03-02T09:00:00Z",
        "status": status,
        **given,
        **more,
    }


def exited(number: int, name: str, body: str) -> dict[str, Any]:
    output = f'{{"case_id": "case-a", "turn": {{"finished": false, "body": "{body}"}}}}'
    return {
        "id": number,
        "timestamp": "2026-03-02T09:00:00Z",
        "type": "TaskStateExited",
        "stateExitedEventDetails": {"name": name, "output": output},
    }


def entered(number: int) -> dict[str, Any]:
    return {"id": number, "timestamp": "2026-03-02T09:00:00Z", "type": "TaskStateEntered"}


OUTPUT = '{"case_id": "case-a", "turn": {"finished": true, "body": "last"}}'
REMEMBERED = [
    ("its output", described("SUCCEEDED", output=OUTPUT), None, "last"),
    ("its newest turn", described("FAILED"), [entered(9), exited(8, "Park", "x"), exited(5, "Turn", "newest"), exited(2, "Turn", "older")], "newest"),
    ("that of one at work", described("RUNNING"), [entered(9), exited(8, "Turn", "newest")], "newest"),
    ("what it was given", described("ABORTED"), [entered(1)], "given"),
    ("of the version that had none", described("TIMED_OUT", input='{"case_id": "case-a", "generation": 0}'), [entered(1)], UNSEALED),
    ("of that version, over", described("SUCCEEDED", output='{"case_id": "case-a", "turn": {"finished": true}}'), None, UNSEALED),
]  # fmt: skip


@pytest.mark.parametrize(("what", "run", "events", "digest"), REMEMBERED, ids=[r[0] for r in REMEMBERED])  # fmt: skip
def test_what_a_run_remembers(
    sfn: Any, stub: Stubber, *, what: str, run: dict[str, Any], events: Any, digest: str
) -> None:
    stub.add_response("describe_execution", run, {"executionArn": EXECUTION})
    if events is not None:
        asked = {"executionArn": EXECUTION, "reverseOrder": True}
        stub.add_response("get_execution_history", {"events": events}, asked)
    assert StepFunctionsRuns(sfn, ARN).remembered("case-a", 0) == digest, what


def test_a_run_that_is_not_there_remembers_nothing(sfn: Any, stub: Stubber) -> None:
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert StepFunctionsRuns(sfn, ARN).remembered("case-a", 0) is None


def test_a_refused_history_is_named(sfn: Any, stub: Stubber) -> None:
    stub.add_response("describe_execution", described("FAILED"), {"executionArn": EXECUTION})
    stub.add_client_error("get_execution_history", "AccessDeniedException", http_status_code=400)
    with pytest.raises(PermanentError, match="states:GetExecutionHistory: access denied"):
        StepFunctionsRuns(sfn, ARN).remembered("case-a", 0)

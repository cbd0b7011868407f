"""The state machine file: its four states, and its loop run by moto's interpreter."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple import models as lambda_simple

FILE = Path(__file__).parents[2] / "infra" / "case.asl.json"
TEXT = FILE.read_text()
STATES: dict[str, Any] = json.loads(TEXT)["States"]
CLOUDFORMATION_PARAMETER_LIMIT = 4096
CASE = {"case_id": "case-1", "generation": 1, "turn": {"body": "first"}}


class FunctionError(Exception):
    """The function raised; its run sees a Lambda error."""


class CaseFunctions:
    """Stands for `turn` and `sleep`: answers turns from a list and keeps what it was asked."""

    def __init__(self, turns: list[dict[str, Any] | Exception]) -> None:
        self.turns = turns
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sleep_failures: list[Exception] = []
        self.changed = threading.Condition()

    def invoke(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            self.calls.append((name, payload))
            self.changed.notify_all()
        if name == "unlatch-dev-sleep":
            if self.sleep_failures:
                raise self.sleep_failures.pop(0)
            return {}
        answer = self.turns.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_for(self, name: str, times: int) -> list[dict[str, Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(name)) >= times, timeout=20), (
                f"{name} was called {len(self.of(name))} times, not {times}"
            )
            return self.of(name)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [payload for called, payload in self.calls if called == name]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Starts a run whose functions are the given ones; returns its ARN."""
    with mock_aws(
        config={"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}
    ):

        def _start(functions: CaseFunctions, text: str = TEXT) -> str:
            monkeypatch.setattr(
                lambda_simple.lambda_simple_backends, "backend", _backend_for(functions)
            )
            lambda_simple.lambda_simple_backends.clear()
            machine = _client("stepfunctions").create_state_machine(
                name="unlatch-dev-case",
                definition=text.replace("${Stage}", "dev").replace("${Partition}", "aws"),
                roleArn="arn:aws:iam::123456789012:role/unlatch-dev-case",
            )["stateMachineArn"]
            for name in ("unlatch-dev-turn", "unlatch-dev-sleep"):
                _client("lambda").create_function(
                    FunctionName=name,
                    Runtime="python3.13",
                    Role=_role_arn(),
                    Handler="app.handler",
                    Code={"ZipFile": b"never run"},
                )
            run: str = _client("stepfunctions").start_execution(
                stateMachineArn=machine, name="case-1-1", input=json.dumps(CASE)
            )["executionArn"]
            return run

        yield _start
    lambda_simple.lambda_simple_backends.clear()


def _backend_for(functions: CaseFunctions) -> type[lambda_simple.LambdaSimpleBackend]:
    class Backend(lambda_simple.LambdaSimpleBackend):
        def invoke(
            self, function_name: str, qualifier: Any, body: Any, headers: Any, response_headers: Any
        ) -> bytes:
            try:
                answer = functions.invoke(function_name, json.loads(body))
            except FunctionError as failure:
                response_headers["x-amz-function-error"] = "Unhandled"
                answer = {"errorType": "FunctionError", "errorMessage": str(failure)}
            return json.dumps(answer).encode()

    return Backend


def _client(service: Any) -> Any:
    return boto3.client(service, region_name="us-east-1")


def _role_arn() -> str:
    iam = _client("iam")
    if not iam.list_roles()["Roles"]:
        iam.create_role(RoleName="functions", AssumeRolePolicyDocument="{}")
    arn: str = iam.list_roles()["Roles"][0]["Arn"]
    return arn


def _ended(run: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    pause = threading.Event()
    while True:
        execution: dict[str, Any] = _client("stepfunctions").describe_execution(executionArn=run)
        if execution["status"] != "RUNNING":
            return execution
        assert time.monotonic() < deadline, "the run did not end"
        pause.wait(0.05)


def _turn(
    *, finished: bool = False, wait_seconds: int = 600, version: int = 1, body: str = "b"
) -> dict[str, Any]:
    return {
        "finished": finished,
        "wait_seconds": wait_seconds,
        "version": version,
        "body": body,
        "more": "x",
    }


def _asked(body: str, attempt: int = 0) -> dict[str, Any]:
    return {"case_id": "case-1", "generation": 1, "body": body, "attempt": attempt}


def _without_state(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "turn"} for one in asked]


def test_there_are_the_four_states_and_no_more() -> None:
    assert list(STATES) == ["Turn", "Finished?", "Sleep", "Done"]
    assert STATES["Turn"]["Next"] == "Finished?"
    assert STATES["Finished?"]["Default"] == "Sleep"
    assert STATES["Sleep"]["Next"] == "Turn"


def test_a_caller_can_pass_the_text_as_a_parameter_and_fill_in_nothing() -> None:
    assert len(TEXT.encode()) <= CLOUDFORMATION_PARAMETER_LIMIT
    assert set(re.findall(r"\$\{.*?\}", TEXT)) == {"${Stage}", "${Partition}"}


def test_a_turn_outlasts_minutes_of_trouble() -> None:
    (retry,) = STATES["Turn"]["Retry"]
    delays = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert delays[:3] == [1, 2, 4], "a hiccup costs seconds"
    assert sum(delays) >= 8 * 60, "an outage of minutes does not end the run"


def test_a_deadline_of_a_sleep_is_no_error_to_retry() -> None:
    errors = [name for retry in STATES["Sleep"]["Retry"] for name in retry["ErrorEquals"]]
    assert errors == ["States.TaskFailed"], "States.ALL would sleep again at the deadline"


@pytest.mark.slow
def test_the_deadline_and_a_decision_both_bring_the_next_turn(
    start: Callable[..., str],
) -> None:
    functions = CaseFunctions(
        [
            _turn(wait_seconds=1, version=7, body="second"),
            _turn(version=8, body="third"),
            _turn(finished=True, body="last"),
        ]
    )
    run = start(functions)
    at_deadline, until_woken = functions.wait_for("unlatch-dev-sleep", 2)
    _client("stepfunctions").send_task_success(taskToken=until_woken["token"], output="{}")

    ended = _ended(run)
    assert ended["status"] == "SUCCEEDED"
    turns = functions.of("unlatch-dev-turn")
    assert _without_state(turns) == [_asked(b) for b in ("first", "second", "third")]
    assert turns[0]["turn"] == {"body": "first"}, "as the run was started: also who is trusted"
    assert json.loads(ended["output"])["turn"]["body"] == "last", "whoever asks the run is told"
    assert {**at_deadline, "token": ""} == {"case_id": "case-1", "version": 7, "token": ""}
    assert {**until_woken, "token": ""} == {"case_id": "case-1", "version": 8, "token": ""}
    assert at_deadline["token"] != until_woken["token"]


@pytest.mark.slow
def test_a_failing_turn_and_a_failing_sleep_are_called_again(
    start: Callable[..., str],
) -> None:
    functions = CaseFunctions([FunctionError("throttled"), _turn(), _turn(finished=True)])
    functions.sleep_failures = [FunctionError("table away")]
    run = start(functions)
    token = functions.wait_for("unlatch-dev-sleep", 2)[-1]["token"]
    _client("stepfunctions").send_task_success(taskToken=token, output="{}")

    assert _ended(run)["status"] == "SUCCEEDED"
    first, again, _ = functions.of("unlatch-dev-turn")
    assert _without_state([first, again]) == [_asked("first"), _asked("first", attempt=1)]


def test_a_sleep_that_gives_up_ends_in_a_turn_not_in_a_dead_run(
    start: Callable[..., str],
) -> None:
    without_patience = json.loads(TEXT)
    without_patience["States"]["Sleep"]["Retry"][0]["MaxAttempts"] = 0
    functions = CaseFunctions([_turn(), _turn(finished=True)])
    functions.sleep_failures = [FunctionError("table away")]
    run = start(functions, text=json.dumps(without_patience))

    assert _ended(run)["status"] == "SUCCEEDED"
    assert len(functions.of("unlatch-dev-turn")) == 2

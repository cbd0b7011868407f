"""Step Functions: moto's interpreter plays the deployed state machine on sandbox time.

Each wait of the interpreter becomes a timer of the Clock, and a run that waits counts as asleep.
Knows nothing of any particular state machine. Map and Parallel are not covered.
"""

import io
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.stepfunctions import models as stock_models
from moto.stepfunctions import responses
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback as callback_task,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
from moto.stepfunctions.parser.asl.eval import environment
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.event import event_manager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend import execution, execution_worker
from moto.stepfunctions.parser.utils import TMP_THREADS

from sandbox.aws.iam.guard import May
from sandbox.aws.iam.policy import Ask
from sandbox.aws.patches import Patches
from sandbox.aws.waits import Bell, Done, Inline, RunStopped, SandboxClosed, Sleeper, dated
from sandbox.clock import Clock, Work
from sandbox.functions import Functions

CLOSING_SECONDS = 5.0
DATED = (parser_models, execution, event_manager, state)


@dataclass(frozen=True)
class Run:
    name: str
    status: str
    events: int


class Runs:
    """The runs of one account and Region."""

    def __init__(
        self, clock: Clock, work: Work, functions: Functions, *, account: str, region: str, may: May
    ) -> None:
        self._clock = clock
        self._may = may
        self._work = work
        self._functions = functions
        self._account = account
        self._region = region
        self._seams = Patches()
        self._starting = threading.Lock()
        self._lock = threading.Lock()
        self._sleepers: dict[Any, Sleeper] = {}
        self._here = threading.local()
        self._closed = False

    def install(self) -> None:
        """Take the interpreter over; `close` gives it back."""
        seams, moto_time = self._seams, SimpleNamespace(sleep=self._sleep, time=self._timestamp)
        bells = SimpleNamespace(**{**vars(threading), "Event": self._bell})
        inline = SimpleNamespace(**{**vars(threading), "Thread": Inline, "Event": Done})
        seams.replace(execute_state, "Thread", Inline)
        seams.replace(execute_state, "threading", inline)
        seams.replace(program, "threading", inline)
        seams.replace(callback, "Event", self._bell)
        seams.replace(environment, "threading", bells)
        seams.replace(retrier_decl, "time", moto_time)
        seams.replace(wait_function, "time", moto_time)
        for module in DATED:
            seams.replace(module, "datetime", dated(self._clock))
        seams.replace(lambda_eval_utils, "boto_client_for", lambda **_: self)
        worker = execution_worker.ExecutionWorker
        seams.method(worker, "start", self._start)
        seams.wrap(execution.Execution, "stop", self._stopping)
        waiting = callback_task.StateTaskServiceCallback
        seams.wrap(waiting, "_evaluate_with_timeout", _one_token_each)
        # CloudFormation makes machines in the backend that runs none.
        runners = parser_models.stepfunctions_parser_backends
        seams.replace(stock_models, "stepfunctions_backends", runners)
        backend = parser_models.StepFunctionsParserBackend
        seams.replace(backend, "send_task_success", _send_task_success)
        seams.replace(backend, "send_task_failure", _send_task_failure)
        seams.wrap(backend, "start_execution", self._one_at_a_time)
        answers = responses.StepFunctionResponse
        seams.wrap(answers, "get_execution_history", _in_the_order_asked_for)

    def close(self) -> None:
        """End the threads of all runs, and give the interpreter back. Close the functions first."""
        with self._lock:
            self._closed = True
            sleepers = list(self._sleepers.values())
        for sleeper in sleepers:
            sleeper.end(SandboxClosed())
        with suppress(Exception):
            self._work.wait_idle(CLOSING_SECONDS)
        self._seams.close()
        TMP_THREADS.clear()  # where the interpreter keeps its threads, and all that they hold

    def all(self) -> list[Run]:
        """All runs that were started, in order."""
        backend = parser_models.stepfunctions_parser_backends[self._account][self._region]
        return [
            Run(e.name, e.status, len(e.to_history_output()["events"]))
            for machine in backend.state_machines
            for e in cast(list[Any], machine.executions)
        ]

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Lambda's Invoke, as the interpreter calls it through a client."""
        payload = json.loads(parameters.get("Payload") or b"null")
        self._check(parameters["FunctionName"])
        try:
            done = self._functions.invoke(parameters["FunctionName"], payload)
        except LookupError as missing:
            raise _refused("ResourceNotFoundException", str(missing), status=404) from missing
        failed = {"FunctionError": "Unhandled"} if done.error else {}
        body = io.BytesIO(done.payload)
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": body, **failed}

    def _check(self, function: str) -> None:
        """The machine's own role must be allowed to invoke it."""
        details = self._here.worker._evaluation_details
        arn = function
        if not function.startswith("arn:"):
            arn = f"arn:aws:lambda:{self._region}:{self._account}:function:{function}"
        denied = self._may(
            "states.amazonaws.com",
            details.execution_details.role_arn,
            source=details.state_machine_details.arn,
            ask=Ask("lambda:InvokeFunction", arn, {}),
        )
        if denied:
            raise _refused("AccessDeniedException", denied, status=403)

    def _start(self, worker: Any) -> None:
        # Made here and not in the thread, so that a token or a stop never meets a run without one.
        env = worker._get_evaluation_environment()
        worker.env = env
        worker._get_evaluation_environment = lambda: env
        name = f"run {worker._evaluation_details.execution_details.name}"
        self._work.spawn(name, lambda: self._play(worker, name))

    def _play(self, worker: Any, name: str) -> None:
        self._here.worker, self._here.name = worker, name
        try:
            worker._execution_logic()
        except RunStopped:
            worker.env.event_manager.add_event(
                context=worker.env.event_history_context,
                event_type=HistoryEventType.ExecutionAborted,
            )
            worker._execution_communication.terminated()
        except SandboxClosed:
            return

    def _stopping(self, stock: Callable[..., None]) -> Callable[..., None]:
        def stop(run: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
            if run.exec_status != ExecutionStatus.RUNNING:
                return
            stock(run, stop_date, error, cause)
            run.exec_status = ExecutionStatus.ABORTED
            run.stop_date = self._clock.now()
            with self._lock:
                sleeper = self._sleepers.get(run.exec_worker)
            if sleeper:
                sleeper.end(RunStopped())

        return stop

    def _one_at_a_time(self, stock: Callable[..., Any]) -> Callable[..., Any]:
        def start_execution(*args: Any, **kwargs: Any) -> Any:
            with self._starting:
                return stock(*args, **kwargs)

        return start_execution

    def _timestamp(self) -> float:
        return self._clock.now().timestamp()

    def _bell(self) -> Bell:
        return Bell(self._let_sleep)

    def _sleep(self, seconds: float) -> None:
        self._let_sleep(Sleeper(), seconds)

    def _let_sleep(self, sleeper: Sleeper, seconds: float | None) -> None:
        """Let this thread's run sleep until it is woken or this much sandbox time is over."""
        worker, name = self._here.worker, self._here.name
        timer = None
        if seconds is not None:
            due = self._clock.now() + timedelta(seconds=seconds)
            timer = self._clock.call_at(due, sleeper.wake, name=name)
        with self._lock:
            if self._closed:
                raise SandboxClosed
            self._sleepers[worker] = sleeper
        try:
            if isinstance(worker.env.program_state(), ProgramStopped):
                raise RunStopped
            sleeper.sleep(lambda: self._work.end(name), lambda: self._work.begin(name))
        finally:
            with self._lock:
                self._sleepers.pop(worker, None)
            if timer:
                timer.cancel()


def _one_token_each(stock: Callable[..., None]) -> Callable[..., None]:
    """A new task token for each attempt, which is worth nothing once the attempt is over."""

    def evaluate(task: Any, env: Any) -> None:
        context = env.states.context_object
        if "Task" not in context.context_object_data:
            return stock(task, env)
        if context.context_object_data["State"]["RetryCount"]:
            env.callback_pool_manager.add(context.update_task_token())
        endpoint = env.callback_pool_manager.get(context.context_object_data["Task"]["Token"])
        try:
            return stock(task, env)
        finally:
            endpoint.interrupt_all()

    return evaluate


def _in_the_order_asked_for(stock: Callable[[Any], Any]) -> Any:
    """Moto gives the oldest event first whatever is asked; who wants to know the newest asks for the reverse."""

    def get_execution_history(asked: Any) -> Any:
        if not asked._get_param("reverseOrder"):
            return stock(asked)
        arn = asked._get_param("executionArn")
        told = asked.stepfunction_backend.get_execution_history(arn)
        return ActionResult({**told, "events": told["events"][::-1]})

    return get_execution_history


def _send_task_success(backend: Any, task_token: str, outcome: str) -> None:
    done = callback.CallbackOutcomeSuccess(callback_id=task_token, output=outcome)
    _open_endpoint(backend, task_token).notify(outcome=done)


def _send_task_failure(
    backend: Any, task_token: str, error: str | None = None, cause: str | None = None
) -> None:
    failed = callback.CallbackOutcomeFailure(callback_id=task_token, error=error, cause=cause)
    _open_endpoint(backend, task_token).notify(outcome=failed)


def _open_endpoint(backend: Any, task_token: str) -> Any:
    """As AWS: a token that nobody issued is invalid; one whose task is over has timed out."""
    for run in backend._get_executions():
        endpoint = run.exec_worker.env.callback_pool_manager.get(task_token)
        if endpoint is not None:
            if endpoint._notify_event.is_set():
                gone = "Task Timed Out: 'Provided task does not exist anymore'"
                raise JsonRESTError("TaskTimedOut", gone)
            return endpoint
    raise JsonRESTError("InvalidToken", "Invalid Token: 'Invalid token'")


def _refused(code: str, message: str, *, status: int) -> ClientError:
    reply: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": ""},
    }
    return ClientError(reply, "Invoke")

"""The process that deployed functions are forked from; in each child it plays Lambda's runtime.

Chalice, which deploys them, is forked from it as well.

Has no threads and nothing of the sandbox inside it, so that a fork is cheap and sees only what
the deployed function may see.
"""

import gc
import importlib
import json
import math
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import time_machine

PROJECT = Path(__file__).resolve().parent.parent
LAMBDA_RUNTIME = ("boto3", "botocore.session")
DEPENDENCIES = ("chalice.cli", "slack_sdk", "aws_lambda_powertools")

SERVICES = (
    *("dynamodb", "stepfunctions", "sts", "kms", "cloudhsmv2", "cloudtrail", "cloudwatch"),
    *("ec2", "secretsmanager", "iam", "sqs", "lambda", "events", "apigateway"),
)

Handler = Callable[[Any, Any], Any]


class Stream(Protocol):
    """What both ends speak through: one JSON object a line."""

    def readline(self) -> bytes: ...
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


def send(stream: Stream, message: Mapping[str, Any]) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def receive(stream: Stream) -> dict[str, Any]:
    """Raises EOFError if the other side is gone."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError("the other side is gone")
    message: dict[str, Any] = json.loads(line)
    return message


class Context:
    """The object that Lambda hands to a handler."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function: Mapping[str, Any], request_id: str) -> None:
        self.function_name: str = function["name"]
        self.invoked_function_arn: str = function["arn"]
        self.memory_limit_in_mb = str(function["memory_mb"])
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = f"sandbox/{os.getpid()}"
        self.ends_at = time.monotonic() + function["timeout_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends_at - time.monotonic()) * 1000))


class VirtualTime:
    """The child's time: it starts each invocation at the sandbox's, ticks, and sleeps at once.

    A function that paces its calls would otherwise take minutes to play a day.
    """

    def __init__(self, now: datetime, give_up: Callable[[], None]) -> None:
        self._traveller = time_machine.travel(now, tick=True).start()
        self._give_up = give_up
        self._latest = time.time()
        self.ends_at = math.inf
        vars(time).update(sleep=self.sleep, monotonic=self.monotonic)

    def move_to(self, now: datetime) -> None:
        self._traveller.move_to(now)

    def monotonic(self) -> float:
        # The clock stands still between two invocations at one instant; this must not go back.
        self._latest = max(self._latest, time.time())
        return self._latest

    def sleep(self, seconds: float) -> None:
        self._traveller.move_to(self.monotonic() + seconds)
        if self.monotonic() > self.ends_at:
            self._give_up()


def main(control: socket.socket, *, isolated: bool) -> None:
    """Fork a child per connection that comes, until `control` closes: then the parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _preload(LAMBDA_RUNTIME if isolated else LAMBDA_RUNTIME + DEPENDENCIES)
    _share_models()
    libraries = _libraries(isolated=isolated)
    gc.freeze()
    while True:
        _, connections, _, _ = socket.recv_fds(control, 1, 1)
        if not connections:
            return
        if os.fork() == 0:
            control.close()
            _live(socket.socket(fileno=connections[0]), libraries)
        os.close(connections[0])


def _preload(modules: tuple[str, ...]) -> None:
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)


def _share_models() -> None:
    """Read AWS's models once for all children: making clients is most of a cold start."""
    session: Any = importlib.import_module("botocore.session")
    loader = importlib.import_module("botocore.loaders").create_loader()
    session.create_loader = lambda _search_path=None: loader
    nobody = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service in SERVICES:
        session.Session().create_client(service, region_name="us-east-1", **nobody)


def _libraries(*, isolated: bool) -> list[str]:
    """Where a function may import from besides its own package: never from a checkout of this project."""
    paths = [path for path in sys.path if path and not Path(path, "sandbox/__init__.py").exists()]
    return [path for path in paths if "site-packages" not in path] if isolated else paths


def _live(connection: socket.socket, libraries: list[str]) -> None:
    """The child's life: settle in once, then serve invocations until the parent hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 0
    try:
        stream = connection.makefile("rwb")
        order = receive(stream)
        _settle_in(order, libraries)
        if "chalice" in order:
            send(stream, {"status": _chalice(order["chalice"])})
            return
        send(stream, {"pid": os.getpid()})
        _serve(stream, order)
    except (EOFError, OSError):
        pass
    except BaseException:  # noqa: BLE001 - the child ends here, whatever happened
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        os._exit(status)


def _settle_in(function: Mapping[str, Any], libraries: list[str]) -> None:
    log = os.open(function["log"], os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(0)
    os.environ.clear()
    os.environ.update(function["environment"])
    time.tzset()
    os.chdir(function["code"])
    sys.path[:] = [function["code"], *libraries]
    for name in [name for name in sys.modules if name.partition(".")[0] == "sandbox"]:
        del sys.modules[name]


def _chalice(arguments: list[str]) -> int:
    """The exit status of Chalice's command line.

    It packs what lies beside the code. Compiled modules name the folder that they were made in, so
    that the same code would be another package each time.
    """
    vars(sys).update(dont_write_bytecode=True)
    sys.argv = ["chalice", *arguments]
    try:
        status: int = importlib.import_module("chalice.cli").main()
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    return status


def _serve(stream: Stream, function: Mapping[str, Any]) -> None:
    def give_up() -> None:
        send(stream, {"error": timed_out(function["timeout_seconds"], request_id), "fatal": True})
        os._exit(1)

    request = receive(stream)
    virtual = VirtualTime(datetime.fromisoformat(request["now"]), give_up)
    try:
        handler = _load(function["handler"])
    except Exception as error:  # noqa: BLE001 - the caller is told
        send(stream, {"error": _import_error(function, error), "fatal": True})
        return
    while True:
        request_id = request["request_id"]
        context = Context(function, request_id)
        virtual.ends_at = context.ends_at
        outcome = _outcome(handler, request["event"], context)
        send(stream, {**outcome, "now": datetime.now(UTC).isoformat()})
        request = receive(stream)
        virtual.move_to(datetime.fromisoformat(request["now"]))


def timed_out(seconds: int, request_id: str) -> dict[str, Any]:
    """What Lambda tells the caller of a function that took too long."""
    text = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return {"errorType": "Sandbox.Timedout", "errorMessage": text}


def _load(name: str) -> Handler:
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


def _outcome(handler: Handler, event: Any, context: Context) -> dict[str, Any]:
    try:
        result = handler(event, context)
    except Exception as error:  # noqa: BLE001 - the caller is told
        traceback.print_exc()
        return {"error": _error(error, context.aws_request_id)}
    try:
        return {"result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as error:
        text = f"Unable to marshal response: {error}"
        return {"error": {"errorType": "Runtime.MarshalError", "errorMessage": text}}


def _error(error: Exception, request_id: str) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _import_error(function: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    traceback.print_exc()
    module = function["handler"].rpartition(".")[0]
    text = f"Unable to import module '{module}': {error}"
    return {"errorType": "Runtime.ImportModuleError", "errorMessage": text}


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), isolated="isolated" in sys.argv[2:])

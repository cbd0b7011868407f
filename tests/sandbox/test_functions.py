"""Deployed functions run apart, as on Lambda: own environment, own time, and they can be killed."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock, Work
from sandbox.functions import Deployed, Functions

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CODE = """
import datetime, os, socket, sys, threading, time
calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("called", calls)
    return globals()[event["do"]](event, context)

def tell(event, context):
    return {
        "calls": calls, "env": dict(os.environ), "path": sys.path, "pid": os.getpid(),
        "now": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "id": context.aws_request_id, "name": context.function_name, "left": context.get_remaining_time_in_millis(),
    }

def fail(event, context):
    raise ValueError("no such thing")

def leave(event, context):
    sys.exit(1)

def odd(event, context):
    return {1, 2}

def wait(event, context):
    gate = threading.Event()  # waits for the wall clock, which sleep does not
    gate.wait(event["seconds"])

def nap(event, context):
    before = time.monotonic(), time.time()
    time.sleep(event["seconds"])
    return [time.monotonic() - before[0], time.time() - before[1], context.get_remaining_time_in_millis()]

def call(event, context):
    with socket.create_connection(("127.0.0.1", event["port"])) as s:
        s.recv(1)

def intrude(event, context):
    import sandbox
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "app.py").write_text(CODE)
    return folder


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(START)


@pytest.fixture(scope="module")
def functions(code: Path, clock: Clock) -> Iterator[Functions]:
    plain = Deployed(
        name="bot-turn",
        arn="arn:aws:lambda:us-east-1:111122223333:function:bot-turn",
        handler="app.handler",
        code=code,
        environment=(("PATH", os.defpath), ("COLOUR", "blue"), ("TZ", "UTC")),
        timeout_seconds=20,
        memory_mb=256,
    )
    known = {
        "turn": plain,
        "hasty": replace(plain, name="bot-hasty", timeout_seconds=1),
        "absent": replace(plain, name="bot-absent", handler="nothing.handler"),
        "other": replace(plain, name="bot-other"),
    }
    functions = Functions(clock, Work(), find=lambda name: known[name])
    functions.start()
    yield functions
    functions.close()


def invoke(functions: Functions, name: str = "turn", **event: Any) -> tuple[Any, Any]:
    done = functions.invoke(name, event)
    return json.loads(done.payload), done.error


def test_a_function_sees_its_deployed_environment_and_nothing_else(functions: Functions) -> None:
    told, error = invoke(functions, do="tell")
    assert error is None
    assert told["env"] == {"PATH": os.defpath, "COLOUR": "blue", "TZ": "UTC"}
    assert told["name"] == "bot-turn"
    assert 0 < told["left"] <= 20_000


def test_it_imports_its_package_and_never_this_checkout(functions: Functions, code: Path) -> None:
    told, _ = invoke(functions, do="tell")
    assert told["path"][0] == str(code)
    _, error = invoke(functions, do="intrude")
    assert error == "ModuleNotFoundError: No module named 'sandbox'"


def test_it_lives_in_sandbox_time(functions: Functions, clock: Clock) -> None:
    told, _ = invoke(functions, do="tell")
    assert timedelta(0) <= datetime.fromisoformat(told["now"]) - clock.now() < timedelta(minutes=2)
    clock.move_to(clock.now() + timedelta(days=40))
    told, _ = invoke(functions, do="tell")
    assert told["now"].startswith(clock.now().strftime("%Y-%m-%dT%H:%M:0"))


def test_what_comes_later_is_never_earlier_although_the_clock_stands(functions: Functions) -> None:
    invoke(functions, do="nap", seconds=4)
    first, _ = invoke(functions, do="tell")
    second, _ = invoke(functions, "other", do="tell")
    assert first["now"] < second["now"]


def test_it_stays_warm_as_on_lambda(functions: Functions) -> None:
    before, _ = invoke(functions, do="tell")
    after, _ = invoke(functions, do="tell")
    assert (after["pid"], after["calls"]) == (before["pid"], before["calls"] + 1)


def test_two_functions_never_share_a_process(functions: Functions) -> None:
    mine, _ = invoke(functions, do="tell")
    others, _ = invoke(functions, "other", do="tell")
    assert mine["pid"] != others["pid"]


def test_an_exception_is_told_as_lambda_tells_it(functions: Functions) -> None:
    told, error = invoke(functions, do="fail")
    assert error == "ValueError: no such thing"
    assert told["errorType"] == "ValueError"
    assert "fail" in told["stackTrace"][-1]


def test_a_result_that_is_no_json_is_an_error(functions: Functions) -> None:
    _, error = invoke(functions, do="odd")
    assert error.startswith("Runtime.MarshalError")


def test_a_function_that_leaves_is_an_exit_error_and_the_next_one_is_new(
    functions: Functions,
) -> None:
    _, error = invoke(functions, do="leave")
    assert error.startswith("Runtime.ExitError")
    told, _ = invoke(functions, do="tell")
    assert told["calls"] == 1


def test_a_missing_module_is_an_import_error(functions: Functions) -> None:
    _, error = invoke(functions, "absent", do="tell")
    assert error == (
        "Runtime.ImportModuleError: Unable to import module 'nothing': No module named 'nothing'"
    )


@pytest.mark.slow
def test_the_deployed_timeout_is_enforced(functions: Functions) -> None:
    told, error = invoke(functions, "hasty", do="wait", seconds=60)
    assert told["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in error


def test_a_sleep_takes_sandbox_time_and_no_other(functions: Functions) -> None:
    started = time.monotonic()
    (steady, wall, left), error = invoke(functions, do="nap", seconds=15)
    assert error is None
    assert 15 <= steady < 16
    assert 15 <= wall < 16
    assert 4_000 < left <= 5_000
    assert time.monotonic() - started < 5


def test_a_sleep_beyond_the_deployed_timeout_is_one(functions: Functions) -> None:
    _, error = invoke(functions, do="nap", seconds=21)
    assert "Task timed out after 20.00 seconds" in error


def test_the_steady_clock_of_a_warm_function_never_goes_back(functions: Functions) -> None:
    for _ in range(3):
        (steady, _, left), _ = invoke(functions, do="nap", seconds=3)
        assert 3 <= steady < 4
        assert 16_000 < left <= 17_000


def test_a_function_can_be_killed_by_the_port_it_calls_from(functions: Functions) -> None:
    def kill_the_caller() -> None:
        connection, (_, port) = server.accept()
        with connection:
            functions.kill_peer(port)

    with socket.create_server(("127.0.0.1", 0)) as server:
        killer = threading.Thread(target=kill_the_caller)
        killer.start()
        _, error = invoke(functions, do="call", port=server.getsockname()[1])
        killer.join()
    assert error.endswith("Runtime exited with error: signal: killed")


def test_two_calls_of_one_function_may_both_ask_for_its_end(functions: Functions) -> None:
    ports: list[int] = []
    errors: list[str] = []

    def kill_the_caller_twice() -> None:
        connection, (_, port) = server.accept()
        with connection:
            for _ in range(2):
                functions.kill_peer(port)
                dead.join(10)
                ports.append(port)

    def call() -> None:
        errors.append(invoke(functions, do="call", port=server.getsockname()[1])[1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = threading.Thread(target=call)
        dead.start()
        kill_the_caller_twice()
    assert len(ports) == 2
    assert errors[0].endswith("Runtime exited with error: signal: killed")


def test_a_port_that_no_function_has_is_an_error(functions: Functions) -> None:
    with pytest.raises(LookupError):
        functions.kill_peer(1)


def test_32_at_once(functions: Functions) -> None:
    with ThreadPoolExecutor(32) as pool:
        done = list(pool.map(lambda _: invoke(functions, do="wait", seconds=0.2), range(32)))
    assert [error for _, error in done] == [None] * 32


def test_the_log_keeps_what_was_printed_also_by_one_that_died(functions: Functions) -> None:
    before = len(functions.log)
    _, error = invoke(functions, do="leave")
    assert error
    kept = functions.log[before:]
    assert kept[0].text.startswith("called")
    assert {line.function for line in kept} == {"bot-turn"}

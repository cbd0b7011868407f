"""`aws`: the sandbox's AWS for anybody's programs, until it is interrupted. Brings no bot with it.

Prints how to reach it as lines for a shell, which also say everything else, as comments.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TextIO

from sandbox.aws.callers import as_variables
from sandbox.aws.iam.guard import Guard
from sandbox.aws.seed import seed
from sandbox.aws.server import AwsServer
from sandbox.clock import Clock
from sandbox.function_host import PROJECT
from sandbox.scenario.document import UnusableError
from sandbox.scenario.load import load_world
from sandbox.scenario.model import Scenario

UNUSABLE = 2
USUAL_SEED = PROJECT / "sandbox/scenarios/flagship.yaml"
TICK = timedelta(seconds=0.1)  # how often the clock is moved, in our time
CALLER = "arn:aws:sts::{account}:assumed-role/developer/you"


def serve(file: Path | None, *, port: int, speed: float, out: TextIO, err: TextIO) -> int:
    """The exit code: 2 for a seed that can't be used or a port that is taken."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        scenario = load_world(file or USUAL_SEED)
        with running(scenario, port=port) as server:
            out.write(exports(server, scenario))
            out.flush()
            _keep_time(server, speed)
    except (UnusableError, OSError) as error:
        err.write(f"{error}\n")
        return UNUSABLE
    except KeyboardInterrupt:
        return 0
    return 0


@contextmanager
def running(scenario: Scenario, *, port: int = 0) -> Iterator[AwsServer]:
    """The AWS of a scenario's world as of now. Raises OSError for a port that is taken."""
    now = datetime.now(UTC)
    server = AwsServer(
        Clock(now),
        blocked_by=scenario.blocked_by,
        is_bot=_nobody_is,
        hub=scenario.accounts[0],
    )
    server.guard = Guard(server.regions, _nobody_is)
    server.start(port)
    try:
        seed(server, scenario.world, accounts=scenario.accounts, now=now)
        yield server
    finally:
        server.stop()


def exports(server: AwsServer, scenario: Scenario) -> str:
    """Lines for a shell: the first account is taken, those of the others are comments."""
    lines = [
        f"# The sandbox's AWS, with the world of {scenario.path} (Ctrl-C ends it)",
        *(f"# {kind} {', '.join(names)}" for kind, names in _world(scenario).items() if names),
        f"export AWS_ENDPOINT_URL={server.url}",
        f"export AWS_DEFAULT_REGION={scenario.regions[0]}",
        f"export AWS_REGION={scenario.regions[0]}",
        'export NO_PROXY="127.0.0.1,$NO_PROXY"',
        'export no_proxy="$NO_PROXY"',  # where both are set, most clients look at this one
    ]
    for account in scenario.accounts:
        issued = server.identity.register(account, CALLER.format(account=account))
        first = account == scenario.accounts[0]
        lines.append(f"# account {account}")
        lines += [
            f"{'' if first else '# '}export {name}={value}"
            for name, value in as_variables(issued).items()
        ]
    return "\n".join(lines) + "\n"


def _world(scenario: Scenario) -> dict[str, list[str]]:
    world = scenario.world
    return {
        "clusters:": [cluster["id"] for cluster in world["clusters"]],
        "key stores:": [store["id"] for store in world["key_stores"]],
        "aliases:": [alias for key in world["keys"] for alias in key["aliases"]],
    }


def _keep_time(server: AwsServer, speed: float) -> None:
    """Move the sandbox's clock with ours, until somebody interrupts."""
    clock, began = server.clock, datetime.now(UTC)
    first, wait = clock.now(), threading.Event()
    while not wait.wait(TICK.total_seconds()):
        clock.move_to(max(clock.now(), first + (datetime.now(UTC) - began) * speed))


def _nobody_is(_: str) -> bool:
    return False


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt

"""AWS and the clock with functions that are plain Python, to try runs and deliveries on their own."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.callers import client
from sandbox.aws.server import AwsServer
from sandbox.clock import Clock, Work
from sandbox.functions import Invocation

HUB, SPOKE, REGION = "111122223333", "222233334444", "us-east-1"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def anything(*_: Any, **__: Any) -> None:
    """Every service may do everything: roles are tried elsewhere."""


@dataclass
class FakeFunctions:
    """Answers invocations from handlers by name, and remembers them with their sandbox time."""

    clock: Clock
    handlers: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    seen: list[tuple[datetime, str, Any]] = field(default_factory=list)

    def invoke(self, name: str, event: Any) -> Invocation:
        short = name.rsplit(":", 1)[-1]
        handler = self.handlers.get(short)
        if handler is None:
            raise LookupError(f"Function not found: {name}")
        self.seen.append((self.clock.now(), short, event))
        try:
            result, error = handler(event), None
        except ValueError as broken:
            error = f"ValueError: {broken}"
            result = {"errorType": "ValueError", "errorMessage": str(broken)}
        return Invocation(short, str(uuid.uuid4()), json.dumps(result).encode(), error)

    def times(self, name: str) -> list[timedelta]:
        return [at - START for at, short, _ in self.seen if short == name]


class Ground:
    def __init__(self, server: AwsServer, clock: Clock, work: Work) -> None:
        self.server, self.clock, self.work = server, clock, work
        self.functions = FakeFunctions(clock)

    def client(self, service: str, account: str = HUB, region: str = REGION) -> Any:
        arn = f"arn:aws:sts::{account}:assumed-role/deployer/operator"
        credentials = self.server.identity.register(account, arn)
        return client(self.server.url, service, credentials, region=region)

    def settle(self) -> None:
        self.work.wait_idle(10)
        while self.clock.fire_next(self.clock.now()):
            self.work.wait_idle(10)

    def advance(self, delta: timedelta) -> None:
        until = self.clock.now() + delta
        self.settle()
        while self.clock.fire_next(until):
            self.settle()
        self.clock.move_to(until)


@contextmanager
def ground() -> Iterator[Ground]:
    clock = Clock(START)
    server = AwsServer(clock, blocked_by="key_store", is_bot=lambda role: False, hub=HUB)
    server.start()
    try:
        yield Ground(server, clock, Work())
    finally:
        server.stop()

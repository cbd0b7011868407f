"""A running sandbox AWS for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.aws.server import AwsServer
from sandbox.clock import Clock
from tests.sandbox.aws.aws_stand import NOW, Stand


@pytest.fixture
def stand() -> Iterator[Stand]:
    yield from _stand("key_store")


@pytest.fixture
def stand_blocked_by_hsms() -> Iterator[Stand]:
    yield from _stand("hsms")


def _stand(blocked_by: str) -> Iterator[Stand]:
    clock = Clock(NOW)
    server = AwsServer(clock, blocked_by=blocked_by, is_bot=lambda role: "unlatch-" in role)
    server.start()
    try:
        yield Stand(server, clock)
    finally:
        server.stop()

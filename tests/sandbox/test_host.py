"""One process that all sandboxes fork from: it is shared, replaced when it dies, and runs Chalice too."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.deployment import DeploymentError
from sandbox.function_host import receive, send
from sandbox.host import host
from sandbox.stack import Sandbox

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def forked(log: Path) -> int:
    """The process id of a new child."""
    log.touch()
    order = {"log": str(log), "code": str(log.parent), "environment": {}}
    with host().fork() as connection, connection.makefile("rwb") as stream:
        send(stream, order)
        return int(receive(stream)["pid"])


def test_one_serves_all_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    first = host()
    assert forked(tmp_path / "log") != forked(tmp_path / "log")
    assert host() is first
    first.close()
    assert forked(tmp_path / "log")
    assert host() is not first


def test_what_chalice_says_of_a_failed_deployment_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise ValueError('there is no bot')")
    with (
        Sandbox(now=START, source=tmp_path) as sandbox,
        pytest.raises(DeploymentError, match="there is no bot"),
    ):
        sandbox.deploy({})
    assert host().is_alive

"""An operator at a context: runs `unlatch` in this process against the sandbox."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from moto.cloudformation import parsing

from ops.__main__ import main
from ops.command_context import PROJECT, CommandContext
from ops.console import Console
from sandbox.aws.patches import Patches
from sandbox.stack import Sandbox

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HUB, REGION, STAGE = "111122223333", "us-east-1", "dev"
CLUSTER, STORE = "cluster-2a3b4c5d6e7", "cks-1234567890abcdef0"
OPERATOR = f"arn:aws:sts::{HUB}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/olga@example.com"
OPERATORS = f"arn:aws:iam::{HUB}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_*"
APPROVERS = ("alice", "bob", "carl")
PEOPLE = {
    **{name: {"approver": True} for name in APPROVERS},
    "gus": {"guest": True},
    "dora": {"deleted": True},
}


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def copy_of_project(folder: Path) -> Path:
    """What is deployed, with no requirements: the sandbox’s functions have them already."""
    for name in ("chalicelib", "infra", ".chalice"):
        ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    shutil.copy(PROJECT / "app.py", folder)
    (folder / "requirements.txt").write_text("")
    return folder


class Office:
    """Runs commands with these environment variables alone; `project` is a copy."""

    def __init__(
        self, project: Path, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.project, self.clock, self._patch = project, clock, monkeypatch
        self.pause: Callable[[float], None] = _nothing

    def run(self, *words: str, typing: str | None = None) -> Said:
        """`typing` is what the operator answers; None if nobody is there."""

        def ask(_: str) -> str:
            if typing is None:
                raise EOFError
            return typing

        out, err = io.StringIO(), io.StringIO()
        context = CommandContext(Console(out, err), self.clock, self.pause, self.project, ask)
        with closing(Patches()) as seams:
            # Moto warns of each alarm and policy that it leaves out; none of them acts here.
            silent = SimpleNamespace(**dict.fromkeys(("warn", "warning", "debug"), _nothing))
            seams.replace(parsing, "warnings", silent)
            seams.replace(parsing, "logger", silent)
            code = main(words, context)
        return Said(code, out.getvalue(), err.getvalue())

    def env(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)


def log_in(office: Office, sandbox: Sandbox, *, arn: str = OPERATOR) -> None:
    """The operator’s credentials, and where AWS is."""
    given = sandbox.aws.identity.register(HUB, arn, deployment=True)
    office.env(
        AWS_ACCESS_KEY_ID=given.access_key_id,
        AWS_SECRET_ACCESS_KEY=given.secret_access_key,
        AWS_SESSION_TOKEN=given.session_token,
        AWS_REGION=REGION,
        AWS_ENDPOINT_URL=sandbox.aws_url,
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
    )


@contextmanager
def as_of(sandbox: Sandbox) -> Iterator[None]:
    """Signatures carry a time, and the function's clock is the sandbox's."""
    with time_machine.travel(sandbox.clock.now(), tick=False):
        yield


def _nothing(*_: object, **__: object) -> None:
    """Takes moto’s warnings, and the pauses."""

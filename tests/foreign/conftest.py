"""Clients that nobody here wrote, each in an environment of its own under build/; skipped in words.

Installing them takes a minute and the network, once: what is there is kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.aws.callers import as_variables
from tests.sandbox.aws.aws_stand import HUB, Stand
from tests.sandbox.aws.conftest import stand

__all__ = ["stand"]

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build/foreign"
REQUIREMENTS, PACKAGES = HERE / "requirements.txt", HERE / "package.json"
SLACK_TYPES = HERE / "slack_types/package.json"
INSTALL_SECONDS, NPM_SECONDS = 300, 120
TRIED_LATELY = 600
"""Seconds after which npm is asked again: each process would wait for it anew."""
PERSON = "arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ann@example.com"


@pytest.fixture(scope="session")
def python_clients() -> Path:
    """The folder of the commands `aws` and `custodian`, and of a Python that has moto."""
    home = _home(REQUIREMENTS, "python")
    with _alone(home):
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            run_installer([sys.executable, "-m", "venv", str(home)])
            pip = [str(home / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            run_installer([*pip, "install", "-r", str(REQUIREMENTS)])
            (home / "ready").touch()
    return home / "bin"


@pytest.fixture(scope="session")
def node_home() -> Path:
    """A folder in which node finds the AWS SDK for JavaScript."""
    return _node_with(PACKAGES, "node")


@pytest.fixture(scope="session")
def slack_types_home() -> Path:
    """A folder with a TypeScript compiler and the types that Slack publishes."""
    return _node_with(SLACK_TYPES, "slack-types")


def _node_with(listing: Path, kind: str) -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no node and npm on this machine")
    home = _home(listing, kind)
    with _alone(home):
        if not (home / "ready").exists():
            if home.exists() and time.time() - home.stat().st_mtime < TRIED_LATELY:
                pytest.skip("npm could not install its packages a moment ago")
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            shutil.copy(listing, home)
            quick = ["--fetch-retries=1", "--fetch-timeout=30000", "--no-audit", "--no-fund"]
            run_installer(["npm", "install", "--prefix", str(home), *quick], seconds=NPM_SECONDS)
            (home / "ready").touch()
    return home


def environment(target: Stand, who: str = PERSON, *, account: str = HUB) -> dict[str, str]:
    """All that these clients are told: where AWS is, and who they are."""
    issued = target.server.identity.register(account, who.format(account=account))
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(BUILD),
        **as_variables(issued),
        "AWS_ENDPOINT_URL": target.server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


def run_installer(command: list[str], *, seconds: int = INSTALL_SECONDS) -> None:
    """Skips the test, in words, if it doesn't succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} took longer than {seconds} s to install its packages")
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        pytest.skip(f"can't install {command[-1]}; {command[0]} said: {said[-1]}")


def _home(listing: Path, kind: str) -> Path:
    digest = hashlib.sha256(listing.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return BUILD / f"{kind}-{digest}"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Only one of all test processes at a time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

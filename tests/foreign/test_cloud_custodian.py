"""Cloud Custodian deletes idle clusters by a policy of its own; its failure opens a case."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.aws.callers import as_variables
from sandbox.aws.seed import seed
from sandbox.stack import Sandbox
from tests.foreign.conftest import BUILD

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

POLICY = """\
policies:
  - name: idle-clusters
    resource: cloudhsm-cluster
    filters: [{State: ACTIVE}]
    actions: [delete]
"""
CUSTODIAN = "arn:aws:sts::{account}:assumed-role/custodian/nightly"
HUB, CLUSTER, STORE = "111122223333", "cluster-2a3b4c5d6e7", "cks-1234567890abcdef0"
WORLD = {
    "clusters": [{"id": CLUSTER, "hsms": 2, "backups": [{"age": "2h"}]}],
    "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER}],
    "keys": [{"store": STORE, "aliases": ["alias/payments"]}],
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    with Sandbox(now=now, people={"alice": {"approver": True}}) as made:
        made.deploy({})
        seed(made.aws, WORLD, accounts=made.accounts, now=now)
        yield made


def run_policy(sandbox: Sandbox, commands: Path, folder: Path) -> str:
    """What it wrote about its run. Its policy runs as a role of its own in the hub's account."""
    issued = sandbox.aws.identity.register(HUB, CUSTODIAN.format(account=HUB))
    (folder / "policy.yml").write_text(POLICY)
    done = subprocess.run(
        [
            commands / "python", commands / "custodian", "run", "--region", "us-east-1",
            "--cache-period", "0", "-s", str(folder / "out"), str(folder / "policy.yml"),
        ],
        env={
            "PATH": str(commands),
            "HOME": str(BUILD),
            **as_variables(issued),
            "AWS_ENDPOINT_URL": sandbox.aws_url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr


def test_its_failed_delete_opens_the_case(
    sandbox: Sandbox, python_clients: Path, tmp_path: Path
) -> None:
    said = run_policy(sandbox, python_clients, tmp_path)
    assert "CloudHsmClusterInUseException" in said
    sandbox.settle()
    (message,) = (one for one in sandbox.slack.messages if one.thread_ts is None)
    told = str(message.blocks)
    assert CLUSTER in told
    assert "custodian" in told
    assert [run["status"] for run in sandbox.runs()] == ["RUNNING"]

"""Somebody with write access to the table adds approvals: refused, told in the thread, and alarmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.store import codec
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Remedy
from sandbox.scenario.load import load
from sandbox.scenario.scenario_sandbox import ScenarioSandbox, open_sandbox

SCENARIO = Path(__file__).parents[2] / "sandbox" / "scenarios" / "empty-store.yaml"
CLUSTER, HUB, REGION = "cluster-2a3b4c5d6e7", "111122223333", "us-east-1"
FORGED = "Zm9yZ2Vk"


@pytest.fixture
def sandbox() -> Iterator[ScenarioSandbox]:
    """A case of an empty store is open and asks."""
    with open_sandbox(load(SCENARIO)) as (sandbox, _):
        assert isinstance(sandbox, ScenarioSandbox)
        hsms = sandbox.client("cloudhsmv2", account=HUB, region=REGION, who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        sandbox.settle()
        yield sandbox


@pytest.fixture
def table(sandbox: ScenarioSandbox) -> Any:
    """The bot's own table, in the hands of an administrator of the hub."""
    given = sandbox.aws.identity.register(HUB, f"arn:aws:iam::{HUB}:user/admin")
    resource = boto3.resource(
        "dynamodb",
        region_name=REGION,
        endpoint_url=sandbox.aws_url,
        aws_access_key_id=given.access_key_id,
        aws_secret_access_key=given.secret_access_key,
        aws_session_token=given.session_token,
        config=Config(proxies={}),
    )
    return resource.Table("unlatch-dev")


def forge(table: Any, sandbox: ScenarioSandbox, by: str) -> None:
    """An approval like a real one, written into the inbox as the bot would, but for its seal."""
    cases = DynamoCases(table)
    (case,) = cases.everything()
    plan = case.offer(Remedy.RETIRE)
    assert plan is not None
    click = Click(
        Act.APPROVE,
        by,
        sandbox.clock.now(),
        remedy=plan.remedy,
        plan_hash=plan.plan_hash,
        reason="not needed",
        round=case.round,
        version=case.version,
    )
    table.update_item(
        Key={"pk": f"CASE#{case.case_id}", "sk": INBOX},
        UpdateExpression="SET clicks=list_append(clicks, :one) ADD version :n",
        ExpressionAttributeValues={":one": [f"{FORGED} {codec.dump(click)}"], ":n": 1},
    )


def mutations(sandbox: ScenarioSandbox) -> list[str]:
    changing = ("Delete", "Disconnect", "Schedule", "Modify", "Disable")
    return [c.operation for c in sandbox.aws.calls if c.by_bot and c.operation.startswith(changing)]


@pytest.mark.slow
def test_forged_approvals_begin_nothing_and_ring_the_alarm(
    sandbox: ScenarioSandbox, table: Any
) -> None:
    for name in ("alice", "bob"):
        forge(table, sandbox, name)
    sandbox.slack.click("bob", button="refresh")
    sandbox.settle()
    sandbox.advance(timedelta(hours=3))
    assert mutations(sandbox) == []
    thread = [m.text + json.dumps(m.blocks) for m in sandbox.slack.messages if m.thread_ts]
    assert sum("carries no valid seal" in text for text in thread) == 2
    assert any('"SealRefused"' in line.text for line in sandbox.log), "infra alarms on this metric"

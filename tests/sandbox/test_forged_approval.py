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
from chalicelib.aws.store.cases import case_from
from chalicelib.domain.case import Act, Case, Click
from chalicelib.domain.plan import Remedy
from sandbox.scenario.load import load
from sandbox.scenario.theatre import Theatre, open_stage

SCENARIO = Path(__file__).parents[2] / "sandbox" / "scenarios" / "empty-store.yaml"
CLUSTER, HUB, REGION = "cluster-2a3b4c5d6e7", "111122223333", "us-east-1"
FORGED = "Zm9yZ2Vk"


@pytest.fixture
def stage() -> Iterator[Theatre]:
    """A case of an empty store is open and asks."""
    with open_stage(load(SCENARIO)) as (stage, _):
        assert isinstance(stage, Theatre)
        hsms = stage.client("cloudhsmv2", account=HUB, region=REGION, who="ci")
        with pytest.raises(ClientError):
            hsms.delete_cluster(ClusterId=CLUSTER)
        stage.settle()
        yield stage


@pytest.fixture
def table(stage: Theatre) -> Any:
    """The bot's own table, in the hands of an administrator of the hub."""
    given = stage.aws.identity.register(HUB, f"arn:aws:iam::{HUB}:user/admin")
    resource = boto3.resource(
        "dynamodb",
        region_name=REGION,
        endpoint_url=stage.aws_url,
        aws_access_key_id=given.access_key_id,
        aws_secret_access_key=given.secret_access_key,
        aws_session_token=given.session_token,
        config=Config(proxies={}),
    )
    return resource.Table("unlatch-dev")


def stored(table: Any) -> tuple[dict[str, Any], Case]:
    (item,) = (i for i in table.scan()["Items"] if i["sk"] == "CASE")
    return item, case_from(item)


def forge(table: Any, stage: Theatre, by: str, **values: Any) -> None:
    """A click like a real one, written with the version moved on, as the bot would."""
    item, case = stored(table)
    plan = case.offer(Remedy.RETIRE)
    assert plan is not None
    known = {"remedy": plan.remedy, "plan_hash": plan.plan_hash, "reason": "not needed"}
    click = Click(Act.APPROVE, by, stage.clock.now(), **known | values)
    table.update_item(
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression="SET clicks=list_append(if_not_exists(clicks, :none), :one) ADD version :n",
        ExpressionAttributeValues={":none": [], ":one": [codec.dump(click)], ":n": 1},
    )


def mutations(stage: Theatre) -> list[str]:
    changing = ("Delete", "Disconnect", "Schedule", "Modify", "Disable")
    return [c.operation for c in stage.aws.calls if c.by_bot and c.operation.startswith(changing)]


@pytest.mark.slow
def test_forged_approvals_begin_nothing_and_ring_the_alarm(stage: Theatre, table: Any) -> None:
    for name in ("alice", "bob"):
        forge(table, stage, name, seal=FORGED)
    stage.slack.click("bob", button="refresh")
    stage.settle()
    stage.advance(timedelta(hours=3))
    assert mutations(stage) == []
    thread = [m.text + json.dumps(m.blocks) for m in stage.slack.messages if m.thread_ts]
    assert sum("carries no valid seal" in text for text in thread) == 2
    assert any('"SealRefused"' in line.text for line in stage.log), "infra alarms on this metric"


@pytest.mark.slow
def test_a_real_seal_in_another_name_is_forged_too(stage: Theatre, table: Any) -> None:
    forge(table, stage, "alice", seal=FORGED)
    stage.slack.click("alice", button="retire")
    stage.settle()
    stage.slack.submit("alice", {"cluster_id": CLUSTER, "reason": "not needed"})
    stage.settle()
    _, case = stored(table)
    (real,) = (c for c in case.clicks if c.act is Act.APPROVE and c.seal != FORGED)
    assert real.by == "alice", "the forged click in her name did not stand in her way"
    forge(table, stage, "bob", seal=real.seal, reason=real.reason)
    stage.slack.click("bob", button="refresh")
    stage.settle()
    assert mutations(stage) == []

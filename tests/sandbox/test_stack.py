"""The whole sandbox with a tiny bot: deployed for real, on virtual time."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.seed import seed
from sandbox.clock import StillBusyError
from sandbox.stack import Sandbox

pytestmark = pytest.mark.slow
HUB, SPOKE = "111122223333", "222233334444"
REGIONS = ("us-east-1", "eu-west-1")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BOT = Path(__file__).parent / "fixture_app"
CLUSTER, STORE = "cluster-2a3b4c5d6e7", "cks-1234567890abcdef0"
PEOPLE = {"alice": {"approver": True}, "carol": {}}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(now=START, people=PEOPLE, source=BOT) as made:
        yield made


def block(sandbox: Sandbox, account: str = HUB, region: str = "us-east-1") -> None:
    """A cluster that a key store holds, and somebody who tries to delete it."""
    cluster = {"id": CLUSTER, "account": account, "region": region, "hsms": 2}
    store = {"id": STORE, "name": "p", "cluster": CLUSTER, "state": "CONNECTED"}
    world = {"clusters": [cluster], "key_stores": [store]}
    seed(sandbox.aws, world, accounts=sandbox.accounts, now=sandbox.clock.now())
    hsms = sandbox.client("cloudhsmv2", account=account, region=region)
    with pytest.raises(ClientError):
        hsms.delete_cluster(ClusterId=CLUSTER)


def turns(sandbox: Sandbox) -> int:
    rows = sandbox.client("dynamodb", account=HUB, region="us-east-1").get_item(
        TableName="unlatch-dev", Key={"pk": {"S": "case"}, "sk": {"S": "c1"}}
    )
    return int(rows["Item"]["turns"]["N"])


def test_a_failed_delete_travels_to_the_bot_and_nine_days_pass_quickly(sandbox: Sandbox) -> None:
    sandbox.deploy({"waits": "[64800]", "turns": "13"})
    started = time.monotonic()
    block(sandbox)
    sandbox.settle()
    assert sandbox.clock.now() == START
    assert [(r["name"], r["status"]) for r in sandbox.runs()] == [("c1-1", "RUNNING")]
    assert turns(sandbox) == 1
    sandbox.advance(timedelta(days=9))
    assert sandbox.clock.now() == START + timedelta(days=9)
    assert [r["status"] for r in sandbox.runs()] == ["SUCCEEDED"]
    assert turns(sandbox) == 13
    sweeps = [line for line in sandbox.log if line.text.startswith("sweep at")]
    assert len(sweeps) == 9 * 24
    assert time.monotonic() - started < 60  # about 1 s on an idle machine


def test_step_moves_to_each_due_moment(sandbox: Sandbox) -> None:
    sandbox.deploy({"waits": "[1800]", "turns": "3"})
    block(sandbox)
    moments = []
    for _ in range(3):
        assert sandbox.step()
        moments.append((sandbox.clock.now() - START) / timedelta(minutes=1))
    assert moments == [30, 60, 120]
    assert turns(sandbox) == 3


def test_a_click_wakes_the_run_with_the_clock_still(sandbox: Sandbox) -> None:
    sandbox.deploy({"waits": "[864000]", "turns": "2"})
    block(sandbox)
    sandbox.settle()
    response = sandbox.slack.send_raw("payload=%7B%7D", signature="good")
    assert (response.status, response.body) == (200, "payload=%7B%7D")
    sandbox.settle()
    assert [r["status"] for r in sandbox.runs()] == ["SUCCEEDED"]
    assert sandbox.clock.now() == START


def test_a_function_that_dies_at_a_call_is_retried_by_the_state_machine(sandbox: Sandbox) -> None:
    sandbox.deploy({"turns": "2", "waits": "[60]"})
    sandbox.aws.faults.add("dynamodb:UpdateItem", nth=2, kind="crash_after")
    block(sandbox)
    sandbox.advance(timedelta(minutes=5))
    assert [r["status"] for r in sandbox.runs()] == ["SUCCEEDED"]
    assert [c.error for c in sandbox.aws.calls if c.error == "crash_after"] == ["crash_after"]
    assert turns(sandbox) == 2


def test_a_function_that_dies_behind_the_gateway_is_a_bad_gateway(sandbox: Sandbox) -> None:
    sandbox.deploy({})
    assert sandbox.slack.send_raw("boom", signature="good").status == 502


def test_events_that_always_fail_end_in_the_dead_letter_queue(sandbox: Sandbox) -> None:
    sandbox.deploy({"fail_events": True})
    block(sandbox)
    sandbox.advance(timedelta(minutes=10))
    queues = sandbox.client("sqs", account=HUB, region="us-east-1")
    url = queues.get_queue_url(QueueName="unlatch-dev-dead-letters")["QueueUrl"]
    (message,) = queues.receive_message(QueueUrl=url)["Messages"]
    letter = json.loads(message["Body"])
    assert letter["requestPayload"]["detail"]["eventName"] == "DeleteCluster"


def test_another_account_and_region_reach_the_hub() -> None:
    with Sandbox(now=START, accounts=(HUB, SPOKE), regions=REGIONS, source=BOT) as sandbox:
        sandbox.deploy({"turns": "1"})
        block(sandbox, account=SPOKE, region="eu-west-1")
        sandbox.settle()
        assert [r["status"] for r in sandbox.runs()] == ["SUCCEEDED"]
        roles = sandbox.client("iam", account=SPOKE, region="us-east-1").list_roles()["Roles"]
        names = {role["RoleName"] for role in roles}
        assert {"unlatch-reader", "unlatch-executor", "unlatch-restorer"} <= names


def test_events_can_be_lost_repeated_and_put(sandbox: Sandbox) -> None:
    sandbox.deploy({})
    sandbox.lose_next_event()
    block(sandbox)
    sandbox.settle()
    assert sandbox.log == []
    sandbox.redeliver(2)
    sandbox.settle()
    assert sorted(line.text.split()[0] for line in sandbox.log) == ["blocked", "blocked"]
    sandbox.sweep()
    sandbox.settle()
    assert sandbox.log[-1].text == "sweep at 2026-03-02T09:00:00Z"


def test_functions_call_as_their_own_roles_and_count_as_the_bot(sandbox: Sandbox) -> None:
    sandbox.deploy({"turns": "1"})
    block(sandbox)
    sandbox.settle()
    by_bot = {(c.operation, c.role) for c in sandbox.aws.calls if c.by_bot}
    role = f"arn:aws:iam::{HUB}:role/unlatch-dev-"
    assert by_bot == {
        ("UpdateItem", f"{role}on_delete_blocked"),
        ("StartExecution", f"{role}on_delete_blocked"),
        ("UpdateItem", f"{role}turn"),
    }
    assert any(c.by_deployment for c in sandbox.aws.calls)


def test_callers_are_who_they_are_said_to_be(sandbox: Sandbox) -> None:
    def caller(who: str) -> Any:
        sts = sandbox.client("sts", account=SPOKE, region="us-east-1", who=who)
        return sts.get_caller_identity()["Arn"]

    sso = "AWSReservedSSO_Admin_0123456789abcdef"
    assert caller("ci") == f"arn:aws:sts::{SPOKE}:assumed-role/deploy-ci/ci"
    assert caller("bob") == f"arn:aws:sts::{SPOKE}:assumed-role/{sso}/bob@example.com"
    assert caller(f"arn:aws:iam::{SPOKE}:user/eve") == f"arn:aws:iam::{SPOKE}:user/eve"


def test_what_does_not_settle_is_named(sandbox: Sandbox) -> None:
    with sandbox.work.doing("something"), pytest.raises(StillBusyError, match="something"):
        sandbox.settle(timeout=0.01)


def test_it_leaves_the_checkout_and_the_process_alone() -> None:
    with Sandbox(now=START, source=BOT) as sandbox:
        sandbox.deploy({"waits": "[86400]"})
        block(sandbox)
        sandbox.settle()
        folders = [sandbox.functions._folder, sandbox._deployment._folder]
    assert sandbox.work.running() == []
    assert not any(folder.exists() for folder in folders)
    assert not (BOT / ".chalice").exists()
    assert not Path(".chalice/deployed").exists()

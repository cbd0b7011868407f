"""The stubs answer as AWS does, as far as the benchmarks rely on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.stub.account import Account
from bench.stub.keys import CLUSTER, HUB, REGION, STORE, Keys
from bench.tally import kms_requests
from chalicelib.aws.accounts import Accounts
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.store.known_keys import DynamoKnownKeys
from chalicelib.aws.table import Table
from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import Snapshot
from sandbox.reliability.stand import SEALS
from sandbox.reliability.table import MemoryTable
from tests.domain.worlds import situation
from tests.sandbox.aws.aws_stand import Stand
from tests.sandbox.aws.test_looks_that_tear import Eyes

MINE = 3


def account(count: int) -> Account:
    """Without latency or quotas."""
    made = Account(Keys(count, MINE), MemoryTable("bench"), latency=0)
    made.quotas = made.kms.quotas = type(made.quotas)({})
    return made


def free(_: str) -> Callable[[], None]:
    return lambda: None


def inventory(it: Account) -> AwsInventory:
    table = Table(it.client("dynamodb", REGION, None), "bench")
    clients = Accounts(it.client("sts", REGION, None), it.client)
    return AwsInventory(clients, "unlatch-reader", DynamoKnownKeys(table, SEALS[1]), free, 5)


CASE = Case("case-bench", HUB, REGION, CLUSTER, datetime(2026, 3, 2, tzinfo=UTC))


def outline(seen: Snapshot) -> object:
    """All that a diagnosis goes by; ids and dates are each one's own."""
    assert seen.cluster
    return (
        seen.key_stores,
        [(key.state, key.aliases, key.grants, key.unread) for key in seen.keys],
        (seen.cluster.cluster_id, seen.cluster.state),
        [(hsm.state, hsm.zone) for hsm in seen.cluster.hsms],
        [backup.state for backup in seen.cluster.backups],
        (seen.siblings, seen.unread, seen.keys_seen),
    )


def test_a_look_shows_what_the_same_look_at_the_sandbox_shows(stand: Stand) -> None:
    world: dict[str, Any] = {
        "clusters": [{"id": CLUSTER, "hsms": 2, "backups": [{"age": "2h"}]}],
        "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER, "state": "CONNECTED"}],
        "keys": [{"store": STORE}] * MINE,
    }
    theirs = Eyes(stand, world)
    asked = [call for call in theirs.asked_by(theirs.look) if call.startswith("kms:")]
    it = account(MINE)
    assert outline(inventory(it).snapshot(CASE, now=CASE.opened_at)) == outline(theirs.look())
    assert it.kms.calls == Counter(call.removeprefix("kms:") for call in asked)


def test_a_look_asks_what_the_tally_counts() -> None:
    it = account(MINE)
    seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
    assert len(seen.live_keys) == MINE
    assert sum(it.kms.calls.values()) == kms_requests(seen, is_shown=True)


def test_a_plan_under_way_asks_for_no_grants() -> None:
    it = account(MINE)
    seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
    plan, *_ = all_plans(situation(seen, case=CASE, policy=Policy(), now=CASE.opened_at))
    it.kms.calls.clear()
    inventory(it).snapshot(replace(CASE, plan=plan), now=CASE.opened_at)
    assert "ListGrants" not in it.kms.calls


def test_a_key_elsewhere_is_described_once() -> None:
    it = account(20)
    for _ in range(3):
        seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
        assert (len(seen.keys), seen.keys_seen) == (MINE, 20)
    assert it.kms.calls["DescribeKey"] == 20 + 2 * MINE


def test_a_condition_that_fails_is_refused_as_dynamodb_does() -> None:
    table = Table(account(1).client("dynamodb", REGION, None), "bench")
    writes = [
        {
            "Put": {
                "TableName": "bench",
                "Item": {
                    "pk": "a",
                    "sk": "b",
                    "n": 1,
                    "raw": b"\0\xff",
                    "words": {"x"},
                    "l": ["y"],
                },
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
    ]
    table.meta.client.transact_write_items(TransactItems=writes)
    held = table.get_item(Key={"pk": "a", "sk": "b"})["Item"]
    assert held == {"pk": "a", "sk": "b", "n": 1, "raw": b"\0\xff", "words": {"x"}, "l": ["y"]}
    with pytest.raises(ClientError) as refused:
        table.meta.client.transact_write_items(TransactItems=writes)
    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert refused.value.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}]


def test_a_page_of_keys_says_where_the_next_begins() -> None:
    status, page = Keys(1_500, 1).answer(
        "TrentService.ListKeys", json.dumps({"Limit": 1_000}).encode()
    )
    assert status == 200
    assert isinstance(page, dict)
    assert (len(page["Keys"]), page["NextMarker"], page["Truncated"]) == (1_000, "1000", True)

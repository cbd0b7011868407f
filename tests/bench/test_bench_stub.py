"""The stubs answer as AWS does, as far as the benchmarks rely on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench.stub.account import Account
from bench.stub.keys import CLUSTER, HUB, REGION, Keys
from bench.tally import kms_requests
from chalicelib.aws import keys
from chalicelib.aws.accounts import Accounts
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.keys import KeyReader
from chalicelib.aws.store.inventory import DynamoKnownKeys
from chalicelib.aws.table import Table
from chalicelib.domain.case import Case
from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.policy import Policy
from chalicelib.ports import TryLater
from sandbox.reliability.table import MemoryTable

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
    return AwsInventory(clients, "unlatch-reader", DynamoKnownKeys(table), free, 5)


CASE = Case("case-bench", HUB, REGION, CLUSTER, datetime(2026, 3, 2, tzinfo=UTC))


def test_a_look_asks_what_the_tally_counts() -> None:
    it = account(MINE)
    seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
    assert len(seen.live_keys) == MINE
    assert sum(it.kms.calls.values()) == kms_requests(seen, is_shown=True)


def test_a_plan_under_way_asks_for_no_grants() -> None:
    it = account(MINE)
    seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
    plan, *_ = all_plans(seen, case=CASE, policy=Policy(), now=CASE.opened_at)
    it.kms.calls.clear()
    inventory(it).snapshot(replace(CASE, plan=plan), now=CASE.opened_at)
    assert "ListGrants" not in it.kms.calls


def test_a_key_elsewhere_is_described_once() -> None:
    it = account(20)
    for _ in range(3):
        seen = inventory(it).snapshot(CASE, now=CASE.opened_at)
        assert (len(seen.keys), seen.keys_seen) == (MINE, 20)
    assert it.kms.calls["DescribeKey"] == 20 + 2 * MINE


def test_reading_carries_on_behind_the_last_slice() -> None:
    it = account(25)
    known: set[bytes] = set()
    seconds = iter(range(0, 10_000, keys.LONGEST_SECONDS // 2 + 1))
    kms = it.client("kms", REGION, None)
    reader = KeyReader(kms, free, "unlatch-reader", HUB, lambda: next(seconds), per_slice=10)

    def look() -> Any:
        return reader.keys_in(
            {"cks-1234567890abcdef0"}, known=known, run=in_order, unread=[], remember=known.update
        )

    with pytest.raises(TryLater, match=r"15 of 25 keys of the account are still to be read"):
        look()
    assert len(known) == 10 - MINE
    for _ in range(4):
        try:
            found = look()
        except TryLater:
            continue
        break
    assert (len(found.keys), found.seen) == (MINE, 25)


def in_order(call: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
    return map(call, items)


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

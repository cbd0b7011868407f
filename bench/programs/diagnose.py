"""Diagnoses a cluster in an account with many keys, twice: the first look, and the re-check of a later turn.

Reads `{"keys", "mine", "latency", "rechecks"}` from standard input, and `longest` if a turn may read
for so many seconds only; writes seconds, CPU and memory.
"""

import contextlib
import hashlib
import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bench.machine import peak_mb
from bench.stub.account import Account
from bench.stub.keys import CLUSTER, HUB, REGION, Keys
from bench.stub.transport import Quotas
from chalicelib.aws import key_search
from chalicelib.aws.accounts import Accounts
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.keys import PAGE
from chalicelib.aws.rate_limit import Paces
from chalicelib.aws.store.known_keys import DynamoKnownKeys
from chalicelib.aws.table import Table
from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Plan
from chalicelib.failures import TemporaryError
from sandbox.reliability.table import MemoryTable

BARE_CALLS = 2_000


def timed(inventory: AwsInventory, case: Case, mine: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    seen = inventory.snapshot(case, now=datetime.now(UTC))
    if len(seen.keys) != mine or not seen.is_complete:
        sys.exit(f"wrong: {len(seen.keys)} keys, unread: {seen.unread}")
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def whole(inventory: AwsInventory, case: Case, mine: int) -> int:
    """The number of turns until the inventory is whole, each carrying on behind the last."""
    for turn in range(1, 1_000):
        with contextlib.suppress(TemporaryError):
            timed(inventory, case, mine)
            return turn
    sys.exit("never whole")


def planned(inventory: AwsInventory, case: Case) -> Plan:
    """What people approved: before a mutation, there is a plan."""
    seen = inventory.snapshot(case, now=datetime.now(UTC))
    return all_plans(Situation(case, seen, {}, Policy(), seen.at))[0]


def pages_s(keys: Keys, latency: float) -> float:
    """The pages of all keys, one after the other, with nothing of Unlatch around them."""
    kms = Account(keys, MemoryTable("unlatch-bench"), latency=latency)
    kms.kms.quotas = Quotas({})
    pages = kms.client("kms", REGION, None).get_paginator("list_keys")
    began = time.perf_counter()
    for _ in pages.paginate(PaginationConfig={"PageSize": PAGE}):
        pass
    return time.perf_counter() - began


def bare_ms() -> float:
    """CPU time of botocore's own DescribeKey: one thread, no waiting, nothing of Unlatch around it."""
    kms = Account(Keys(BARE_CALLS, 0), MemoryTable("unlatch-bench"), latency=0)
    kms.kms.quotas = Quotas({})
    client = kms.client("kms", REGION, None)
    ids = kms.kms_keys.ids
    client.describe_key(KeyId=ids[0])
    began = time.process_time()
    for key_id in ids:
        client.describe_key(KeyId=key_id)
    return 1_000 * (time.process_time() - began) / BARE_CALLS


class Mac:
    """Seals as KMS does, at once: few requests of a look are for these."""

    def make(self, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    def holds(self, text: str, seal: str) -> bool:
        return seal == self.make(text)


asked = json.load(sys.stdin)
account = Account(
    Keys(asked["keys"], asked["mine"]), MemoryTable("unlatch-bench"), latency=asked["latency"]
)
base_mb = peak_mb()
inventory = AwsInventory(
    Accounts(account.client("sts", REGION, None), account.client),
    "unlatch-reader",
    DynamoKnownKeys(Table(account.client("dynamodb", REGION, None), "unlatch-bench"), Mac()),
    Paces(1.0),
    5,
)
case = Case("case-bench", HUB, REGION, CLUSTER, datetime.now(UTC))
said: dict[str, Any] = {"keys": asked["keys"], "base_mb": base_mb}
if "longest" in asked:
    key_search.LONGEST_SECONDS = said["longest"] = asked["longest"]
    said["turns"] = whole(inventory, case, asked["mine"])
else:
    said["first"] = timed(inventory, case, asked["mine"])
decided = replace(case, plan=planned(inventory, case))
said["again"], said["pages_s"] = [], []
for _ in range(asked["rechecks"]):  # in turn, so that whatever disturbs the machine disturbs both
    said["again"].append(timed(inventory, decided, asked["mine"]))
    said["pages_s"].append(pages_s(account.kms_keys, asked["latency"]))
said["peak_mb"] = peak_mb()
said["throttled"] = account.quotas.refused
said["described"] = account.kms.calls["DescribeKey"]
said["bare_ms"] = bare_ms()
json.dump(said, sys.stdout)

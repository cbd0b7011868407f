"""Counts what one retirement asks of AWS: the real flows and store, on a model's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.case import Case
from chalicelib.domain.snapshot import Key, Snapshot
from chalicelib.domain.step import Call
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Receipt
from sandbox.reliability.table import MemoryTable
from tests.flows.bench import Bench, Seal
from tests.flows.cloud import key, world

TURN_GB, CLICK_GB, PARK_GB = 1.0, 1.0, 0.25
COLD_SECONDS = 2.0
"""Of a function with about half a CPU; turns are minutes apart, so each is taken to start cold."""
QUOTA_SHARE = 0.25
LIVE, WAITING = "KMS requests of looks at live keys", "KMS requests of later looks"


def kms_requests(world: Snapshot, *, others: int = 0) -> int:
    """Of one look (aws/inventory.py): stores, pages of keys and aliases, and what each key is asked."""
    if not world.key_stores:
        return 1
    keys, live = len(world.keys), len(world.live_keys)
    pages = ceil(max(keys + others, 1) / 1_000) + (ceil(max(keys, 1) / 50) if keys else 0)
    return 1 + pages + keys + 2 * live


def look_seconds(world: Snapshot) -> float:
    """Within the quota share, 2,000 descriptions and 100 grants a second are allowed to everybody."""
    paced = max(len(world.keys) / 2_000, len(world.live_keys) / 100) / QUOTA_SHARE
    return COLD_SECONDS + paced


def stored(value: Any) -> int:
    """About the bytes that DynamoDB counts."""
    match value:
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case dict():
            return sum(len(name) + stored(one) for name, one in value.items())
        case list() | tuple() | set():
            return sum(1 + stored(one) for one in value)
    return 8


class CountedTable(MemoryTable):
    """Counts DynamoDB's units as on-demand tables bill them; transactions cost double."""

    def __init__(self, units: Counter[str]) -> None:
        super().__init__()
        self.units = units

    def _read(self, items: Sequence[Any]) -> None:
        self.units["DynamoDB: read unit (4 kB)"] += max(ceil(stored(items) / 4_096), 1)

    def _written(self, item: Mapping[str, Any], *, times: int) -> None:
        self.units["DynamoDB: write unit (1 kB)"] += times * max(ceil(stored(item) / 1_024), 1)

    def get_item(self, **request: Any) -> dict[str, Any]:
        found = super().get_item(**request)
        self._read([found])
        return found

    def query(self, **request: Any) -> dict[str, Any]:
        found = super().query(**request)
        self._read(found["Items"])
        return found

    def update_item(self, **request: Any) -> dict[str, Any]:
        found = super().update_item(**request)
        key = request["Key"]
        self._written(self.items[key["pk"], key["sk"]], times=1)
        return found

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        found = super().transact_write_items(**request)
        for write in request["TransactItems"]:
            for asked in write.values():
                held = asked.get("Key") or asked["Item"]
                item = self.items.get((held["pk"], held["sk"]), held)
                self._written(item, times=2)
        return found


class CountedSeal(Seal):
    def __init__(self, units: Counter[str]) -> None:
        self.units = units

    def make(self, text: str) -> str:
        self.units["KMS: request"] += 1
        return super().make(text)

    def holds(self, text: str, seal: str) -> bool:
        self.units["KMS: request"] += 1
        return super().holds(text, seal)


def retirement(keys: int, *, window_days: int) -> tuple[Counter[str], Case]:
    """What a case costs that two people approve at its first message, from the event to the end."""
    units: Counter[str] = Counter()
    bench = Bench(
        world(*map(key, range(keys))),
        store=DynamoCases(CountedTable(units)),
        pending_window_days=window_days,
    )
    object.__setattr__(bench.ports, "seal", CountedSeal(units))
    _count_aws(bench, units)
    opened = open_case(bench.ports, bench.failed())
    assert opened, "the hub's own account is served"
    bench.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for who in ("alice", "bob"):
        bench.approve(who, "retire", opened.case_id)
    case = bench.run(opened.case_id, until=lambda case: case.is_closed, most=5_000)
    _add_functions(units, case)
    return units, case


def _count_aws(bench: Bench, units: Counter[str]) -> None:
    look, reread, perform = bench.aws.snapshot, bench.aws.reread, bench.aws.perform

    def snapshot(case: Case, *, now: datetime) -> Snapshot:
        seen = look(case, now=now)
        asked = kms_requests(seen)
        units["KMS: request"] += asked
        units[LIVE if seen.live_keys else WAITING] += asked
        units["CloudWatch: metric read"] += len(seen.live_hsms)
        units["Lambda: GB-second"] += round(TURN_GB * look_seconds(seen))
        return seen

    def read_again(case: Case, key_id: str) -> Key:
        units["KMS: request"] += 1
        return reread(case, key_id)

    def call(step: Call, target: str, *, case: Case) -> Receipt:
        units["KMS: request"] += str(step.operation).startswith("kms:")
        return perform(step, target, case=case)

    bench.aws.snapshot = snapshot  # type: ignore[method-assign]  # counted on the way
    bench.aws.reread = read_again  # type: ignore[method-assign]  # same
    bench.aws.perform = call  # type: ignore[method-assign]  # same


def _add_functions(units: Counter[str], case: Case) -> None:
    """The state machine's states a turn (infra/case.asl.json), and the functions around them."""
    clicks = len(case.clicks)
    units["Step Functions: state transition"] = case.turns * 3 + 1
    units["Lambda: request"] = case.turns * 2 + clicks + 1
    units["Lambda: GB-second"] += round(case.turns * PARK_GB + clicks * CLICK_GB)
    units["API Gateway: request"] = clicks
    units["Secrets Manager: call"] = case.turns + clicks * 2
    units["CloudWatch: log line (1 kB)"] = units["Lambda: request"] * 4
    units["X-Ray: trace"] = units["Lambda: request"]

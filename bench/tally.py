"""Counts what one retirement asks of AWS: the real flows and store, on a model's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from random import Random
from typing import Any
from uuid import UUID

from chalicelib.aws.keys import ALIAS_PAGE, PAGE
from chalicelib.aws.rate_limit import QUOTAS
from chalicelib.aws.store.body import BODY
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import SHOWN_KEYS, Key, Snapshot
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Receipt
from chalicelib.slack.gateway import SlackGateway
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import key, world
from tests.flows.stand import BODY_SEAL, INBOX_SEAL, Stand

CHANCE = Random(7)  # noqa: S311  # ids for benchmarks
TURN_GB, CLICK_GB, SLEEP_GB = 1.0, 1.0, 0.25
COLD_SECONDS = 2.0
"""Of a function with about half a CPU. Each turn is taken to start cold, also those seconds apart."""
IDLE = timedelta(minutes=5)
"""After as much idleness a function is taken to have forgotten its secrets."""
QUOTA_SHARE = 0.25
SIGHT = timedelta(hours=1)
"""The sweep reads each open case so often, and looks whether its run lives; its store and cluster it reads
for all cases of a place together."""
SIGHT_SECONDS, SWEEP_GB = 0.05, 0.5
LOOKS, LIVE, WAITING = "looks at live keys", "their KMS requests", "KMS requests of later looks"
SIGHTS = "hourly sights"


def kms_requests(world: Snapshot, *, is_shown: bool, others: int = 0) -> int:
    """Of one look (aws/inventory.py): stores, pages of keys and aliases, and what each key is asked."""
    if not world.key_stores:
        return 1
    keys, live = len(world.keys), len(world.live_keys)
    pages = ceil(max(keys + others, 1) / PAGE) + ceil(keys / ALIAS_PAGE)
    grants = min(live, SHOWN_KEYS) if is_shown else 0
    return 1 + pages + keys + live + grants


def look_seconds(world: Snapshot) -> float:
    """What the quotas of DescribeKey and GetKeyLastUsage leave to a look within its share: none waits in its first second."""
    asked = (len(world.keys), "kms:DescribeKey"), (len(world.live_keys), "kms:GetKeyLastUsage")
    return max(0.0, *(number / (QUOTAS[call] * QUOTA_SHARE) - 1 for number, call in asked))


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


def identified(number: int) -> Key:
    """A key whose id is as long, and as hard to pack, as AWS's."""
    return replace(key(number), key_id=_uuid())


def _uuid() -> str:
    return str(UUID(int=CHANCE.getrandbits(128)))


def retirement(keys: int, *, window_days: int) -> tuple[Counter[str], Case]:
    """What a case costs that two people approve at its first message, from the event to the end."""
    units: Counter[str] = Counter()
    before = sum(seal.made + seal.checked for seal in (INBOX_SEAL, BODY_SEAL))
    bench = Stand(
        world(*map(identified, range(keys))),
        store=DynamoCases(CountedTable(units), INBOX_SEAL),
        pending_window_days=window_days,
    )
    object.__setattr__(bench.ports, "gateway", _gateway(bench))
    CountedAws(bench, units).attach()
    opened = open_case(bench.ports, bench.failed())
    assert opened, "the hub's own account is served"
    bench.run(opened.case_id, until=lambda case: bool(case.message.ts))
    for who in ("alice", "bob"):
        bench.approve(who, "retire", opened.case_id)
    case = bench.run(opened.case_id, until=lambda case: case.is_closed, most=5_000)
    units["KMS: request"] += sum(s.made + s.checked for s in (INBOX_SEAL, BODY_SEAL)) - before
    _add_functions(units, case)
    return units, case


def _gateway(bench: Stand) -> SlackGateway:
    """The real one: each message that it updates is one more write of the case."""

    def call(_: str, **__: object) -> dict[str, Any]:
        return {"ts": "1.0", "messages": [], "view": {"id": "V1"}}

    ports = bench.ports
    return SlackGateway(
        call, "C1", ports.policy, log=ports.log, count=ports.count, respond=ports.log
    )


class CountedAws:
    """Counts what is asked of AWS, and lets the clock run as long as the quotas make it take."""

    def __init__(self, bench: Stand, units: Counter[str]) -> None:
        self._bench, self._units = bench, units
        self._look, self._again, self._call = (
            bench.aws.snapshot,
            bench.aws.reread,
            bench.aws.perform,
        )
        self._awake = bench.clock.now - IDLE
        self._swept = bench.clock.now

    def attach(self) -> None:
        self._bench.aws.snapshot = self.snapshot  # type: ignore[method-assign]  # counted on the way
        self._bench.aws.reread = self.reread  # type: ignore[method-assign]  # same
        self._bench.aws.perform = self.perform  # type: ignore[method-assign]  # same

    def snapshot(self, case: Case, *, now: datetime) -> Snapshot:
        self._see_hourly(case, now)
        seen = self._look(case, now=now)
        asked = kms_requests(seen, is_shown=case.plan is None)
        self._units["KMS: request"] += asked
        self._units[LIVE if seen.live_keys else WAITING] += asked
        self._units[LOOKS] += bool(seen.live_keys)
        self._units["CloudWatch: metric read"] += len(seen.live_hsms)
        self._units["Secrets Manager: call"] += now - self._awake >= IDLE
        self._take(look_seconds(seen))
        self._awake = self._bench.clock.now
        return seen

    def _see_hourly(self, case: Case, now: datetime) -> None:
        """What the sweeps since the last look have read of this case."""
        sweeps, items = (now - self._swept) // SIGHT, self._bench.stored._table.items  # noqa: SLF001  # as it is stored
        if sweeps:
            self._swept += sweeps * SIGHT
            held = [items.get((f"CASE#{case.case_id}", sk), {}) for sk in (BODY, INBOX)]
            self._units["DynamoDB: read unit (4 kB)"] += sweeps * ceil(stored(held) / 4_096)
            self._units[SIGHTS] += sweeps

    def reread(self, case: Case, key_id: str) -> Key:
        self._units["KMS: request"] += 1
        return self._again(case, key_id)

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        self._units["KMS: request"] += str(step.operation).startswith("kms:")
        if step.operation in QUOTAS:
            self._take(1 / (QUOTAS[step.operation] * QUOTA_SHARE))
        self._call(step, target, case=case)
        return Receipt(_uuid())

    def _take(self, seconds: float) -> None:
        self._bench.clock.now += timedelta(seconds=seconds)
        self._units["milliseconds of turns"] += round(seconds * 1_000)


def _add_functions(units: Counter[str], case: Case) -> None:
    """The state machine's states a turn (infra/case.asl.json), and the functions around them."""
    clicks = len(case.clicks)
    units["Step Functions: state transition"] = case.turns * 3 + 1
    units["Lambda: request"] = case.turns * 2 + clicks + 1
    seconds = case.turns * COLD_SECONDS + units["milliseconds of turns"] / 1_000
    own = TURN_GB * seconds + SLEEP_GB * case.turns + CLICK_GB * clicks
    units["Lambda: GB-second"] = ceil(own + SWEEP_GB * SIGHT_SECONDS * units[SIGHTS])
    units["API Gateway: request"] = clicks
    units["Secrets Manager: call"] += clicks * 2
    units["CloudWatch: log line (1 kB)"] = units["Lambda: request"] * 4
    units["X-Ray: trace"] = units["Lambda: request"]

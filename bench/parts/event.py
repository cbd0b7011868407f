"""From the event to Slack's message, both functions cold: the wall time beside the network rounds that it can't do without."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median

from bench import inputs
from bench.chain import longest
from bench.fresh import Program, Run, run
from bench.row import Row
from bench.stub.keys import CLUSTER, Keys
from bench.stub.server import Latency, Seen, StubServer
from bench.stub.world import World
from chalicelib.aws.rate_limit import QUOTAS
from chalicelib.config import Settings
from sandbox.reliability.table import MemoryTable

AWS, SLACK = 0.015, 0.120
MINE, ALL = 10, 1_000
KEY_BY_KEY = ("DescribeKey", "GetKeyLastUsage", "ListGrants")
MESSAGE = "chat.postMessage"
RATE = QUOTAS["kms:DescribeKey"] * Settings.quota_share


@dataclass(frozen=True)
class Told:
    """One event until its message. `chain` leaves out what is asked key by key, many at a time.

    `keys_seconds`: from the first DescribeKey to the end of the last.
    """

    event_seconds: float
    turn_seconds: float
    cpu_seconds: float
    keys_seconds: float
    chain: tuple[Seen, ...]

    @property
    def seconds(self) -> float:
        return self.event_seconds + self.turn_seconds

    @property
    def rounds(self) -> int:
        """One for each kind of question about keys, however many there are."""
        return len(self.chain) + len(KEY_BY_KEY)

    @property
    def floor(self) -> float:
        slack = sum("." in one.name for one in self.chain)
        return slack * SLACK + (self.rounds - slack) * AWS + quota_seconds()


def quota_seconds() -> float:
    """What the share of DescribeKey's quota leaves to the first look at an account."""
    return max(ALL / RATE - 1, 0)


def rows(*, count: int) -> list[Row]:
    told = [measured() for _ in range(count)]
    wall = median(one.seconds for one in told)
    ratio = median(one.seconds / one.floor for one in told)
    return [_ratio(told[-1], ratio), _wall(told, wall)]


def measured() -> Told:
    table = MemoryTable(inputs.TABLE)
    world = World(table, inputs.SECRETS, Keys(ALL, MINE))
    with StubServer(world, Latency(AWS, SLACK)) as stub:
        environ = inputs.settings(stub.url)
        failed = json.dumps(inputs.failed_delete("event-1", CLUSTER))
        event = run(Program("bench.programs.event_ours", lambda: failed, environ), on_one_core=True)
        opening, stub.seen = stub.seen, []
        case_id = next(pk.partition("#")[2] for pk, sk in table.items if sk == "INBOX")
        asked = {"case_id": case_id, "generation": 0, "body": "", "latency": AWS}
        turn = run(
            Program("bench.programs.turn_ours", lambda: json.dumps(asked), environ),
            on_one_core=True,
        )
        return _told(event, opening, turn, stub.seen)


def _told(event: Run, opening: list[Seen], turn: Run, telling: list[Seen]) -> Told:
    telling = [*telling, *(Seen(**one) for one in json.loads(turn.output.splitlines()[-1]))]
    shown = min(one.end for one in telling if one.name == MESSAGE)
    before = [s for s in telling if s.end <= shown and s.name not in KEY_BY_KEY]
    described = [one for one in telling if one.name == "DescribeKey"]
    started = max(one.end for one in opening)
    return Told(
        started - event.began,
        shown - turn.began,
        event.cpu_seconds + turn.cpu_seconds,
        max(one.end for one in described) - min(one.start for one in described),
        (*longest(opening), *longest(before)),
    )


def _ratio(told: Told, ratio: float) -> Row:
    return Row(
        f"From the event to the message, both functions cold, {MINE} keys in the store and {ALL:,} in the "
        "account, AWS at 15 ms and Slack at 120 ms a call",
        "the dependent network rounds × their latency, and the quota’s wait",
        ratio,
        1.25,
        how=(
            f"{told.rounds} rounds, one after the other: {', '.join(one.name for one in told.chain)}, and one "
            f"each for {', '.join(KEY_BY_KEY)}, which are asked many at a time. {ALL:,} keys at the default share "
            f"of DescribeKey’s quota, {RATE:,.0f} a second, wait {quota_seconds():.1f} s. That makes "
            f"{told.floor:.2f} s."
        ),
        limit=(
            f"{told.cpu_seconds:.1f} s of processor time on one core. {told.keys_seconds - quota_seconds():.1f} s of it "
            f"is left of {ALL:,} DescribeKey after the quota’s wait, as each is built, signed and read; most of the "
            "rest are the imports of two cold starts (decisions/what-loads-when.md), without Lambda’s own start and "
            "Step Functions. Slack’s modules load, and what the message asks of Slack is looked up, while AWS is read."
        ),
    )


def _wall(told: list[Told], wall: float) -> Row:
    parts = (
        f"{median(t.event_seconds for t in told):.2f} s",
        f"{median(t.turn_seconds for t in told):.2f} s",
    )
    return Row(
        "The same by the wall clock, on one core",
        "–",
        wall,
        3,
        unit="s",
        how=f"{parts[0]} until the run is started, {parts[1]} of the first turn until Slack has the message.",
        limit="Processor time: see above.",
        samples={"event to message": [one.seconds for one in told]},
    )

"""What one case costs: the requests of a whole retirement, each at its list price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.fresh import ROOT
from bench.prices import ARM_GB_SECOND, FREE, METRIC_A_MONTH, MONTHLY, PRICES
from bench.row import Row
from bench.tally import COLD_SECONDS, LIVE, LOOKS, SIGHT_SECONDS, SIGHTS, WAITING, retirement
from chalicelib.flows.batch import AT_ONCE
from sandbox.aws.iam.template import rendered

WINDOW_DAYS = 30
ASSUMED = (
    "two people approving within minutes of the first message. Counted: state transitions, requests, both seals, "
    "DynamoDB's "
    "units with keys and requests named by UUIDs, and the time that a quarter of the quotas makes "
    f"looks and calls take. Assumed: {SIGHT_SECONDS * 1_000:.0f} ms of the sweep an hour, {COLD_SECONDS:g} s for the rest of each turn, a secret read "
    "after five idle minutes, four log lines an invocation, a trace each, and that KMS bills "
    f"every request. Free: {FREE}. Prices: us-east-1, without free tiers (`bench/prices.py`; not "
    "checked against AWS's pages)."
)
GOALS = {10: 0.01, 2_000: 0.10}


def rows() -> list[Row]:
    first, *others = (_row(keys, most) for keys, most in GOALS.items())
    return [replace(first, how=f"{first.how}\n\n{standing()}"), *others]


def _row(keys: int, most: float) -> Row:
    units, case = retirement(keys, window_days=WINDOW_DAYS)
    costs = {name: units[name] * price for name, price in PRICES.items()}
    first, second, *_ = sorted(costs, key=lambda name: -costs[name])
    return Row(
        f"Cost of one case with {keys:,} keys, with seals and hourly sight",
        "requests × list price, written out below",
        sum(costs.values()),
        most,
        unit="$",
        how=written_out(units, turns=case.turns),
        limit=(
            f"Most of it is {_sum(first, costs)} and {_sum(second, costs)}. Of the KMS requests, "
            f"{units[LIVE]:,} are {units[LOOKS]} looks at live keys: the first one, one before each "
            "batch of calls. Each asks for every key and its last "
            "use, as nothing less shows that the world still is as it was approved. "
            f"{units[WAITING]:,} belong to later looks, and two a key to its reading just before "
            "the call and to the call. DynamoDB bills each write by the size of the case, which "
            f"names every key, and a write is made for every {AT_ONCE} keys, so that a cancel "
            "stops what is left within seconds."
        ),
    )


def _sum(name: str, costs: dict[str, float]) -> str:
    return f"“{name}” (${costs[name]:.4f})"


def standing() -> str:
    """What a deployment costs a month if no case comes, by the resources of its stack."""
    stack = rendered(
        ROOT / "infra/resources.yaml", {"Stage": "dev", "CaseDefinition": "{}"}, account="ACCOUNT"
    )
    priced: Counter[str] = Counter()
    for resource in stack.values():
        if resource["Type"] in MONTHLY:
            priced[resource["Type"]] += _metrics(resource["Properties"])
    costs = {name: number * MONTHLY[name] for name, number in priced.items()}
    words = ", ".join(
        f"{number} × `{name}` ${costs[name]:.2f}" for name, number in sorted(priced.items())
    )
    return (
        f"Where no case comes, a deployment costs ${sum(costs.values()):.2f} a month: {words}; a "
        f"parameter of Systems Manager is free; an alarm counts once for each metric that it looks at. Each of Unlatch's own metrics that has "
        f"values in a month costs ${METRIC_A_MONTH:.2f} more."
    )


def _metrics(properties: Mapping[str, Any]) -> int:
    """How many metrics an alarm looks at; 1 for everything else."""
    return sum("MetricStat" in one for one in properties.get("Metrics", ())) or 1


def written_out(units: Counter[str], *, turns: int) -> str:
    """A small table: the unit, how many, and their price."""
    arm = units["Lambda: GB-second"] * (PRICES["Lambda: GB-second"] - ARM_GB_SECOND)
    about = (
        f"{turns} turns over {WINDOW_DAYS} days, seen by {units[SIGHTS]:,} hourly sweeps, {ASSUMED} On Arm "
        f"the GB-seconds would cost ${arm:.5f} less ([why not yet](decisions/x86-for-now.md))."
    )
    lines = [about, ""]
    lines += ["| unit | number | US$ |", "|---|--:|--:|"]
    for name, price in PRICES.items():
        lines.append(f"| {name} | {units[name]:,} | {units[name] * price:.5f} |")
    return "\n".join(lines)

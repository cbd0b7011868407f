"""What one case costs: the requests of a whole retirement, each at its list price."""

from __future__ import annotations

from collections import Counter

from bench.prices import PRICES
from bench.row import Row
from bench.tally import COLD_SECONDS, LIVE, WAITING, retirement

WINDOW_DAYS = 30
ASSUMED = (
    "two people approving at the first message. Counted: state transitions, requests, DynamoDB's "
    f"units. Assumed: {COLD_SECONDS:g} s a turn and its waiting within a quarter of the quotas, "
    "every turn cold with one secret read, four log lines an invocation, a trace each, and that "
    "KMS bills every request. Prices: us-east-1, without free tiers (`bench/prices.py`; not "
    "checked against AWS's pages)."
)
GOALS = {10: 0.01, 2_000: 0.10}


def rows() -> list[Row]:
    return [_row(keys, most) for keys, most in GOALS.items()]


def _row(keys: int, most: float) -> Row:
    units, case = retirement(keys, window_days=WINDOW_DAYS)
    costs = {name: units[name] * price for name, price in PRICES.items()}
    first, second, *_ = sorted(costs, key=lambda name: -costs[name])
    return Row(
        f"Cost of one case with {keys:,} keys",
        "requests × list price, written out below",
        sum(costs.values()),
        most,
        unit="$",
        how=written_out(units, turns=case.turns),
        limit=(
            f"Most of it is {_sum(first, costs)} and {_sum(second, costs)}. Of the KMS requests, "
            f"{units[LIVE]:,} are looks at live keys (each key described, its grants and its last "
            f"use asked, every turn) and {units[WAITING]:,} later ones, one look a day while the "
            f"keys wait. The {case.turns} turns' state transitions alone cost "
            f"${costs['Step Functions: state transition']:.4f}."
        ),
    )


def _sum(name: str, costs: dict[str, float]) -> str:
    return f"“{name}” (${costs[name]:.4f})"


def written_out(units: Counter[str], *, turns: int) -> str:
    """A small table: the unit, how many, and their price."""
    lines = [f"{turns} turns over {WINDOW_DAYS} days, {ASSUMED}", ""]
    lines += ["| unit | number | US$ |", "|---|--:|--:|"]
    for name, price in PRICES.items():
        lines.append(f"| {name} | {units[name]:,} | {units[name] * price:.5f} |")
    return "\n".join(lines)

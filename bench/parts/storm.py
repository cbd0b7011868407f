"""A storm of failed uses of keys that a plan has switched off: what it costs, and whom it loses or holds up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench import inputs
from bench.fresh import ROOT, Program, last_line, run
from bench.prices import PRICES
from bench.row import Row
from bench.stub.storm import FUNCTIONS, KEYS, MINUTES, TURN_SECONDS
from bench.tally import TURN_GB

EVENTS, CALLERS = 100_000, 10
AWS_SECONDS = 0.015
READS, WRITES = 3_000, 1_000
"""Units a second that one partition of DynamoDB takes: what a case’s items share with its clicks."""
NAME = "on_key_used"
SAMPLED_SHARE, SAMPLED_A_SECOND = 0.05, 1
"""X-Ray’s default: one request a second and a twentieth of the rest."""


def rows(*, events: int = EVENTS) -> list[Row]:
    asked = json.dumps({"events": events, "callers": CALLERS})
    environ = inputs.settings("http://127.0.0.1:9")
    found = last_line(run(Program("bench.programs.storm", lambda: asked, environ)))
    units = counted(found, events)
    costs = {name: number * PRICES[name] for name, number in units.items()}
    return [_cost(units, costs, events), *_kept(found), _clicks(found)]


def counted(found: Mapping[str, Any], events: int) -> dict[str, float]:
    """What is billed. A function of little memory has a part of a processor only."""
    memory_gb = function_gb()
    requests = sum(found["calls"].values())
    seconds = requests * AWS_SECONDS + found["cpu"] / (memory_gb * 1_024 / 1_769)
    turns = found["turns"]
    return {
        "Lambda: request": events + 2 * turns,
        "Lambda: GB-second": seconds * memory_gb + turns * TURN_SECONDS * TURN_GB,
        "DynamoDB: read unit (4 kB)": found["units"]["DynamoDB: read unit (4 kB)"],
        "DynamoDB: write unit (1 kB)": found["units"]["DynamoDB: write unit (1 kB)"],
        "KMS: request": found["calls"].get("GenerateMac", 0) + turns * 3 * KEYS,
        "Step Functions: state transition": 3 * turns,
        "CloudWatch: log line (1 kB)": 4 * (events + turns),
        "X-Ray: trace": events * SAMPLED_SHARE + 60 * MINUTES * SAMPLED_A_SECOND,
    }


def function_gb() -> float:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    megabytes: int = config["stages"]["dev"]["lambda_functions"][NAME]["lambda_memory_size"]
    return megabytes / 1_024


def _cost(units: Mapping[str, float], costs: Mapping[str, float], events: int) -> Row:
    lines = [f"| {name} | {units[name]:,.0f} | {cost:.5f} |" for name, cost in costs.items()]
    return Row(
        f"A storm of {events:,} failed uses of {KEYS} switched-off keys by {CALLERS} callers in {MINUTES} "
        "minutes: cost",
        "requests × list price",
        sum(costs.values()),
        1,
        unit="$",
        how=(
            f"Every event through the whole entry point, at one of {FUNCTIONS} warm functions with memories of "
            f"their own, on a model’s clock; a turn every {TURN_SECONDS} s. Assumed: {AWS_SECONDS * 1_000:.0f} ms "
            "a request, four log lines an invocation, X-Ray’s default sampling, three requests of KMS a key and "
            "turn.\n\n| unit | number | US$ |\n|---|--:|--:|\n" + "\n".join(lines)
        ),
        limit="Most of it is paid by the event, whatever is done with it.",
    )


def _kept(found: Mapping[str, Any]) -> list[Row]:
    how = f"{found['kept']} uses are kept: any at first, then the first of each caller and key."
    return [
        Row("Cases of that storm, for the one store", "–", found["cases"], 1, unit="case", how=how),
        Row(
            "Callers whose first use was lost in it",
            "–",
            CALLERS - found["callers"],
            0,
            unit="callers",
        ),
    ]


def _clicks(found: Mapping[str, Any]) -> Row:
    busy = found["busiest"]
    reads = busy.get("DynamoDB: read unit (4 kB)", 0)
    writes = busy.get("DynamoDB: write unit (1 kB)", 0)
    return Row(
        "Clicks held up in it, of one a minute",
        "–",
        found["refused"],
        0,
        unit="clicks",
        how=(
            f"{found['clicked']} clicks were recorded. In its busiest second the storm took {reads} of the "
            f"{READS:,} read units and {writes} of the {WRITES:,} write units that a partition allows, so "
            "DynamoDB held nobody up."
        ),
        limit="What a click shares with the storm is the case’s partition.",
    )

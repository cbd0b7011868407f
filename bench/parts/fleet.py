"""A fleet of 40 accounts in four Regions: the hourly sweep of it, with and without an account that hangs, and a scan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench import inputs
from bench.fresh import Program, last_line, run
from bench.prices import METRIC_A_MONTH, PRICES
from bench.row import Row
from bench.stub.fleet import HUB, REGIONS
from chalicelib.aws.rate_limit import QUOTAS
from chalicelib.config import Settings

ACCOUNTS, CLUSTERS, KEYS = 40, 20, 5_000
SIZES = (1, 10, ACCOUNTS)
MOST_SECONDS = 60.0
LATENCY = 0.025
HANGS = str(int(HUB) + 7)
HOURS_A_MONTH = 730
FUNCTION_GB, PROCESSORS = 0.5, 512 / 1_769
"""Of the sweep, as .chalice/config.json has it: Lambda gives a whole processor at 1,769 MB."""
SHARE = Settings.quota_share
LAST_USES, DESCRIBED = QUOTAS["kms:GetKeyLastUsage"], QUOTAS["kms:DescribeKey"]


Fleets = Mapping[int, dict[str, Any]]
"""Quiet sweeps, by the number of accounts."""


def rows(fleets: Fleets) -> list[Row]:
    quiet, hanging = fleets[ACCOUNTS], measured("sweep", hangs=HANGS)
    scanned = measured("scan", clusters=CLUSTERS, keys=KEYS)
    return [_time(quiet), _memory(quiet), _cost(quiet), _hanging(quiet, hanging), _scan(scanned)]


def measured(what: str, *, accounts: int = ACCOUNTS, **more: Any) -> dict[str, Any]:
    others = ",".join(str(int(HUB) + number) for number in range(1, accounts))
    environ = inputs.settings("http://127.0.0.1:9") | {
        "ACCOUNTS": others,
        "REGIONS": ",".join(REGIONS[1:]),
    }
    asked = {"what": what, "accounts": accounts, "latency": LATENCY, **more}
    return last_line(run(Program("bench.programs.fleet", lambda: json.dumps(asked), environ)))


def _time(quiet: dict[str, Any]) -> Row:
    return Row(
        f"Sweep of {ACCOUNTS} accounts × {len(REGIONS)} Regions, nothing wrong, AWS at 25 ms",
        "–",
        quiet["wall"],
        MOST_SECONDS,
        unit="s",
        how=(
            f"The quota’s floor: {quiet['lookups'] / quiet['read']:.0f} LookupEvents a place, two a second "
            f"in each: {quiet['lookups'] / quiet['read'] / 2:.1f} s. {quiet['read']} places, {quiet['throttled']} calls throttled, "
            f"{quiet['cpu']:.1f} s of CPU time. Places are looked at side by side, each within its "
            "own two LookupEvents a second."
        ),
    )


def _memory(quiet: dict[str, Any]) -> Row:
    what = f"Peak memory of that sweep, {quiet['base_mb']:.0f} MB of it at its start"
    return Row(what, "–", quiet["peak_mb"], 256, unit="MB")


def _cost(quiet: dict[str, Any]) -> Row:
    """A function of 512 MB has less than a third of a processor: the CPU time may be the longer part."""
    seconds = max(quiet["wall"], quiet["cpu"] / PROCESSORS)
    places = quiet["read"]
    once = {
        "Lambda: GB-second": seconds * FUNCTION_GB,
        "Lambda: request": 1,
        "DynamoDB: read unit (4 kB)": places + 2,
        "DynamoDB: write unit (1 kB)": places,
        "CloudWatch: log line (1 kB)": 4,
        "X-Ray: trace": 1,
    }
    month = HOURS_A_MONTH * sum(number * PRICES[name] for name, number in once.items())
    return Row(
        "Cost of these sweeps a month, an account",
        "requests × list price",
        (month + METRIC_A_MONTH) / ACCOUNTS,
        0.50,
        unit="$",
        how=(
            f"{HOURS_A_MONTH} sweeps of {seconds:.1f} s at 512 MB, an item read and one written for "
            f"each place: ${month:.2f} for all {ACCOUNTS} accounts, and one metric."
        ),
    )


def _hanging(quiet: dict[str, Any], hanging: dict[str, Any]) -> Row:
    return Row(
        "Until the other 39 accounts are read, while CloudTrail of one does not answer at all",
        "–",
        hanging["last"],
        MOST_SECONDS,
        unit="s",
        how=(
            f"{hanging['last']:.1f} s beside {quiet['last']:.1f} s without it: {hanging['read']} "
            f"places were read, {hanging['unread']} named as unread. The sweep itself waits for the "
            f"client to give up, {hanging['wall']:.0f} s, and 100 s at most."
        ),
    )


def _scan(scanned: dict[str, Any]) -> Row:
    floor = KEYS / (DESCRIBED * SHARE)
    in_place = KEYS / CLUSTERS / (LAST_USES * SHARE)
    return Row(
        f"`unlatch scan` of {ACCOUNTS} accounts × {len(REGIONS)} Regions, {scanned['clusters']} "
        f"clusters, {scanned['keys']:,} keys",
        f"DescribeKey’s quota: keys ÷ {DESCRIBED * SHARE:,.0f} a second, the share of {SHARE:g}",
        scanned["wall"] / floor,
        1.3,
        how=(
            f"{scanned['wall']:.1f} s beside {floor:.0f} s; {scanned['cpu']:.1f} s of CPU time, "
            f"{scanned['throttled']} calls throttled, {scanned['peak_mb']:.0f} MB at its peak. Each "
            f"place holds {KEYS // CLUSTERS} keys in one store: their last uses take {in_place:.0f} s "
            f"there, as GetKeyLastUsage is taken to allow {LAST_USES} a second."
        ),
        limit=(
            f"The processor: {scanned['cpu']:.1f} s of CPU time on one Python process, for two calls a "
            "key, beside a wait in each place that is as long as the floor by itself."
        ),
    )

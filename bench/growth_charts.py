"""Which figures the charts show. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.chart import Curves, draw
from bench.fresh import ROOT
from bench.parts.fleet import MOST_SECONDS, Fleets
from bench.parts.growth import Grown
from bench.parts.keys import MOST_MB, Size

FOLDER = ROOT / "docs" / "pictures"
KEYS, CASES, ACCOUNTS = (FOLDER / f"growth{name}.png" for name in ("", "-cases", "-accounts"))
CHARTS: tuple[tuple[str, Path], ...] = (
    ("Time and memory of a diagnosis over the keys in the account", KEYS),
    ("CPU time of a sweep and of status over the open cases, and their peak memory", CASES),
    ("Time and memory of a sweep over the accounts, four Regions each", ACCOUNTS),
)


def draw_keys(sizes: Sequence[Size]) -> None:
    keys, label = [size.keys for size in sizes], "KMS keys in the account"
    lines = {
        "first diagnosis": [s.first for s in sizes],
        "re-check": [s.again for s in sizes],
    }
    floor = {"the quota’s floor": [s.floor for s in sizes]}
    memory, most = {"peak": [s.peak_mb for s in sizes]}, {"most": [MOST_MB] * len(sizes)}
    draw(
        Curves("Time", label, "seconds", keys, lines, floor),
        Curves("Memory", label, "MB", keys, memory, most, is_log=False),
        KEYS,
    )


def draw_cases(grown: Sequence[Grown]) -> None:
    cases, label = [one.cases for one in grown], "open cases"
    lines = {what: [one.seconds[what] for one in grown] for what in ("sweep", "status")}
    memory = {"peak": [one.peak_mb for one in grown]}
    draw(
        Curves("CPU time", label, "seconds", cases, lines),
        Curves("Memory", label, "MB", cases, memory, is_log=False),
        CASES,
    )


def draw_accounts(fleets: Fleets) -> None:
    accounts, label = [float(one) for one in fleets], "accounts, four Regions each"
    wall = {"sweep": [float(one["wall"]) for one in fleets.values()]}
    cpu = {"its CPU time": [float(one["cpu"]) for one in fleets.values()]}
    memory = {"peak": [float(one["peak_mb"]) for one in fleets.values()]}
    level = len(accounts)
    draw(
        Curves("Time", label, "seconds", accounts, wall | cpu, {"goal": [MOST_SECONDS] * level}),
        Curves("Memory", label, "MB", accounts, memory, {"goal": [MOST_MB] * level}, is_log=False),
        ACCOUNTS,
    )

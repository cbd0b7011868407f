"""`permissions`: plays every scenario and writes docs/permissions.md. Says which right nobody needed."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sandbox.permissions.page import PAGE, read, scenario_of, written
from sandbox.permissions.reasons import reason
from sandbox.permissions.record import recorded
from sandbox.permissions.rights import ROOT, Key, rights

SCENARIOS = ROOT / "sandbox/scenarios"
AT_ONCE = 2
Used = Mapping[Key, int]


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "permissions", help="play every scenario and write docs/permissions.md"
    )
    parser.set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    """0 if each right is shown by a scenario or has a reason, 1 if not."""
    scenarios = sorted(SCENARIOS.glob("*.yaml"))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        plays = list(pool.map(partial(_used, folder=Path(folder)), scenarios))
    names = [scenario.stem for scenario in scenarios]
    before = {key: scenario_of(cell) for key, cell in read(PAGE.read_text()).items()}
    shown = shown_by(dict(zip(names, plays, strict=True)), before)
    PAGE.write_text(written(shown))
    idle = [r.key for r in rights() if r.key not in shown and reason(r.key) is None]
    for key in idle:
        print(f"nothing uses {key.action} of {key.role} ({key.statement})")
    return 1 if idle else 0


def _used(scenario: Path, folder: Path) -> Used:
    file = folder / f"{scenario.stem}.json"
    play = [sys.executable, "-m", "sandbox", "play", str(scenario), "--rights", str(file)]
    done = subprocess.run(play, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{scenario.name} did not come as expected", file=sys.stderr)
    print(f"{scenario.stem}", file=sys.stderr)
    return recorded(file)


def shown_by(plays: Mapping[str, Used], before: Mapping[Key, str | None]) -> dict[Key, str]:
    """For each right a scenario that uses it: the one that the page names, else the first.

    One that uses it twice goes before others: a single use may hang on which of two things is first.
    """
    shown = {
        key: scenario
        for key, scenario in before.items()
        if scenario is not None and key in plays.get(scenario, {})
    }
    for least in (2, 1):
        for name, used in plays.items():
            for key, times in used.items():
                if times >= least:
                    shown.setdefault(key, name)
    return shown

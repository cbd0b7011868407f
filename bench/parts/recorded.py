"""The commands that take minutes: run only when asked for, and remembered in a file that the page reads."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.fresh import ROOT
from bench.row import Row

FILE = ROOT / "bench" / "recorded.json"
COMMANDS: dict[str, tuple[list[str], str, float, str]] = {
    "check": (["make", "check"], "`make check`", 120, "s"),
    "ci": ([".ci/run"], "All of `.ci/run`", 20, "min"),
}
UNITS = {"s": 1, "min": 60}


def measure(name: str, file: Path = FILE) -> list[Row]:
    """Runs it, by the wall clock, and remembers what it took. RuntimeError if it fails: then nothing is."""
    command, *_ = COMMANDS[name]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-500:]}"
        )
    told = {
        "seconds": round(took, 1),
        "on": datetime.now(UTC).date().isoformat(),
        "machine": machine.here(),
    }
    file.write_text(f"{json.dumps({**_read(file), name: told}, indent=2, sort_keys=True)}\n")
    return [row for row in rows(file) if row.what.startswith(COMMANDS[name][1])]


def rows(file: Path = FILE) -> list[Row]:
    """Of what was measured at some time. What never was has no row."""
    found = _read(file)
    return [_row(name, found[name]) for name in COMMANDS if name in found]


def missing(file: Path = FILE) -> list[str]:
    """A sentence for each that was never measured."""
    found = _read(file)
    return [
        f"Not measured yet: {what} (`python -m bench --only {name}`)"
        for name, (_, what, *_) in COMMANDS.items()
        if name not in found
    ]


def _read(file: Path) -> dict[str, dict[str, str | float]]:
    found: dict[str, dict[str, str | float]] = json.loads(file.read_text()) if file.exists() else {}
    return found


def _row(name: str, told: dict[str, str | float]) -> Row:
    _, what, most, unit = COMMANDS[name]
    return Row(
        what,
        "–",
        float(told["seconds"]) / UNITS[unit],
        most,
        unit=unit,
        how=f"Measured by itself on {told['on']}, on {told['machine']}.",
        limit="Tests that play whole cases on two processors.",
    )

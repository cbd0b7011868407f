"""`python -m bench`: measures everything and writes docs/performance.md. `--quick` measures less, writes nothing."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench import growth_charts, machine
from bench.fresh import ROOT
from bench.page import page, table
from bench.parts import (
    asked,
    cold,
    commands,
    cost,
    duplicates,
    event,
    fleet,
    growth,
    keys,
    package,
    path,
    recorded,
    storm,
    waiting,
    warm,
)
from bench.row import Row
from bench.samples import store

PAGE = ROOT / "docs" / "performance.md"
SAMPLES = ROOT / "build" / "bench.json"


@dataclass(frozen=True)
class Effort:
    """How much a run measures."""

    rounds: int
    clicks: int
    clusters: int
    keys: tuple[int, ...]
    cut_keys: int
    events: int


WHOLE = Effort(15, 1_000, 1_000, (1_000, 10_000, 100_000), 20_000, storm.EVENTS)
QUICK = Effort(3, 100, 100, (1_000, 10_000), 10_000, 2_000)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less and write nothing")
    parser.add_argument("parts", nargs="*", help="some parts only, such as `cold`; writes nothing")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART", help="this alone; also check and ci"
    )
    parser.add_argument("--skip", action="append", default=[], metavar="PART", help="all but this")
    chosen = parser.parse_args(arguments)
    effort, about = QUICK if chosen.quick else WHOLE, machine.described()
    parts, only = {**measurements(effort), **on_request()}, [*chosen.parts, *chosen.only]
    unknown = {*only, *chosen.skip} - set(parts)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    wanted = [name for name in only or measurements(effort) if name not in chosen.skip]
    rows, broken = _measured({name: parts[name] for name in wanted})
    sys.stdout.write(f"{table(rows)}\n")
    if not chosen.quick and not only:
        skipped = [f"Left out of this run: {', '.join(chosen.skip)}"] if chosen.skip else []
        _write(rows, [*about, *skipped, *recorded.missing(), *broken])
    return 1 if broken else 0


def _measured(parts: Mapping[str, Callable[[], list[Row]]]) -> tuple[list[Row], list[str]]:
    """The rows, and a sentence for each part that broke: it does not take the others with it."""
    rows: list[Row] = []
    broken = []
    for name, measure in parts.items():
        began = time.monotonic()
        try:
            rows += measure()
        except Exception as error:  # noqa: BLE001  # whatever breaks one part leaves the others and the page
            broken.append(f"The part “{name}” could not be measured: {str(error)[:300]}")
            _say(broken[-1])
        _say(f"{name}: {time.monotonic() - began:.0f} s")
    return rows, broken


def measurements(effort: Effort) -> dict[str, Callable[[], list[Row]]]:
    """By name, in the order of the page; short and quiet ones are not disturbed by long ones."""
    return {
        "cold": lambda: [
            *cold.rows(count=effort.rounds),
            *asked.rows(count=max(effort.rounds // 3, 2)),
        ],
        "path": lambda: path.rows(count=2 * effort.rounds),
        "warm": lambda: warm.rows(clicks=effort.clicks),
        "event": lambda: event.rows(count=max(effort.rounds // 3, 2)),
        "keys": lambda: _keys(effort),
        "fleet": lambda: _fleet(effort),
        "growth": lambda: _growth(effort),
        "storm": lambda: storm.rows(events=effort.events),
        "waiting": waiting.rows,
        "duplicates": lambda: duplicates.rows(clusters=effort.clusters),
        "package": lambda: package.rows(count=effort.rounds // 2 + 1),
        "cost": cost.rows,
        "demo": commands.demo_rows,
        "tests": commands.tests_rows,
        "recorded": recorded.rows,
    }


def on_request() -> dict[str, Callable[[], list[Row]]]:
    """What takes many minutes: only by its name."""
    return {name: partial(recorded.measure, name) for name in recorded.COMMANDS}


def _keys(effort: Effort) -> list[Row]:
    sizes = [keys.measured(count, times=3 if count <= 10_000 else 1) for count in effort.keys]
    if effort is WHOLE:
        growth_charts.draw_keys(sizes)
    return keys.rows(sizes, cut=keys.diagnosed(effort.cut_keys, longest=3))


def _growth(effort: Effort) -> list[Row]:
    grown = [growth.measured(count) for count in growth.CASES]
    if effort is WHOLE:
        growth_charts.draw_cases(grown)
    return growth.rows(grown)


def _fleet(effort: Effort) -> list[Row]:
    sizes = fleet.SIZES if effort is WHOLE else (fleet.ACCOUNTS,)
    fleets = {count: fleet.measured("sweep", accounts=count) for count in sizes}
    if effort is WHOLE:
        growth_charts.draw_accounts(fleets)
    return fleet.rows(fleets)


def _write(rows: Sequence[Row], about: Sequence[str]) -> None:
    PAGE.write_text(page(rows, about))
    store((row.samples for row in rows), SAMPLES)
    _say(f"Written: {PAGE.relative_to(ROOT)}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())

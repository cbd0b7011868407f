"""Diagnoses in accounts with ever more KMS keys: time against the quota's floor, memory, and the re-check."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import inputs
from bench.fresh import Program, last_line, run
from bench.row import Row
from chalicelib.aws.keys import PAGE

LATENCY = 0.01
QUOTA = 2_000
"""DescribeKey, requests a second."""
MINE = 10
MOST_MB = 256


@dataclass(frozen=True)
class Size:
    """Figures of one account size; `points` hold what each process said."""

    keys: int
    points: tuple[dict[str, Any], ...]

    @property
    def floor(self) -> float:
        return self.keys / QUOTA

    @property
    def first(self) -> float:
        return median(float(point["first"]["wall"]) for point in self.points)

    @property
    def cpu(self) -> float:
        return median(float(point["first"]["cpu"]) for point in self.points)

    @property
    def bare(self) -> float:
        """Seconds that botocore alone would take of the processor."""
        return self.keys * median(float(point["bare_ms"]) for point in self.points) / 1_000

    @property
    def pages(self) -> float:
        """Seconds that botocore alone takes to list the keys."""
        return median(float(one) for point in self.points for one in point["pages_s"])

    @property
    def again(self) -> float:
        return median(float(one["wall"]) for point in self.points for one in point["again"])

    @property
    def peak_mb(self) -> float:
        return max(float(point["peak_mb"]) for point in self.points)

    @property
    def throttled(self) -> int:
        return sum(point["throttled"] for point in self.points)


def measured(keys: int, *, times: int) -> Size:
    return Size(keys, tuple(diagnosed(keys, rechecks=3) for _ in range(times)))


def diagnosed(keys: int, **more: Any) -> dict[str, Any]:
    """One process: a first look, and looks of later turns. `longest` bounds a turn's reading."""
    asked = {"keys": keys, "mine": MINE, "latency": LATENCY, "rechecks": 0, **more}
    environ = inputs.settings("http://127.0.0.1:9")
    return last_line(run(Program("bench.programs.diagnose", lambda: json.dumps(asked), environ)))


def rows(sizes: Iterable[Size], *, cut: dict[str, Any]) -> list[Row]:
    sizes = list(sizes)
    return [_time(sizes), _memory(sizes[-1], cut), _recheck(sizes[-1])]


def _time(sizes: list[Size]) -> Row:
    largest = sizes[-1]
    return Row(
        f"Diagnosis with {largest.keys:,} keys in the account, calls at 10 ms, the whole quota",
        f"the quota’s floor: keys ÷ {QUOTA:,} a second",
        largest.first / largest.floor,
        1.2,
        how=_table(sizes),
        limit=(
            f"The processor: the first look takes {largest.cpu:.0f} s of CPU time, which one "
            "Python process has to find beside its waiting. botocore's own DescribeKey, made one "
            "after the other with nothing around it, takes "
            f"{largest.bare:.0f} s of it: a third to sign, a third to build and send the request, "
            "the rest to resolve the endpoint, read the answer and look at retries. Thirty-two "
            "threads, the pace and the stub take what is left. A function of 1,024 MB has about "
            "half a processor, and a quarter of the quota by default: there the quota is the limit."
        ),
    )


def _memory(largest: Size, cut: dict[str, Any]) -> Row:
    return Row(
        f"Peak memory of that diagnosis, {largest.points[0]['base_mb']:.0f} MB of it at its start",
        "–",
        largest.peak_mb,
        MOST_MB,
        unit="MB",
        how=(
            f"A diagnosis whose turns may read for {cut['longest']:g} s only takes "
            f"{cut['turns']} turns over {cut['keys']:,} keys and describes "
            f"{cut['described']:,}: what a turn has learnt is kept slice by slice, and the "
            "next one carries on. A turn reads for four minutes of its ten at most."
        ),
    )


def _recheck(largest: Size) -> Row:
    return Row(
        f"Re-check before a mutation, {largest.keys:,} keys in the account",
        "botocore’s own bare listing of the same pages",
        largest.again / largest.pages,
        1.15,
        how=(
            f"{largest.again:.2f} s against {largest.pages:.2f} s: ListKeys gives {PAGE:,} keys a page, one page "
            f"after the other, at 10 ms a call {largest.keys / PAGE * LATENCY:.2f} s of waiting. It finds the keys "
            f"that came since, and takes {largest.again / largest.first:.3f} × of the first diagnosis."
        ),
        limit=(
            "What Unlatch adds are the session of the reader role, the calls before the first page and behind the "
            "last, and looking up each key among those that are known to be in no key store."
        ),
    )


def _table(sizes: list[Size]) -> str:
    lines = ["| keys | floor | first look | × floor | CPU | re-check | peak | throttled |"]
    lines += ["|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for s in sizes:
        lines.append(
            f"| {s.keys:,} | {s.floor:.2f} s | {s.first:.2f} s | {s.first / s.floor:.2f} "
            f"| {s.cpu:.2f} s | {s.again:.2f} s | {s.peak_mb:.0f} MB | {s.throttled} |"
        )
    return "\n".join(lines)

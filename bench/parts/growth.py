"""Ever more open cases: CPU time of the sweep and of `/unlatch status`, and what they read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench import inputs
from bench.fresh import Program, last_line, run
from bench.row import Row

CASES = (1, 10, 100, 1_000)
MOST_MS = 20.0
WHAT = ("sweep", "status")


@dataclass(frozen=True)
class Grown:
    """So many cases; what a sweep of them and an answer to `status` took of the processor, and asked."""

    cases: int
    seconds: dict[str, float]
    calls: dict[str, Counter[str]]
    peak_mb: float

    def ms_a_case(self, what: str) -> float:
        return 1_000 * self.seconds[what] / self.cases


def measured(cases: int) -> Grown:
    found = {what: _run(what, cases) for what in WHAT}
    return Grown(
        cases,
        {what: float(one["cpu"]) for what, one in found.items()},
        {what: Counter(one["calls"]) for what, one in found.items()},
        max(float(one["peak_mb"]) for one in found.values()),
    )


def _run(what: str, cases: int) -> dict[str, Any]:
    asked = json.dumps({"what": what, "cases": cases})
    environ = inputs.settings("http://127.0.0.1:9")
    return last_line(run(Program("bench.programs.growth", lambda: asked, environ)))


def rows(grown: list[Grown]) -> list[Row]:
    *_, few, many, most = grown
    linear = further(many, most, "sweep") / further(few, many, "sweep")
    scans = sum(one.calls[what]["Scan"] for one in grown for what in WHAT)
    return [
        Row(
            f"{most.cases:,} open cases: CPU time a case, of the sweep or of `/unlatch status`",
            "–",
            max(most.ms_a_case(what) for what in WHAT),
            MOST_MS,
            unit="ms",
            how=_table(grown),
            limit="Each case is read, and its run is looked at.",
        ),
        Row(
            f"Linear: what each further case adds to the sweep, from {many.cases:,} to {most.cases:,}",
            f"the same from {few.cases:,} to {many.cases:,}",
            linear,
            1.2,
            how=(
                f"{1_000 * further(many, most, 'sweep'):.1f} ms against {1_000 * further(few, many, 'sweep'):.1f} "
                "ms. Status adds nothing beyond a hundred cases."
            ),
            limit="Few milliseconds apart: the smaller sizes are short, and what disturbs them counts.",
        ),
        Row("Reads of a whole table in all of these", "–", scans, 0, unit="scans"),
    ]


def further(few: Grown, more: Grown, what: str) -> float:
    """Seconds that each further case adds."""
    return max(more.seconds[what] - few.seconds[what], 0) / (more.cases - few.cases)


def _table(grown: list[Grown]) -> str:
    lines = ["| cases | sweep, CPU | requests | status, CPU | requests | peak |"]
    lines += ["|--:|--:|--:|--:|--:|--:|"]
    for one in grown:
        told = " | ".join(
            f"{one.seconds[what]:.2f} s | {one.calls[what].total():,}" for what in WHAT
        )
        lines.append(f"| {one.cases:,} | {told} | {one.peak_mb:.0f} MB |")
    about = (
        "One place, a cluster and a key store a case, somebody with the Home tab open. AWS and Slack answer at "
        "once in the same process, and their work is counted in. Status names the first hundred cases."
    )
    return "\n".join([about, "", *lines])

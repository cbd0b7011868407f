"""docs/performance.md, written by a run: its figures come from the run alone."""

from __future__ import annotations

from collections.abc import Sequence

from bench.growth_charts import CHARTS
from bench.row import Row

HEAD = """# Performance
`make bench` measures all of this and writes this page. Every figure is a ratio against a reference of the same run, or stands beside a fixed goal. The sides of a ratio take turns, so that whatever disturbs the machine disturbs both, and the ratio is that of their medians. CPU time is the kernel's count for a whole process, from the interpreter's start. Nothing here is a test with a time limit.

AWS and Slack are stood in for on this machine (`bench/stub/`): at once, or if it says so after some milliseconds and within AWS's default quotas. What a real network and TLS cost is in none of the figures, and on both sides of each ratio. A network round is a request that had to wait for the one before it: of requests side by side one counts. The peer programs are in `bench/programs/`; the samples are kept in `build/bench.json`, which `pyperf stats` reads.
"""


def page(rows: Sequence[Row], about: Sequence[str]) -> str:
    """The whole page."""
    parts = [HEAD, "## Figures", table(rows), "", *charts(), "", "## This run"]
    parts += [f"- {line}" for line in about]
    missed = [row for row in rows if not row.is_met]
    if missed:
        parts += ["", "## Goals that are not met"]
        for row in missed:
            parts += [
                "",
                f"**{row.what}: {row.came_out}, wanted {row.goal}.** {row.limit}".rstrip(),
            ]
    parts += ["", "## What was run"]
    for row in rows:
        if row.how:
            parts += ["", f"**{row.what}.** {_spaced(row.how)}"]
    return "\n".join(parts) + "\n"


def charts() -> list[str]:
    return [f"![{words}](pictures/{path.name})" for words, path in CHARTS if path.exists()]


def table(rows: Sequence[Row]) -> str:
    lines = ["| what | against | goal | figure | met |", "|---|---|--:|--:|---|"]
    for row in rows:
        met = "yes" if row.is_met else "no"
        lines.append(f"| {row.what} | {row.reference} | {row.goal} | {row.came_out} | {met} |")
    return "\n".join(lines)


def _spaced(how: str) -> str:
    """A table needs an empty line before it."""
    text, bar, rest = how.partition("|")
    return f"{text.rstrip()}\n\n{bar}{rest}" if bar else text

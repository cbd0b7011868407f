"""Figures of a run as Markdown, and their place in docs/reliability.md. Writes between its marks only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sandbox.reliability.fuzz import Found
from sandbox.reliability.matrix import KINDS, Matrix, Play
from sandbox.reliability.plays import PLOTS

MOST_BROKEN = 20
CELLS = "Each cell: plays that held, of plays (in brackets: of them, those in which people had to help: press Try again, or agree afresh)."


def write(document: Path, section: str, lines: Sequence[str]) -> None:
    """Puts the lines between the section's two marks. ValueError where the document lacks them."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    before, mark, rest = document.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not mark or not last:
        raise ValueError(f"{document} has no place for {section}")
    text = "\n".join(lines)
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def fuzz_lines(found: Found, *, seconds: float) -> list[str]:
    fed = sum(found.fed.values())
    command = f"python -m sandbox fuzz --count {fed} --seed {found.seed}"
    broken = f"{len(found.broken)} broke something."
    return [
        f"`{command}`: {fed:,} inputs in {seconds:.0f} s, {broken}",
        "",
        "| fed | inputs |",
        "|---|---|",
        *(f"| {kind} | {count:,} |" for kind, count in found.fed.items()),
        "",
        "| what came of them | times |",
        "|---|---|",
        *(f"| {kind} | {count:,} |" for kind, count in sorted(found.answers.items())),
    ]


def matrix_lines(matrix: Matrix, plays: Sequence[Play], *, seconds: float) -> list[str]:
    broken = [play for play in plays if not play.holds]
    lines = [
        f"{len(plays)} of {matrix.cells:,} plays in {seconds:.0f} s; {len(broken)} did not hold. "
        + CELLS,
        "",
        "| fault | " + " | ".join(PLOTS) + " |",
        "|---" * (len(PLOTS) + 1) + "|",
    ]
    for kind in KINDS:
        cells = [_cell([p for p in plays if (p.plot, p.kind) == (plot, kind)]) for plot in PLOTS]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return [*lines, *_calls(plays), *_broken(broken)]


def _cell(plays: Sequence[Play]) -> str:
    if not plays:
        return "–"
    stopped = sum(play.stopped for play in plays)
    again = f" ({stopped})" if stopped else ""
    return f"{sum(play.holds for play in plays)}/{len(plays)}{again}"


def _calls(plays: Sequence[Play]) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    for play in plays:
        counts[play.call] += 1
    named = ", ".join(f"{call} ({count})" for call, count in sorted(counts.items()))
    return ["", f"Calls that were broken: {named}."]


def _broken(broken: Sequence[Play]) -> list[str]:
    told = [f"- {p.plot}, {p.call} #{p.nth}, {p.kind}: {p.why}" for p in broken[:MOST_BROKEN]]
    return ["", *told] if told else []

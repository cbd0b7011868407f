"""Figures of a run as Markdown, and their place in docs/reliability.md. Writes between its marks only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.reliability.cells import Cell
from sandbox.reliability.edits import KINDS
from sandbox.reliability.fast_cases import STORIES
from sandbox.reliability.fuzz import Found
from sandbox.reliability.matrix import Matrix, Play
from sandbox.reliability.tampered_plays import TamperedPlay
from sandbox.reliability.tampering import Tried

MOST_BROKEN = 20
CELLS = "Each cell: faults that held, of those tried"
HELPED = " (in brackets: of them, those in a play in which people had to help: press Try again, or agree afresh)"


def write(document: Path, section: str, lines: Sequence[str]) -> None:
    """Puts the lines between the section's two marks. ValueError if the document lacks them."""
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
    design = matrix.design
    cells = {cell for play in plays for cell in play.cells if cell not in play.missed}
    held = {cell for play in plays if play.holds for cell in play.cells}
    helped = {cell for play in plays if play.helped for cell in play.cells}
    broken = [play for play in plays if not play.holds]
    tried = (
        f"{len(cells):,} of {matrix.cells:,} faults came in {len(plays):,} plays, {seconds:.0f} s"
    )
    lines = [
        f"{tried}; {len(broken)} plays did not hold. {CELLS}{HELPED if design.people_help else ''}.",
        "",
        "| fault | " + " | ".join(design.stories) + " |",
        "|---" * (len(design.stories) + 1) + "|",
    ]
    for kind in design.kinds:
        row = [
            _cell([c for c in cells if (c.story, c.kind) == (p, kind)], held, helped)
            for p in design.stories
        ]
        lines.append(f"| {kind} | " + " | ".join(row) + " |")
    return [*lines, *_calls(cells), *_broken(broken)]


def _cell(cells: Sequence[Cell], held: set[Cell], helped: set[Cell]) -> str:
    if not cells:
        return "–"
    again = f" ({len(helped.intersection(cells))})" if helped.intersection(cells) else ""
    return f"{len(held.intersection(cells))}/{len(cells)}{again}"


def _calls(cells: Iterable[Cell]) -> list[str]:
    counts = Counter(cell.call for cell in cells)
    named = ", ".join(f"{call} ({count})" for call, count in sorted(counts.items()))
    return ["", f"Calls that were broken: {named}."]


def _broken(broken: Sequence[Play]) -> list[str]:
    told = [
        f"- {p.cells[0].story}, {', '.join(map(str, p.cells))}: {p.why}"
        for p in broken[:MOST_BROKEN]
    ]
    return ["", *told] if told else []


def tamper_lines(
    found: Sequence[Tried], plays: Sequence[TamperedPlay], *, moments: int, seconds: float
) -> list[str]:
    broken = [one for one in found if one.why]
    ended = sum(one.ended for one in found)
    stories = list(dict.fromkeys(one.story for one in found))
    tried = f"{len(found):,} edits at {moments} moments of {len(stories)} stories, {seconds:.0f} s"
    lines = [
        f"{tried}; {len(broken)} did not hold; after {ended:,} of them the story was told to its end. Each cell: edits that held, of those tried.",
        "",
        "| story | " + " | ".join(KINDS) + " |",
        "|---" * (len(KINDS) + 1) + "|",
    ]
    for story in stories:
        row = []
        for kind in KINDS:
            cell = [one for one in found if (one.story, one.kind) == (story, kind)]
            row.append(f"{sum(not one.why for one in cell):,}/{len(cell):,}")
        lines.append(f"| {story} | " + " | ".join(row) + " |")
    untold = sorted(
        {story.partition(",")[0] for story in STORIES}
        - {story.partition(",")[0] for story in stories}
    )
    left = ["", f"Not offered in this world: {', '.join(untold)}."] if untold else []
    told = [f"- {one.story}, {one.what}: {one.why}" for one in broken[:MOST_BROKEN]]
    return [*lines, *left, *_played(plays), *(["", *told] if told else [])]


def _played(plays: Sequence[TamperedPlay]) -> list[str]:
    """Through the whole sandbox."""
    if not plays:
        return []
    held = [f"{one.story} ({one.edits})" for one in plays if not one.why]
    other = [f"- {one.story}: {one.why}" for one in plays if one.why]
    counted = f"{len(held)} of {len(plays)} stories ended as they should"
    return [
        "",
        f"Through the whole sandbox, with an edit at each moment: {counted}: {', '.join(held)}.",
        *other,
    ]

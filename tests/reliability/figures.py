"""What the reliability tests tried, for docs/reliability.md. `make reliability` writes it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

TRIED: Counter[str] = Counter()
"""Counted by the tests themselves, if what they tried held."""


def figure_lines(tried: Mapping[str, int], *, seconds: float) -> list[str]:
    rows = [f"| {what} | {count:,} |" for what, count in sorted(tried.items())]
    return [
        f"`make reliability`, {seconds:.0f} s. All of it held.",
        "",
        "| tried | times |",
        "|---|--:|",
        *rows,
    ]

"""A line of the table: what was measured, against what, with which goal, and what came out."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.interleaved import Samples


@dataclass(frozen=True)
class Row:
    """`figure` stands beside `most`, both in `unit`. `how` says in words what was run and what it shows;

    `limit` says what stands in the way if the goal is not met.
    """

    what: str
    reference: str
    figure: float
    most: float
    unit: str = "×"
    how: str = ""
    limit: str = ""
    samples: Samples = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        return self.figure <= self.most

    @property
    def goal(self) -> str:
        return f"≤ {worded(self.most, self.unit)}"

    @property
    def came_out(self) -> str:
        return worded(self.figure, self.unit)


def worded(value: float, unit: str) -> str:
    """Three figures that count; `$` stands before its number."""
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"${number}" if unit == "$" else f"{number} {unit}"

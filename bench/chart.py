"""The charts of docs/performance.md: how time and memory grow with keys, open cases and accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

INK, OURS, OTHER, FLOOR = "#444444", "#1264a3", "#4a9c6d", "#999999"
STYLES = (("o-", OURS), ("s--", OTHER), ("^:", OURS))


@dataclass(frozen=True)
class Curves:
    """One of two charts side by side: named lines over `x`; `limits` are named levels or curves to stay below."""

    title: str
    x_label: str
    y_label: str
    x: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    limits: Mapping[str, Sequence[float]] = field(default_factory=dict)
    is_log: bool = True


def draw(left: Curves, right: Curves, path: Path) -> None:
    import matplotlib as mpl  # type: ignore[import-not-found, unused-ignore]  # `make bench` installs it
    from matplotlib.figure import Figure  # type: ignore[import-not-found, unused-ignore]  # same

    mpl.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "svg.hashsalt": "unlatch"})
    figure = Figure(figsize=(8, 3.2), dpi=120, layout="constrained")
    for axes, curves in zip(figure.subplots(1, 2), (left, right), strict=True):
        plot = axes.loglog if curves.is_log else axes.semilogx
        for name, values in curves.limits.items():
            plot(curves.x, values, "--", color=FLOOR, label=name)
        for (name, values), (style, color) in zip(curves.lines.items(), STYLES, strict=False):
            plot(curves.x, values, style, color=color, label=name)
        axes.set(xlabel=curves.x_label, ylabel=curves.y_label, title=curves.title)
        if not curves.is_log:
            axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})

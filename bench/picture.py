"""docs/pictures/growth.png: time and memory of a diagnosis over the number of keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl  # type: ignore[import-not-found, unused-ignore]  # for `make bench` alone
from matplotlib.figure import Figure  # type: ignore[import-not-found, unused-ignore]  # for `make bench` alone

from bench.parts.keys import MOST_MB, Size

INK, OURS, FLOOR = "#444444", "#1264a3", "#999999"


def draw(sizes: Sequence[Size], path: Path) -> None:
    mpl.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "svg.hashsalt": "unlatch"})
    figure = Figure(figsize=(8, 3.2), dpi=120, layout="constrained")
    time, memory = figure.subplots(1, 2)
    keys = [size.keys for size in sizes]
    time.loglog(keys, [s.floor for s in sizes], "--", color=FLOOR, label="the quota’s floor")
    time.loglog(keys, [s.first for s in sizes], "o-", color=OURS, label="first diagnosis")
    time.loglog(keys, [s.again for s in sizes], "o:", color=OURS, label="re-check")
    time.set(xlabel="KMS keys in the account", ylabel="seconds", title="Time")
    memory.semilogx(keys, [s.peak_mb for s in sizes], "o-", color=OURS, label="peak")
    memory.axhline(MOST_MB, linestyle="--", color=FLOOR, label="goal")
    memory.set(xlabel="KMS keys in the account", ylabel="MB", title="Memory", ylim=(0, 300))
    for axes in (time, memory):
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})

"""The samples of a run as pyperf keeps them, so that its own commands can read and compare them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.interleaved import Samples


def store(samples: Iterable[Samples], path: Path) -> None:
    """Into one file, in place of an earlier run's. pyperf takes no zeros."""
    import pyperf  # type: ignore[import-untyped, import-not-found, unused-ignore]  # `make bench` installs it

    path.parent.mkdir(exist_ok=True)
    benchmarks = [
        _benchmark(name, values)
        for one in samples
        for name, values in one.items()
        if values and all(value > 0 for value in values)
    ]
    if benchmarks:
        pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)


def _benchmark(name: str, values: list[float]) -> Any:
    import pyperf  # type: ignore[import-untyped, import-not-found, unused-ignore]  # `make bench` installs it

    about = {"name": name, "unit": "second"}
    return pyperf.Benchmark([pyperf.Run(values, metadata=about, collect_metadata=False)])

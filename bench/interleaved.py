"""Interleaved rounds: every contender once a round, so that whatever disturbs the machine disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

import pyperf  # type: ignore[import-untyped]  # ships no types

Samples = dict[str, list[float]]


def rounds(contenders: Mapping[str, Callable[[], float]], *, count: int) -> Samples:
    """`count` samples of each; the first round warms the disk's cache and is thrown away."""
    samples: Samples = {name: [] for name in contenders}
    for number in range(count + 1):
        for name, measure in contenders.items():
            value = measure()
            if number:
                samples[name].append(value)
    return samples


def ratio(samples: Samples, name: str, reference: str) -> float:
    """Of the medians."""
    return median(samples[name]) / median(samples[reference])


def kept(samples: Samples) -> list[pyperf.Benchmark]:
    """As pyperf's own values, so that `pyperf compare_to` and `pyperf stats` read what a run has stored."""
    return [
        pyperf.Benchmark(
            [pyperf.Run(values, metadata={"name": name, "unit": "second"}, collect_metadata=False)]
        )
        for name, values in samples.items()
        if all(value > 0 for value in values)
    ]

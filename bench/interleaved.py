"""Interleaved rounds: every contender once a round, so that whatever disturbs the machine disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median

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

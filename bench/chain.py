"""The critical path of requests: the longest chain in which each began after the one before it had ended."""

from __future__ import annotations

from collections.abc import Iterable

from bench.stub.server import Seen


def longest(seen: Iterable[Seen]) -> list[Seen]:
    """The chain with the most requests; of equally long ones the one that takes longest."""
    best: list[list[Seen]] = []
    for one in sorted(seen, key=lambda seen: seen.end):
        before = [chain for chain in best if chain[-1].end <= one.start]
        best.append([*max(before, key=_length, default=[]), one])
    return max(best, key=_length, default=[])


def _length(chain: list[Seen]) -> tuple[int, float]:
    return len(chain), sum(one.end - one.start for one in chain)

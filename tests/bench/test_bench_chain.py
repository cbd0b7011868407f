"""The critical path of requests that a stub has seen."""

from __future__ import annotations

from bench.chain import longest
from bench.stub.server import Seen


def test_what_runs_side_by_side_counts_once() -> None:
    slack, read, seal = Seen("slack", 0, 120), Seen("read", 0, 15), Seen("seal", 16, 31)
    write, wake = Seen("write", 121, 136), Seen("wake", 121, 135)
    assert longest([read, seal, slack, wake, write]) == [read, seal, write]
    assert longest([read, slack]) == [slack], "of equally long ones the one that takes longest"
    assert longest([]) == []

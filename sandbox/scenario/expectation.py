"""Holds what came against what a scenario expects, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def unmet(expect: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """A sentence for each expectation that does not hold; `told` is the report."""
    found = []
    if "outcome" in expect:
        found.append(_outcome(expect["outcome"], told["cases"]))
    if "calls" in expect:
        landed = [f"{c['service']}:{c['operation']}" for c in told["calls"] if c["landed"]]
        found.append(_calls(expect["calls"], landed))
    if "cases" in expect:
        found.append(_count("cases", expect["cases"], len(told["cases"])))
    if "messages" in expect:
        posted = [m for m in told["slack"]["messages"] if m["thread_ts"] is None]
        found.append(_count("top-level messages", expect["messages"], len(posted)))
    return [sentence for sentence in found if sentence]


def _outcome(expected: str | None, cases: Sequence[Mapping[str, Any]]) -> str:
    wanted = f"outcome: expected {expected or 'a case that is still open'}"
    if not cases:
        return f"{wanted}, got no case at all."
    newest = cases[-1]
    if newest["outcome"] == expected:
        return ""
    got = newest["outcome"] or f"a case that is still open ({newest['phase']})"
    said = f" It says: {newest['reason']}" if newest["reason"] else ""
    return f"{wanted}, got {got}.{said}"


def _calls(expected: Sequence[str], landed: Sequence[str]) -> str:
    """Names the first place where the two lists part."""
    if list(expected) == list(landed):
        return ""
    pairs = zip(expected, landed, strict=False)
    same = next((n for n, (want, got) in enumerate(pairs) if want != got), None)
    place = min(len(expected), len(landed)) if same is None else same
    want = expected[place] if place < len(expected) else "no more calls"
    got = landed[place] if place < len(landed) else "no more calls"
    return (
        f"calls: expected {want} as number {place + 1}, got {got}. "
        f"Expected in all: {_listed(expected)}. Got: {_listed(landed)}."
    )


def _count(what: str, expected: int, got: int) -> str:
    return "" if expected == got else f"{what}: expected {expected}, got {got}."


def _listed(calls: Sequence[str]) -> str:
    return ", ".join(calls) or "none"

"""What a turn's run remembers of the case, out of reach of the table. Reads runs, writes nothing."""

from __future__ import annotations

from chalicelib.domain.rules.trust import UNKNOWN, UNSEALED, Anchor
from chalicelib.ports import Ports

MOST_RUNS = 20
"""Generations that are asked, one after the other: some were never started."""


def anchor_of(
    ports: Ports, case_id: str, generation: int, *, given: str | None, attempt: int
) -> Anchor:
    """What the run remembers, or the run before it; UNKNOWN if nothing can be asked.

    `given` is None in a run that was started before bodies were sealed, and "" in the first turn of a
    run that was started by somebody who did not know the digest: then the run before it is asked.
    """
    if given is None:
        return Anchor(UNSEALED, attempt)
    if given or generation == 0:
        return Anchor(given, attempt)
    for earlier in range(generation - 1, max(generation - 1 - MOST_RUNS, -1), -1):
        found = ports.runs.remembered(case_id, earlier)
        if found or (found == "" and earlier == 0):
            return Anchor(found, attempt)
    return Anchor(UNKNOWN, attempt)


def is_left_over(ports: Ports, case_id: str, generation: int, anchor: Anchor) -> bool:
    """The run has gone on without this turn, which only seemed to be alive."""
    newest = ports.runs.remembered(case_id, generation)
    return newest is not None and newest not in ("", anchor.digest, UNSEALED)

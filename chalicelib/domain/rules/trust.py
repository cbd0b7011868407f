"""Which stored body a turn may believe. Whoever can write the table must only be able to stop work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Anchor:
    """What the run hands to a turn, out of reach of the table.

    `digest` is that of the body which the last turn saved last; "" before the first one. `attempt`
    counts how often the run has tried this turn: the engine tries again what seems to have died.
    """

    digest: str
    attempt: int = 0

    @property
    def remembered(self) -> str:
        """What the run goes on remembering while it believes no body."""
        return "" if self.digest in (UNSEALED, UNKNOWN) else self.digest


@dataclass(frozen=True)
class Mark:
    """What a stored body says of itself.

    `digest` is computed over the whole of it. `since` is the digest that the run handed to the turn
    which saved it, and `attempt` that turn's number of tries.
    """

    digest: str
    since: str
    attempt: int


NO_BODY = Mark("", "", 0)
"""A case begins without a body: its first turn makes it from the trigger."""


UNSEALED = "unsealed"
"""The digest of an anchor in a run that was started before bodies were sealed. It may accept a body
of that time, once, and hands over at once to a run that remembers."""
UNKNOWN = "unknown"
"""The digest of an anchor if no run can tell: no body is believed, until an operator decides."""


class Verdict(StrEnum):
    """What a turn may do with a stored body."""

    BELIEVED = "believed"
    IF_SEALED = "if_sealed"
    SUPERSEDED = "superseded"
    REFUSED = "refused"


def verdict(mark: Mark, anchor: Anchor) -> Verdict:
    """The run's own digest needs no seal; a save of this very turn, before it died, needs one.

    A later try of this turn has saved already: this one is left over, and ends.
    """
    if mark.digest == anchor.digest:
        return Verdict.BELIEVED
    if mark.since != anchor.digest or not mark.digest or anchor.digest == UNKNOWN:
        return Verdict.REFUSED
    return Verdict.SUPERSEDED if mark.attempt > anchor.attempt else Verdict.IF_SEALED

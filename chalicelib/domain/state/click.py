"""A click: what one authorised person asked of a case, as it was recorded. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.state.plan import Remedy


class Act(StrEnum):
    """What a person's click asks for."""

    LOOK = "look"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    KEEP = "keep"
    REJECT = "reject"
    CANCEL = "cancel"
    UNDO = "undo"
    REFRESH = "refresh"
    CONFIRM = "confirm"


LETS_BEGIN = frozenset({Act.APPROVE, Act.CONFIRM})
"""What lets a plan begin: it counts in its own round alone."""


@dataclass(frozen=True)
class Click:
    """One authorised click. `round` and `version` are the case's when it was made: no two are the same.

    A confirmation comes from AWS, not Slack: there `by` is the principal's ARN.
    """

    act: Act
    by: str
    at: datetime
    remedy: Remedy | None = None
    plan_hash: str = ""
    reason: str = ""
    override: bool = False
    target: str = ""
    view_id: str = ""
    owner: str = ""
    keep_until: datetime | None = None
    round: int = 1
    version: int = 0

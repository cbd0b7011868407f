"""What the Home tab shows to one person, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.case import Case


@dataclass(frozen=True)
class Home:
    """`more`: open cases that are not looked at, as there are too many. `frozen`: who stopped all changes, and why.

    `closed`: why this person sees none of it. `is_unread`: nobody could look.
    """

    waiting: tuple[Case, ...] = ()
    open: tuple[Case, ...] = ()
    kept: tuple[Case, ...] = ()
    scan: Scan | None = None
    frozen: str = ""
    channel: str = ""
    more: int = 0
    asked_by: frozenset[str] = field(default_factory=frozenset)
    closed: Refusal | None = None
    is_unread: bool = False

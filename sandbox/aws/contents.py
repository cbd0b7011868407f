"""What the HSMs of a cluster hold: kmsuser's password and the material of KMS's keys. Knows no API.

KMS sets a new password at each connect (KMS developer guide: disconnect-keystore), so a copy made
from an older backup has an older one, and lacks the keys that were made since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass
class Contents:
    """`passwords` are the moments at which one was set; `keys` are ids with their creation."""

    passwords: list[datetime] = field(default_factory=lambda: [FIRST])
    keys: dict[str, datetime] = field(default_factory=dict)

    @property
    def password(self) -> datetime:
        """The moment at which the one that holds was set; no two passwords share one."""
        return self.passwords[-1]

    def at(self, moment: datetime) -> Contents:
        """A copy, as it was then."""
        known = [since for since in self.passwords if since <= moment]
        return Contents(known, {key: made for key, made in self.keys.items() if made <= moment})

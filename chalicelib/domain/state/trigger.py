"""What opens a case. Knows neither cases nor AWS."""

from __future__ import annotations

from enum import StrEnum


class Trigger(StrEnum):
    """The value is what reports and logs call it."""

    DELETE_BLOCKED = "delete_blocked"
    STORE_DELETE_BLOCKED = "store_delete_blocked"
    CLUSTER_TAKEN = "cluster_taken"
    STORE_DOWN = "store_down"
    CLUSTER_LOST = "cluster_lost"
    SCAN = "scan"

    @property
    def is_outage(self) -> bool:
        """Keys fail now: it does not expire while it lasts, and it reminds."""
        return self in (Trigger.STORE_DOWN, Trigger.CLUSTER_LOST)

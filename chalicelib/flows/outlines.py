"""A sweep's looks at whole places: all clusters and key stores of an account and Region, once. Changes nothing."""

from __future__ import annotations

from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Ports


class Outlines:
    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._seen: dict[tuple[str, str], Snapshot | None] = {}

    def look(self, account: str, region: str) -> Snapshot | None:
        """None if not everything could be read: what can't be seen has not changed."""
        place = (account, region)
        if place not in self._seen:
            self._seen[place] = self._read(account, region)
        return self._seen[place]

    def _read(self, account: str, region: str) -> Snapshot | None:
        ports = self._ports
        try:
            seen = ports.inventory.outline(account, region, now=ports.clock())
        except (TemporaryError, PermanentError) as trouble:
            ports.log("sweep could not look", account=account, region=region, why=str(trouble))
            return None
        return None if seen.unread else seen

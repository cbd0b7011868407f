"""Open cases whose store, HSMs or cluster others have changed since the last look: the sweep wakes them.

Reads two lists an account and Region, and changes nothing in AWS.
"""

from __future__ import annotations

from chalicelib.domain.observe import seen_in
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import Conflict, PermanentError, TemporaryError
from chalicelib.ports import Ports

Place = tuple[str, str]


class Moved:
    """One sweep's look at each place, made when its first case comes."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._seen: dict[Place, Snapshot | None] = {}

    def wake(self, case: Case) -> bool:
        """True where the world is not as the case last saw it; its run then looks at once."""
        if case.is_over or case.seen is None:
            return False
        seen = self._look(case)
        if seen is None or seen_in(case, seen.siblings, seen.key_stores) == case.seen:
            return False
        try:
            token = self._ports.cases.touch(case.case_id)
            if token:
                self._ports.runs.wake(token)
        except (TemporaryError, PermanentError, Conflict) as trouble:
            self._ports.log("case not woken", case_id=case.case_id, why=str(trouble))
            return False
        self._ports.log("others changed something", case_id=case.case_id)
        return True

    def _look(self, case: Case) -> Snapshot | None:
        """None where not everything could be read: what can't be seen has not changed."""
        place = (case.account, case.region)
        if place not in self._seen:
            self._seen[place] = self._read(case)
        return self._seen[place]

    def _read(self, case: Case) -> Snapshot | None:
        try:
            seen = self._ports.inventory.outline(case)
        except (TemporaryError, PermanentError) as trouble:
            where = {"account": case.account, "region": case.region}
            self._ports.log("sweep could not look", **where, why=str(trouble))
            return None
        return None if seen.unread else seen

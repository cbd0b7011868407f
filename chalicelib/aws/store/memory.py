"""What sweeps read and remember in the table: open cases, how far they looked, what is down. Holds no case.

What nobody can read is passed over: one item that somebody spoilt must not keep the sweep from all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import Log
from chalicelib.aws.store.writes import OPEN, Writes, asking
from chalicelib.domain.rules.hearing import KnownOutage
from chalicelib.domain.scan import Scan
from chalicelib.ports import Pointer, SweepCursor

SWEEP, ROUND = "SWEEP", "ROUND"
SCAN, TOLD, HOMES = "SCAN", "TOLD", "HOMES"


class SweepMemory:
    """Items under one partition key: until when a place was looked at, the watch's round, what is down."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.writes = Writes(table)
        self._log = Log(table)

    def pointers(self, where: tuple[str, str] | None = None) -> Sequence[Pointer]:
        """All open and kept cases, or those of an account and Region."""
        found, place = [], "#".join(where or ())
        between = (f"{place}#", f"{place}#~") if where else None
        for item in self._log.query(OPEN, between=between):
            try:
                found.append(Pointer(str(item["case_id"]), *item["sk"].split("#")))
            except codec.UNREADABLE:
                continue
        return found

    def looked_until(self, account: str, region: str) -> datetime | None:
        item = self.writes.get(SWEEP, f"{account}#{region}")
        try:
            return codec.moment(item["until"]) if item else None
        except codec.UNREADABLE:
            return None

    def set_looked(self, account: str, region: str, until: datetime) -> None:
        self._put(f"{account}#{region}", until=until.isoformat())

    def watch_round(self) -> SweepCursor:
        item = self.writes.get(SWEEP, ROUND)
        try:
            return codec.load(item["round"], SweepCursor) if item else SweepCursor()
        except codec.UNREADABLE:
            return SweepCursor()

    def set_watch_round(self, now: SweepCursor) -> None:
        self._put(ROUND, round=codec.dump(now))

    def outages(self, account: str, region: str) -> Mapping[str, KnownOutage]:
        """Key stores that are known to be down. An earlier version noted only since when."""
        item = self.writes.get(SWEEP, f"DOWN#{account}#{region}")
        try:
            since = {**item.get("since", {}), **item.get("down", {})} if item else {}
            return {str(store): _outage(text) for store, text in since.items()}
        except codec.UNREADABLE:
            return {}

    def set_outages(self, account: str, region: str, known: Mapping[str, KnownOutage]) -> None:
        told = {store: codec.dump(one) for store, one in known.items()}
        self._put(f"DOWN#{account}#{region}", down=told)

    def scan(self) -> Scan | None:
        return self._scan(SCAN)

    def set_scan(self, scan: Scan) -> None:
        self._put(SCAN, scan=codec.packed(codec.dump(scan)))

    def told_scan(self) -> Scan | None:
        return self._scan(TOLD)

    def set_told_scan(self, scan: Scan) -> None:
        self._put(TOLD, scan=codec.packed(codec.dump(scan)))

    def _scan(self, which: str) -> Scan | None:
        """One of another version of the code is as good as none: the next scan writes it anew."""
        item = self.writes.get(SWEEP, which)
        try:
            return codec.load(codec.text_of(item["scan"]), Scan) if item else None
        except codec.UNREADABLE:
            return None

    def homes(self) -> Mapping[str, datetime]:
        """Who opened the Home tab, and when last."""
        item = self.writes.get(SWEEP, HOMES)
        found = item["users"] if item else {}
        return {user: datetime.fromisoformat(text) for user, text in found.items()}

    def set_homes(self, users: Mapping[str, datetime]) -> None:
        self._put(HOMES, users={user: when.isoformat() for user, when in users.items()})

    def _put(self, sort_key: str, **values: Any) -> None:
        with asking("PutItem"):
            self._table.put_item(Item={"pk": SWEEP, "sk": sort_key, **values})


def _outage(text: str) -> KnownOutage:
    return (
        codec.load(text, KnownOutage) if text.startswith("{") else KnownOutage(codec.moment(text))
    )

"""What the sweep reads of the table: open cases, how far it has looked, whose turn it is. What nobody can read is passed over.

One item that somebody spoilt must not keep the sweep from all other cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import Log
from chalicelib.aws.store.writes import OPEN, Writes, asking
from chalicelib.ports import Pointer, Round

ROUND = "ROUND"


class SweepMemory:
    def __init__(self, table: Any) -> None:
        self._table = table
        self.writes = Writes(table)
        self._log = Log(table)

    def pointers(self) -> Sequence[Pointer]:
        """All open and kept cases."""
        found = []
        for item in self._log.query(OPEN):
            try:
                found.append(Pointer(str(item["case_id"]), *item["sk"].split("#")))
            except codec.UNREADABLE:
                continue
        return found

    def looked_until(self, account: str, region: str) -> datetime | None:
        item = self.writes.get("SWEEP", f"{account}#{region}")
        try:
            return codec.moment(item["until"]) if item else None
        except codec.UNREADABLE:
            return None

    def set_looked(self, account: str, region: str, until: datetime) -> None:
        where = {"pk": "SWEEP", "sk": f"{account}#{region}"}
        with asking("PutItem"):
            self._table.put_item(Item={**where, "until": until.isoformat()})

    def watch_round(self) -> Round:
        item = self.writes.get("SWEEP", ROUND)
        try:
            return codec.load(item["round"], Round) if item else Round()
        except codec.UNREADABLE:
            return Round()

    def set_watch_round(self, now: Round) -> None:
        with asking("PutItem"):
            self._table.put_item(Item={"pk": "SWEEP", "sk": ROUND, "round": codec.dump(now)})

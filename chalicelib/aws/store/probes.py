"""The notes that the doctor's events have arrived, one for each account and Region. Knows no cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.ports import Seal

KIND = "PROBE"
Place = tuple[str, str]
"""Account and Region."""


@dataclass(frozen=True)
class Noted:
    """The record as it came, when the bot heard of it, and whether the inbox key sealed it."""

    record: Mapping[str, Any]
    heard_at: datetime
    is_sealed: bool


@dataclass(frozen=True)
class Probes:
    """`seal`: making one shows that the function may; who only reads needs none."""

    table: Any
    seal: Seal | None = None

    def note(self, record: Mapping[str, Any], *, place: Place, now: datetime) -> None:
        text = json.dumps(record)
        seal = self.seal.make(text) if self.seal else ""
        item = {**_key(place), "record": text, "heard_at": now.isoformat(), "seal": seal}
        self.table.put_item(Item=item)

    def last(self, place: Place) -> Noted | None:
        item = self.table.get_item(Key=_key(place)).get("Item")
        if item is None:
            return None
        at = datetime.fromisoformat(item["heard_at"])
        return Noted(json.loads(item["record"]), at, bool(item["seal"]))


def _key(place: Place) -> dict[str, str]:
    return {"pk": KIND, "sk": " ".join(place)}

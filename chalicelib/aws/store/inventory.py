"""Keys known to be in no custom key store, per account and Region: asked once, never again.

Only of keys whose own metadata said so.
"""

from __future__ import annotations

import uuid
from typing import Any

from chalicelib.aws.store.log import Log
from chalicelib.aws.store.writes import asking

SIZE = 8
CHUNK = 40_000
"""Digests an item: 320 kB of the 400 that an item holds."""


class DynamoKnownKeys:
    """A growing set of digests; items are only ever added, so that writers never clash."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def load(self, account: str, region: str) -> set[bytes]:
        found: set[bytes] = set()
        for item in Log(self._table).query(_list_of(account, region)):
            raw = bytes(item["digests"])
            found.update(raw[i : i + SIZE] for i in range(0, len(raw), SIZE))
        return found

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        ordered = sorted(digests)
        for start in range(0, len(ordered), CHUNK):
            some = b"".join(ordered[start : start + CHUNK])
            where = {"pk": _list_of(account, region), "sk": uuid.uuid4().hex}
            with asking("PutItem"):
                self._table.put_item(Item={**where, "digests": some})


def _list_of(account: str, region: str) -> str:
    """Another name than before: the older lists also held keys that KMS did not know for a moment."""
    return f"IN_NO_STORE#{account}#{region}"

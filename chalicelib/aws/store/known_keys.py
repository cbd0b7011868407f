"""Keys known to be in no custom key store, per account and Region: asked once, never again.

Only of keys whose own metadata said so, and only as a turn wrote it: who could add a key of a store
to the list would hide it from every plan. A list without its seal is made anew.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.aws.store.log import Log
from chalicelib.aws.store.writes import asking
from chalicelib.ports import Seal

SIZE = 8
CHUNK = 40_000
"""Digests an item: 320 kB of the 400 that an item holds."""


class DynamoKnownKeys:
    """A growing set of digests; items are only ever added, so that writers never clash."""

    def __init__(self, table: Any, seal: Seal) -> None:
        self._table, self._seal = table, seal
        self._held: set[tuple[str, str]] = set()

    def load(self, account: str, region: str) -> set[bytes]:
        found: set[bytes] = set()
        for item in Log(self._table).query(_list_of(account, region)):
            try:
                raw, seal = bytes(item["digests"]), str(item["seal"])
                said = _said(item["pk"], item["sk"], raw)
            except codec.UNREADABLE:
                continue
            if self._holds(said, seal):
                found.update(raw[i : i + SIZE] for i in range(0, len(raw), SIZE))
        return found

    def _holds(self, said: str, seal: str) -> bool:
        """A seal that held is not asked of KMS again: an item is never changed."""
        if (said, seal) in self._held:
            return True
        if self._seal.holds(said, seal):
            self._held.add((said, seal))
        return (said, seal) in self._held

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        ordered = sorted(digests)
        for start in range(0, len(ordered), CHUNK):
            some = b"".join(ordered[start : start + CHUNK])
            where = {"pk": _list_of(account, region), "sk": uuid.uuid4().hex}
            seal = self._seal.make(_said(where["pk"], where["sk"], some))
            with asking("PutItem"):
                self._table.put_item(Item={**where, "digests": some, "seal": seal})


def _said(pk: str, sk: str, digests: bytes) -> str:
    """What the seal of an item vouches for: also its place, so that none is copied to another account."""
    return json.dumps(["known", pk, sk, hashlib.sha256(digests).hexdigest()])


def _list_of(account: str, region: str) -> str:
    """Another name than before: the older lists had no seals."""
    return f"KEYS_IN_NO_STORE#{account}#{region}"

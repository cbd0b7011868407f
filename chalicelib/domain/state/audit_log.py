"""The audit log of a case: append-only entries, each carrying the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened. Thread lines are told from these."""

    OPENED = "opened"
    ATTEMPT = "attempt"
    READ = "read"
    APPROVED = "approved"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"
    ONCE_MORE = "once_more"
    BEGAN = "began"
    INTENT = "intent"
    RESULT = "result"
    DRY_RUN = "dry_run"
    QUIET = "quiet"
    KEPT = "kept"
    LAPSED = "lapsed"
    ASKED_BACK = "asked_back"
    REOPENED = "reopened"
    KEYS_GONE = "keys_gone"
    KEY_USED = "key_used"
    REMINDED = "reminded"
    OVERDUE = "overdue"
    FORGED = "forged"
    TAKEN_IN = "taken_in"
    TRUSTED = "trusted"
    CLOSED = "closed"


@dataclass(frozen=True)
class Entry:
    """One line. `data` holds strings only, so that its JSON is the same everywhere."""

    kind: Kind
    at: datetime
    data: tuple[tuple[str, str], ...] = ()
    number: int = 0
    previous: str = ""
    hash: str = ""

    def __getitem__(self, name: str) -> str:
        return dict(self.data).get(name, "")


def entry(kind: Kind, at: datetime, **data: object) -> Entry:
    """An entry that is not in a chain yet; values become strings, empty ones are left out."""
    words = tuple((name, str(value)) for name, value in data.items() if value not in ("", None))
    return Entry(kind, at, words)


def chained(entries: Iterable[Entry], *, length: int, head: str) -> tuple[Entry, ...]:
    """The entries numbered and hashed, after a log of this length and head."""
    done = []
    for number, plain in enumerate(entries, start=length + 1):
        linked = Entry(plain.kind, plain.at, plain.data, number, head)
        head = digest(linked)
        done.append(Entry(plain.kind, plain.at, plain.data, number, linked.previous, head))
    return tuple(done)


def digest(item: Entry) -> str:
    """SHA-256 over number, previous hash, kind, time and data."""
    parts = [item.number, item.previous, item.kind, item.at.isoformat(), list(item.data)]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def flaws(entries: Iterable[Entry], *, head: str | None = None) -> tuple[str, ...]:
    """What is wrong with a log, each place named: changed, dropped or reordered entries."""
    found = []
    previous, number = "", 0
    for item in entries:
        number += 1
        if item.number != number:
            found.append(f"entry {number} is missing or out of order: found number {item.number}")
            number = item.number
        if item.previous != previous:
            found.append(f"entry {item.number} does not follow the one before it")
        if digest(item) != item.hash:
            found.append(f"entry {item.number} was changed after it was written")
        previous = item.hash
    if head is not None and previous != head:
        found.append("the log ends too early: its last entry is not the one that the case names")
    return tuple(found)

"""The audit log's chain: whatever is changed, dropped or moved is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.domain.state.audit_log import Entry, Kind, chained, digest, entry, flaws
from tests.domain.worlds import HOURS, NOW

Log = tuple[Entry, ...]
HASH = "60d5f8c9191db75cf95921a4a102c35765c8aa2c0685edcb4534ddecf836e63a"
LOG = chained(
    (
        entry(Kind.OPENED, NOW, cluster="cluster-1"),
        entry(Kind.APPROVED, NOW + HOURS, by="alice", override="", tries=0, nothing=None),
        entry(Kind.INTENT, NOW + HOURS, operation="kms:DisconnectCustomKeyStore"),
        entry(Kind.CLOSED, NOW + 2 * HOURS, outcome="retired"),
    ),
    length=0,
    head="",
)


def resealed(log: Log, number: int, **change: object) -> Log:
    """A forger who also corrects the hash of the entry that was changed."""
    forged = replace(log[number - 1], **change)  # type: ignore[arg-type]
    return (*log[: number - 1], replace(forged, hash=digest(forged)), *log[number:])


FORGED: list[tuple[str, Callable[[Log], Log], str]] = [
    ("data", lambda log: (log[0], replace(log[1], data=(("by", "mallory"),)), *log[2:]), "entry 2 was changed after it"),
    ("time", lambda log: (replace(log[0], at=NOW + HOURS), *log[1:]), "entry 1 was changed"),
    ("kind", lambda log: (replace(log[0], kind=Kind.READ), *log[1:]), "entry 1 was changed"),
    ("a corrected hash", lambda log: resealed(log, 2, data=()), "entry 3 does not follow"),
    ("the last one corrected", lambda log: resealed(log, 4, data=()), "the log ends too early"),
    ("dropped", lambda log: (log[0], *log[2:]), "entry 2 is missing or out of order: found number 3"),
    ("the first dropped", lambda log: log[1:], "entry 1 is missing"),
    ("swapped", lambda log: (log[0], log[2], log[1], log[3]), "entry 2 is missing or out of order: found number 3"),
    ("cut off", lambda log: log[:-1], "the log ends too early"),
    ("doubled", lambda log: (*log, log[-1]), "entry 5 is missing or out of order"),
    ("all gone", lambda log: (), "the log ends too early"),
]  # fmt: skip


ENDS = (
    "was changed after it was written",
    "does not follow the one before it",
    "is not the one that the case names",
    *(f"found number {number}" for number in range(1, 5)),
)


@pytest.mark.parametrize(("why", "forge", "words"), FORGED, ids=[row[0] for row in FORGED])
def test_a_flaw_is_named(why: str, forge: Callable[[Log], Log], words: str) -> None:
    found = flaws(forge(LOG), head=LOG[-1].hash)
    assert any(flaw.startswith(words) for flaw in found), (why, found)
    assert all(flaw.endswith(ENDS) for flaw in found), "each is a whole sentence"


def test_a_whole_log_has_no_flaw() -> None:
    assert flaws(LOG) == ()
    assert flaws(LOG, head=LOG[-1].hash) == ()
    assert flaws(()) == ()
    assert flaws((), head="") == ()


def test_a_log_may_be_written_in_parts() -> None:
    first = chained(LOG[:2], length=0, head="")
    second = chained(LOG[2:], length=2, head=first[-1].hash)
    assert (*first, *second) == LOG


def test_an_entry_holds_words_and_leaves_out_what_is_empty() -> None:
    said = entry(Kind.APPROVED, NOW, by="alice", override="", tries=0, nothing=None)
    assert said == Entry(Kind.APPROVED, NOW, (("by", "alice"), ("tries", "0")))
    assert said["by"] == "alice"
    assert said["override"] == ""


def test_a_hash_never_changes() -> None:
    """Else every stored log would look forged."""
    written = LOG[1]
    assert written.previous == LOG[0].hash
    assert written.hash == digest(written)
    assert digest(Entry(Kind.OPENED, NOW, (("cluster", "Zürich"),), 1, "")) == HASH

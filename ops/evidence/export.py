"""The log of a case as a file that proves itself, and back. A flaw in a file is named, never fixed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.state.audit_log import Entry, Kind, flaws
from chalicelib.domain.state.case import Case
from ops.evidence.approved import unapproved, unbound

COLUMNS = ("case_id", "log_head", "number", "at", "kind", "data", "previous", "hash")
FORMATS = ("jsonl", "csv")
ABOUT_PLACE = ("account", "region", "cluster_id")
ENTRY = ("number", "at", "kind", "data", "previous", "hash")


@dataclass(frozen=True)
class Export:
    """What a file holds. `unread` are its lines that are no entries, in words."""

    case_id: str
    head: str
    entries: tuple[Entry, ...]
    unread: tuple[str, ...] = ()
    place: tuple[str, ...] = ()

    def flaws(self, *, head: str = "", case_id: str = "") -> tuple[str, ...]:
        """All that is wrong with it. `head` is a hash, or its beginning, that was noted down elsewhere.

        `case_id` is the case that it has to be of; "": the one that it says.
        """
        found = [*self.unread, *flaws(self.entries, head=self.head or None)]
        found += unbound(self.entries, case_id=self.case_id, place=self.place)
        if case_id and self.case_id != case_id:
            found.append(
                f"the file says that it is of {self.case_id or 'no case'}, not of {case_id}"
            )
        if head and not (self.entries and self.entries[-1].hash.startswith(head)):
            found.append(
                "the last hash is not the one that was given: the log is another, or ends too early"
            )
        return (*found, *unapproved(self.entries))


def jsonl(case: Case, entries: Sequence[Entry]) -> Iterator[str]:
    """First what the case says of its log, then an entry a line."""
    about = {
        "case_id": case.case_id,
        "account": case.account,
        "region": case.region,
        "cluster_id": case.cluster_id,
        "log_length": case.log_length,
        "log_head": case.log_head,
    }
    yield json.dumps(about)
    for item in entries:
        yield json.dumps(_plain(item), ensure_ascii=False)


def as_csv(case: Case, entries: Sequence[Entry]) -> Iterator[str]:
    """Every row also names the case and its log’s last hash."""
    yield _row(COLUMNS)
    for item in entries:
        plain = _plain(item) | {"case_id": case.case_id, "log_head": case.log_head}
        plain["data"] = json.dumps(plain["data"], ensure_ascii=False)
        yield _row(plain[name] for name in COLUMNS)


def read(text: str) -> Export:
    """An export in either format, told apart by its first character."""
    return _read_jsonl(text) if text.lstrip().startswith("{") else _read_csv(text)


def _read_jsonl(text: str) -> Export:
    about: Mapping[str, Any] = {}
    entries, unread = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            if number == 1 and "log_head" in found:
                about = found
            else:
                entries.append(_entry(found))
        except (ValueError, KeyError, TypeError) as error:
            unread.append(f"line {number} is no log entry: {error}")
    if not about:
        unread.insert(0, "the first line does not say which case this is")
    return Export(
        str(about.get("case_id", "")),
        str(about.get("log_head", "")),
        tuple(entries),
        tuple(unread),
        tuple(str(about[name]) for name in ABOUT_PLACE) if set(ABOUT_PLACE) <= set(about) else (),
    )


def _read_csv(text: str) -> Export:
    entries, unread = [], []
    names: set[tuple[str, str]] = set()
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            entries.append(_entry({**row, "data": json.loads(row["data"])}))
            names.add((row["case_id"], row["log_head"]))
        except (ValueError, KeyError, TypeError) as error:
            unread.append(f"row {number} is no log entry: {error}")
    if len(names) != 1:
        unread.append("the rows don’t name one case and one last hash")
    case_id, head = min(names) if names else ("", "")
    return Export(case_id, head, tuple(entries), tuple(unread))


def _plain(item: Entry) -> dict[str, Any]:
    return {
        "number": item.number,
        "at": item.at.isoformat(),
        "kind": str(item.kind),
        "data": [list(pair) for pair in item.data],
        "previous": item.previous,
        "hash": item.hash,
    }


def _entry(plain: Mapping[str, Any]) -> Entry:
    missing = [name for name in ENTRY if plain.get(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")
    return Entry(
        kind=Kind(plain["kind"]),
        at=datetime.fromisoformat(plain["at"]),
        data=tuple((str(name), str(value)) for name, value in plain["data"]),
        number=int(plain["number"]),
        previous=str(plain["previous"]),
        hash=str(plain["hash"]),
    )


def _row(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()

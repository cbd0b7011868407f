"""The inbox of a case: what others than its turns add to it, each entry sealed. Never touches the body."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.aws.store import codec
from chalicelib.domain.state.case import KeyUse
from chalicelib.domain.state.click import Click
from chalicelib.ports import CaseTrigger, Seal

INBOX = "INBOX"
"""The sort key of the item that triggers, uses and clicks are written to."""
MOST_BYTES = 165_000
"""Of triggers, and of uses, that no turn has heard, as UTF-8: an item holds 400 kB, and a click must find room."""
MOST_COUNTED = 10**15
"""Versions and generations stay far below."""
TRIGGERS, CLICKS, USES = "triggers", "clicks", "key_uses"
KINDS: dict[str, type[Any]] = {TRIGGERS: CaseTrigger, CLICKS: Click, USES: KeyUse}
T = TypeVar("T")


def sealed_entry(seal: Seal, case_id: str, kind: str, value: Any) -> str:
    """An entry as it is stored: its seal, a blank, its JSON."""
    text = codec.dump(value)
    return f"{seal.make(sealed_text(case_id, kind, text))} {text}"


def sealed_text(case_id: str, kind: str, text: str) -> str:
    """What a seal vouches for: this entry, of this kind, of this case."""
    return json.dumps(["inbox", case_id, kind, text])


def split(entry: str) -> tuple[str, str]:
    """Seal and JSON of an entry."""
    seal, _, text = entry.partition(" ")
    return seal, text


@dataclass(frozen=True)
class Inbox:
    """The stored item. Its entries are what somebody wrote: nothing in them is trusted without its seal.

    `first` is the trigger that opened the case; it stays when a turn has heard it, as it alone
    says of which cluster the case is. `waiting` has the entries that no turn has heard yet, by kind.
    """

    case_id: str
    version: int
    generation: int
    first: str
    waiting: Mapping[str, tuple[str, ...]]
    token: str = ""
    refused: str = ""


def inbox_from(item: dict[str, Any]) -> Inbox:
    """Raises what a stored item can be wrong in: see UNREADABLE in codec.py."""
    return Inbox(
        case_id=str(item["pk"]).partition("#")[2],
        version=_number(item["version"]),
        generation=_number(item["generation"]),
        first=str(item["first"]),
        token=str(item.get("token", "")),
        waiting={kind: tuple(map(str, _list(item[kind]))) for kind in KINDS},
        refused=str(item.get("refused", "")),
    )


def _number(stored: Any) -> int:
    """As writes to it count on: DynamoDB compares no text with a number, and adds to none beyond 38 digits."""
    if isinstance(stored, str | bool) or not 0 <= stored < MOST_COUNTED:
        raise ValueError(f"{stored!r:.50} is not a number that Unlatch counts with")
    return int(stored)


def _list(stored: Any) -> list[Any]:
    if not isinstance(stored, list):
        raise TypeError("entries are appended to a list")
    return stored


def opened(case_id: str, first: str) -> dict[str, Any]:
    """The item of a case that has just been opened by this trigger."""
    return {
        "pk": f"CASE#{case_id}",
        "sk": INBOX,
        "version": 0,
        "generation": 0,
        "first": first,
        **{kind: [] for kind in KINDS},
    }


def has_room(entries: Sequence[str]) -> bool:
    """If another entry of their kind may still be added: see MOST_BYTES."""
    return sum(len(entry.encode(errors="replace")) for entry in entries) < MOST_BYTES


def parsed(entry: str, kind: type[T]) -> T | None:
    """None if it can't be read."""
    try:
        return codec.load(split(entry)[1], kind)
    except codec.UNREADABLE:
        return None


def read(entries: Sequence[str], kind: type[T], *, is_ours: Callable[[str], bool]) -> list[T]:
    """The entries that can be read and are ours, each once, in order."""
    ours = (entry for entry in dict.fromkeys(entries) if is_ours(entry))
    return [value for entry in ours if (value := parsed(entry, kind)) is not None]

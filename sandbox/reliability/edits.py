"""Every edit of a case's items by somebody who writes the table: one thing changed, removed, swapped, put back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from chalicelib.aws.store import codec
from chalicelib.domain.state.case import Case
from sandbox.reliability.fast_case import Items

BODY, INBOX, LOG = "BODY", "INBOX", "LOG#"
KINDS = ("edited", "removed", "swapped", "put back")
ENTRIES = ("triggers", "clicks", "key_uses")
KEYS = ("pk", "sk")
Item = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """`items` is what the table holds afterwards; `what` says in words what was done to it."""

    kind: str
    what: str
    items: Items


def edits(
    case_id: str, items: Items, *, other: Items, other_id: str, earlier: Sequence[Items]
) -> Iterator[Edit]:
    """Of the items as they are now; `other` are another case's, `earlier` what this one's once were."""
    theirs = {sk: item for (pk, sk), item in other.items() if pk == f"CASE#{other_id}"}
    for sk in (BODY, INBOX):
        yield from _of_item(case_id, items, sk, theirs.get(sk, {}))
    yield from _of_fields(case_id, items, theirs.get(BODY, {}))
    yield from _of_entries(case_id, items, theirs.get(INBOX, {}))
    yield from _put_back(case_id, items, earlier)


def _of_item(case_id: str, items: Items, sk: str, theirs: Item) -> Iterator[Edit]:
    """Each attribute, and the whole."""
    where = (f"CASE#{case_id}", sk)
    mine = items.get(where)
    if theirs:
        yield Edit("swapped", sk, items | {where: {**theirs, "pk": where[0]}})
    if mine is None:
        return
    yield Edit("removed", sk, {key: item for key, item in items.items() if key != where})
    for name, value in mine.items():
        if name in KEYS:
            continue
        for number, odd in enumerate(_odd(value)):
            yield _edited("edited", f"{sk}.{name} ({number})", items, mine, {name: odd})
        yield _without(f"{sk}.{name}", items, mine, name)
        if name in theirs:
            yield _edited("swapped", f"{sk}.{name}", items, mine, {name: theirs[name]})


def _odd(value: Any) -> list[Any]:
    """Other values of this kind, of another kind, and some that hurt."""
    if isinstance(value, bool) or not isinstance(value, int | str | bytes | list):
        return [None, "", 7]
    if isinstance(value, int):
        return [value + 1, value - 1, value + 1_000, str(value), 10**37, "x"]
    if isinstance(value, list):
        return [[], [*value, *value], [*value, "x"], "x", [7]]
    return ["", "x", 7, value[:-1], value[::-1]]


def _edited(kind: str, what: str, items: Items, item: Item, values: Mapping[str, Any]) -> Edit:
    return Edit(kind, what, items | {(item["pk"], item["sk"]): {**item, **values}})


def _without(what: str, items: Items, item: Item, name: str) -> Edit:
    left = {key: value for key, value in item.items() if key != name}
    return Edit("removed", what, items | {(item["pk"], item["sk"]): left})


def _of_fields(case_id: str, items: Items, theirs: Item) -> Iterator[Edit]:
    """Each field of the case within its body, also those that are left out as they have their default."""
    mine = items.get((f"CASE#{case_id}", BODY))
    if mine is None:
        return
    body = json.loads(codec.text_of(mine["body"]))
    others = json.loads(codec.text_of(theirs["body"])) if theirs else {}
    for name in [field.name for field in fields(Case)]:
        changed = [("edited", _other(body[name]))] if name in body else []
        if name in others and others[name] != body.get(name):
            changed.append(("swapped", others[name]))
        for kind, value in changed:
            packed = codec.packed(json.dumps({**body, name: value}))
            yield _edited(kind, f"field {name}", items, mine, {"body": packed})
        if name in body:
            left = json.dumps({key: value for key, value in body.items() if key != name})
            yield _edited("removed", f"field {name}", items, mine, {"body": codec.packed(left)})


def _other(value: Any) -> Any:
    """Something else of the same kind, which can be read."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case list():
            return value[:-1]
    return {}


def _of_entries(case_id: str, items: Items, theirs: Item) -> Iterator[Edit]:
    """Each entry that waits in the inbox: each of its words, its place, its seal, and others' entries."""
    mine = items.get((f"CASE#{case_id}", INBOX))
    if mine is None:
        return
    for kind in ENTRIES:
        for number, entry in enumerate(mine.get(kind, ())):
            rest = [one for place, one in enumerate(mine[kind]) if place != number]
            name = f"{kind}[{number}]"
            for word, odd in _words(entry):
                changed = {kind: [*rest, odd]}
                yield _edited("edited", f"{name}.{word}", items, mine, changed)
            yield _edited("edited", f"{name} twice", items, mine, {kind: [*mine[kind], entry]})
            yield _edited("removed", name, items, mine, {kind: rest})
            for place in set(ENTRIES) - {kind}:
                moved = {kind: rest, place: [*mine[place], entry]}
                yield _edited("edited", f"{name} as {place}", items, mine, moved)
        strange = [*theirs.get(kind, ()), *([theirs["first"]] if theirs else [])]
        for entry in strange:
            added = {kind: [*mine.get(kind, ()), entry]}
            yield _edited("swapped", f"{kind} and another case's", items, mine, added)


def _words(entry: str) -> Iterator[tuple[str, str]]:
    """The entry with each of its words changed, under the seal of before; and with other seals."""
    seal, _, text = entry.partition(" ")
    value = json.loads(text)
    for name, word in value.items():
        yield name, f"{seal} {json.dumps({**value, name: _other(word)})}"
        left = {key: one for key, one in value.items() if key != name}
        yield f"{name} left out", f"{seal} {json.dumps(left)}"
    yield "seal", f"bm8= {text}"
    yield "no seal", text


def _put_back(case_id: str, items: Items, earlier: Sequence[Items]) -> Iterator[Edit]:
    """The whole, and each half of it, as at each earlier moment; and what its inbox held then, once more."""
    now = {sk: item for (pk, sk), item in items.items() if pk == f"CASE#{case_id}"}
    for number, before in enumerate(earlier):
        then = {sk: item for (pk, sk), item in before.items() if pk == f"CASE#{case_id}"}
        whole = {key: item for key, item in items.items() if key[0] != f"CASE#{case_id}"}
        whole |= {
            key: item for key, item in before.items() if key[0] in (f"CASE#{case_id}", "OPEN")
        }
        yield Edit("put back", f"all of moment {number}", whole)
        for sk in (BODY, INBOX):
            if sk in then and then[sk] != now.get(sk):
                where = (f"CASE#{case_id}", sk)
                yield Edit("put back", f"{sk} of moment {number}", items | {where: then[sk]})
        for kind in ENTRIES:
            again = [e for e in then.get(INBOX, {}).get(kind, ()) if e not in now[INBOX][kind]]
            if again:
                more = {kind: [*now[INBOX][kind], *again]}
                yield _edited("put back", f"{kind} of moment {number}", items, now[INBOX], more)

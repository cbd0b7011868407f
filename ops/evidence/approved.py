"""Whether a log by itself shows that the right people had approved each call. Pure: asks nobody, believes the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.state.audit_log import Entry, Kind
from chalicelib.domain.state.plan import IRREVERSIBLE

PLACE = ("account", "region", "cluster")
OLDER = "it was written by an older version, which noted no places, rounds and quorums: they are not compared"


def unbound(
    entries: Sequence[Entry], *, case_id: str = "", place: Sequence[str] = ()
) -> tuple[str, ...]:
    """Why the log is not of this case and place; "" or () if nobody says which it has to be."""
    first = entries[0] if entries else None
    if first is None or first.kind is not Kind.OPENED:
        return ("entry 1 does not open a case",)
    found = []
    if case_id and first["case_id"] not in ("", case_id):
        found.append(f"the log is of {first['case_id']}, not of {case_id}")
    for name, asked in zip(PLACE, place, strict=False):
        if first[name] not in ("", asked):
            found.append(f"the log is of {name} {first[name]}, not {asked}")
    return tuple(found)


def unknown(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What this log can’t show, since an older version wrote it."""
    found = []
    if entries and not entries[0]["case_id"]:
        found.append("entry 1 does not say of which case it is: an older version wrote it")
    if any(e.kind in (Kind.BEGAN, Kind.INTENT) and not e["round"] for e in entries):
        found.append(OLDER)
    return tuple(found)


def unapproved(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Calls that no approved plan and no way back covers, and plans with too few approvals."""
    return tuple(_judged(entries))


def _judged(entries: Sequence[Entry]) -> Iterator[str]:
    began: Entry | None = None
    back: Entry | None = None
    again = False
    for number, item in enumerate(entries):
        match item.kind:
            case Kind.BEGAN:
                began, back, again = item, None, False
                yield from _elsewhere(item, entries[0])
                yield from _too_few(item, entries[:number])
            case Kind.VOIDED:
                began = None
            case Kind.ASKED_BACK:
                back = item
            case Kind.ONCE_MORE:
                again = True
            case Kind.INTENT:
                yield from _elsewhere(item, entries[0])
                yield from _uncovered(item, began, back, again=again)
            case Kind.RESULT if intent_of(item, entries[:number]) is None:
                yield f"{_named(item)}: nothing was noted before this call"


def intent_of(result: Entry, before: Sequence[Entry]) -> Entry | None:
    """The entry before the call that this one is the answer to."""
    call = (result["operation"], result["target"])
    return next(
        (
            e
            for e in reversed(before)
            if e.kind is Kind.INTENT and (e["operation"], e["target"]) == call
        ),
        None,
    )


def _elsewhere(item: Entry, opened: Entry) -> Iterator[str]:
    """Of another account, Region or cluster than the case."""
    for name in PLACE:
        if item[name] and opened[name] and item[name] != opened[name]:
            yield f"{_named(item)}: in {name} {item[name]}, but the case is of {opened[name]}"


def _too_few(began: Entry, before: Sequence[Entry]) -> Iterator[str]:
    """A plan begins on approvals of its own hash and round, by as many people as its terms ask for."""
    if not began["people"]:
        return
    given, people = _standing(Kind.APPROVED, began, before), _whole(began["people"])
    if people < 1 or len(given) < people:
        yield f"{_named(began)}: {began['people']} people were needed, {len(given)} had approved it"
    strange = sorted(set(began["by"].split()) - given)
    if strange:
        yield f"{_named(began)}: {', '.join(strange)} had not approved it"
    if began["step_up"] and not _standing(Kind.CONFIRMED, began, before):
        yield f"{_named(began)}: nobody had confirmed it in AWS"


def _standing(kind: Kind, began: Entry, before: Sequence[Entry]) -> set[str]:
    """Who had said so, and had not taken it back."""
    given: set[str] = set()
    for item in before:
        same = item["plan_hash"] == began["plan_hash"] and item["round"] in ("", began["round"])
        if item.kind is kind and same:
            given.add(item["by"])
        elif item.kind is Kind.WITHDRAWN:
            given.discard(item["by"])
    return given


def _uncovered(
    intent: Entry, began: Entry | None, back: Entry | None, *, again: bool
) -> Iterator[str]:
    """The way back needs no plan, and deletes nothing."""
    if back is not None:
        if intent["operation"] in IRREVERSIBLE:
            yield f"{_named(intent)}: {back['by']} had asked to go back by then"
        return
    if began is None:
        yield f"{_named(intent)}: no approved plan was under way"
        return
    if intent["plan_hash"] != began["plan_hash"]:
        yield f"{_named(intent)}: it belongs to another plan than the approved one"
    if intent["round"] and began["round"]:
        now, then = _whole(intent["round"]), _whole(began["round"])
        if now < then or (now > then and not again):
            yield f"{_named(intent)}: in round {intent['round']}, approved in {began['round']}"


def _whole(text: str) -> int:
    """-1 if it is not a number: an export holds what somebody wrote."""
    return int(text) if text.isdecimal() else -1


def _named(item: Entry) -> str:
    about = f"{item['operation']} of {item['target']}" if item["operation"] else item["remedy"]
    return f"entry {item.number} ({about})"

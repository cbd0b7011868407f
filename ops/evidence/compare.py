"""Holds a case’s log against what CloudTrail saw. Pure: names each difference, judges nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.aws.accounts import source_identity
from chalicelib.domain.state.audit_log import Entry, Kind
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.zones import zone_of
from ops.evidence.approved import intent_of
from ops.evidence.trail import Seen

DELAY = timedelta(minutes=15)
"""How long CloudTrail may take to tell of a call."""
MEMORY = timedelta(days=90)
"""How far back LookupEvents sees."""
APART = timedelta(minutes=2)
"""At most so far from its log entry is a call whose answer was never seen."""
UNKNOWN = "CloudTrail saw this call, the log has no entry of it"
DECIDES = (Kind.APPROVED, Kind.ASKED_BACK)


@dataclass(frozen=True)
class Comparison:
    """`differences` are for people. `pending` counts calls too young for CloudTrail to know of,

    `forgotten` those that it no longer tells of.
    """

    matched: int
    differences: tuple[str, ...]
    pending: int = 0
    forgotten: int = 0


def compare(
    entries: Sequence[Entry], calls: Sequence[Seen], *, roles: tuple[str, ...], now: datetime
) -> Comparison:
    """Every call needs an entry, every entry a call, every call somebody who had decided before it."""
    done = _answers(entries)
    intents = _unanswered(entries)
    differences: list[str] = []
    seen: set[str] = set()
    matched = 0
    for call in calls:
        answered = done.get(call.request_id)
        intent = answered[1] if answered else _intent_of(call, intents)
        before = _before(call, entries, answered[0] if answered else intent)
        differences += _identity(call, before, roles=roles)
        if intent is None:
            differences.append(f"{_call(call)}: {UNKNOWN}")
            continue
        matched += 1
        differences += _elsewhere(call, intent)
        if answered:
            seen.add(call.request_id)
            differences += _contradictions(call, answered[0])
        else:
            intents.remove(intent)
    unseen = [done[request_id][0] for request_id in done if request_id not in seen]
    young = [e for e in unseen if now - e.at < DELAY]
    old = [e for e in unseen if now - e.at > MEMORY]
    silent = [e for e in unseen if e not in young and e not in old]
    differences += [f"{_line(entry)}: CloudTrail saw no such call" for entry in silent]
    return Comparison(matched, tuple(differences), len(young), len(old))


def _answers(entries: Sequence[Entry]) -> dict[str, tuple[Entry, Entry]]:
    """By request id: the entry after the call, and the one before it."""
    return {
        e["request_id"]: (e, intent_of(e, entries[:number]) or e)
        for number, e in enumerate(entries)
        if e.kind is Kind.RESULT and e["request_id"]
    }


def _unanswered(entries: Sequence[Entry]) -> list[Entry]:
    """Intents without a request id of AWS’s: the answer was never seen, or told none."""
    left: list[Entry] = []
    for entry in entries:
        if entry.kind is Kind.INTENT:
            left.append(entry)
        elif entry.kind is Kind.RESULT and entry["request_id"]:
            same = [e for e in left if _call_of(e) == _call_of(entry)]
            left = [e for e in left if e not in same[-1:]]
    return left


def _call_of(entry: Entry) -> tuple[str, str]:
    return entry["operation"], entry["target"]


def _contradictions(call: Seen, entry: Entry) -> list[str]:
    found = []
    if entry["operation"] != call.operation:
        found.append(f"entry {entry.number} says {entry['operation']}, CloudTrail {call.operation}")
    if entry["status"] == "done" and call.error:
        found.append(f"entry {entry.number} says done, CloudTrail says {call.error}")
    if entry["status"] == "refused" and not call.error:
        found.append(f"entry {entry.number} says refused, CloudTrail says it was carried out")
    return found


def _elsewhere(call: Seen, intent: Entry) -> list[str]:
    """On another target, or in another account or Region, than was noted before the call."""
    found = []
    is_hidden = bool(call.error) and not call.parameters
    if not is_hidden and not _same_target(call, intent):
        found.append(f"{_call(call)}: not on {intent['target']}, as entry {intent.number} says")
    for name, there in (("account", call.account), ("region", call.region)):
        if intent[name] and intent[name] != there:
            said = f"{name} {there}, entry {intent.number} says {intent[name]}"
            found.append(f"{_call(call)}: in {said}")
    return found


def _intent_of(call: Seen, intents: Sequence[Entry]) -> Entry | None:
    """The entry that was written before this call, in the list of the unanswered."""
    for intent in intents:
        same = intent["operation"] == call.operation and _same_target(call, intent)
        if same and abs(call.at - intent.at) <= APART:
            return intent
    return None


def _same_target(call: Seen, intent: Entry) -> bool:
    """HSMs are bound by zone and backups by being the newest, so their ids are not in the log."""
    match call.operation:
        case Operation.KEEP_BACKUP:
            return True
        case Operation.DELETE_HSM:
            return _in_cluster(call, intent)
        case Operation.CREATE_HSM:
            return call.names(zone_of(intent["target"])) and _in_cluster(call, intent)
    return call.names(intent["target"])


def _in_cluster(call: Seen, intent: Entry) -> bool:
    """Older logs don't name it there."""
    return not intent["cluster"] or call.names(intent["cluster"])


def _before(call: Seen, entries: Sequence[Entry], own: Entry | None) -> list[Entry]:
    """What the log says up to a call: by its own entry, as clocks differ; else by the time."""
    if own is not None:
        return [entry for entry in entries if entry.number < own.number]
    return [entry for entry in entries if entry.at <= call.at + APART]


def _identity(call: Seen, before: Sequence[Entry], *, roles: tuple[str, ...]) -> list[str]:
    """Not our role, another session, or nobody who had decided by then."""
    found = []
    if call.role not in roles:
        found.append(f"{_call(call)}: made as {call.role}, which is no role of Unlatch’s that acts")
    if not call.session.startswith("case-"):
        found.append(f"{_call(call)}: made in the session {call.session}, which is no case")
    deciders = {source_identity(entry["by"]) for entry in before if entry.kind in DECIDES}
    if call.source_identity not in deciders:
        who = call.source_identity or "nobody"
        found.append(f"{_call(call)}: in the name of {who}, who had not decided anything here")
    return found


def _call(call: Seen) -> str:
    return f"{call.operation} of {call.at:%d %b %H:%M:%S} (request {call.request_id})"


def _line(entry: Entry) -> str:
    request = entry["request_id"]
    return f"entry {entry.number} ({entry['operation']} of {entry['target']}, request {request})"

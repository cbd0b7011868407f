"""What one AWS call did, for the thread. Many keys of one kind make one line, not hundreds."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.blocks import WARNING, Piece, bold, code, date, symbol, text
from chalicelib.slack.messages.text import DAY, clean, count, ident

MOST_SINGLE_LINES = 5
"""Up to so many keys are told one by one."""
ON_KEYS = {
    Operation.SCHEDULE_KEY_DELETION: ("Scheduled deletion of", "schedule the deletion of {}"),
    Operation.CANCEL_KEY_DELETION: ("Cancelled deletion of", "cancel the deletion of {}"),
    Operation.DISABLE_KEY: ("Switched off", "switch off {}"),
    Operation.ENABLE_KEY: ("Switched on again:", "switch on {}"),
    Operation.PROVE_KEY: ("Works:", "check {}"),
}
ON_ONE = {
    Operation.CONNECT_KEY_STORE: ("Connecting the key store.", "connect the key store"),
    Operation.DISCONNECT_KEY_STORE: ("Disconnecting the key store.", "disconnect the key store"),
    Operation.UPDATE_KEY_STORE: (
        "Pointed the key store to the other cluster.",
        "move the key store",
    ),
    Operation.DELETE_KEY_STORE: (
        "Key store deleted. It can’t be reconnected from here on.",
        "delete the key store",
    ),
    Operation.KEEP_BACKUP: ("Keeping the newest backup for good.", "keep the newest backup"),
    Operation.DELETE_CLUSTER: ("Deleting the cluster.", "delete the cluster"),
    Operation.DELETE_HSM: ("Deleting an HSM.", "delete an HSM"),
    Operation.CREATE_HSM: ("Creating an HSM.", "create an HSM"),
    Operation.CREATE_CLUSTER: ("Creating a cluster from the backup.", "create a cluster"),
    Operation.RESTORE_BACKUP: ("Took the backup back from deletion.", "take the backup back"),
}
POINTED_BACK = "Pointed the key store back to this cluster."
Told = tuple[str, list[Piece]]


def moment(words: str) -> datetime | None:
    """A time out of the log, None if it is none."""
    try:
        when = datetime.fromisoformat(words)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def operation_of(entry: Entry) -> Operation | None:
    return next((o for o in Operation if o.value == entry["operation"]), None)


def result(entry: Entry, case: Case) -> Told | None:
    """AWS's answer to one call of ours."""
    operation = operation_of(entry)
    if operation is None:
        words = f"AWS answered a call: {clean(entry['status'] or 'unknown')}."
        return "AWS answered", [text(words)]
    verb = _verb(operation)
    if entry["status"] == "refused":
        why = clean(entry["error"] or "no reason given", 200).removesuffix(".")
        refused = text(f" AWS refused to {verb}: {why}.")
        return "Refused by AWS", [symbol(WARNING), refused, *_named(entry, case), *_request(entry)]
    if entry["status"] == "unknown":
        words = f"AWS’s answer to “{verb}” was not seen. Unlatch reads AWS before it goes on."
        return "An answer was not seen", [text(words)]
    if entry["status"] == "not made":
        return None
    if operation in ON_KEYS:
        pieces = _on_keys(entry, case, operation)
        return ("A step on the keys is done", pieces) if pieces else None
    said = ON_ONE[operation][0]
    if operation is Operation.UPDATE_KEY_STORE and facts.goes_back(case):
        said = POINTED_BACK
    return said, _on_one(entry, operation, said)


def _request(entry: Entry) -> list[Piece]:
    """What AWS Support asks for; of calls that went well it is in the log alone."""
    found = entry["request_id"]
    return [text(" Request id "), code(ident(found)), text(".")] if found else []


def _verb(operation: Operation) -> str:
    if operation in ON_KEYS:
        return ON_KEYS[operation][1].format("a key")
    return ON_ONE[operation][1]


def _named(entry: Entry, case: Case) -> list[Piece]:
    """What it was about, if it says more than the verb."""
    operation = operation_of(entry)
    if operation in ON_KEYS:
        return [text(" It was about "), bold(_key(entry, case)), text(".")]
    if entry["target"]:
        return [text(" It was about "), code(ident(entry["target"].split("#")[0])), text(".")]
    return []


def _key(entry: Entry, case: Case) -> str:
    return clean(entry["name"]) if entry["name"] else facts.key_name(case, entry["target"])


def _on_keys(entry: Entry, case: Case, operation: Operation) -> list[Piece]:
    """One key by its name; of many keys only the last call so far speaks, for all of them."""
    done = [c for c in case.calls if c.operation is operation and c.status is CallStatus.DONE]
    said = ON_KEYS[operation][0]
    plan = case.current_plan
    total = max(len(plan.names(operation)) if plan else 0, len(done))
    if total <= MOST_SINGLE_LINES:
        return [text(f"{said} "), bold(_key(entry, case)), *_for_when(case, operation), text(".")]
    if not done or done[-1].target != entry["target"]:
        return []
    number = count(len(done), "key") if len(done) >= total else f"{len(done):,} of {total:,} keys"
    return [text(f"{said} {number}"), *_for_when(case, operation), text(".")]


def _for_when(case: Case, operation: Operation) -> list[Piece]:
    end = facts.keys_end(case) if operation is Operation.SCHEDULE_KEY_DELETION else None
    return [text(" for "), date(end, DAY)] if end else []


def _on_one(entry: Entry, operation: Operation, said: str) -> list[Piece]:
    name = ident(entry["name"]) if entry["name"] else ""
    zone = ident(entry["target"].split("#")[0]) if entry["target"] else ""
    if operation is Operation.KEEP_BACKUP and name:
        return [text("Keeping "), code(name), text(" for good.")]
    if operation in (Operation.DELETE_HSM, Operation.CREATE_HSM) and zone:
        what = "Deleting HSM" if operation is Operation.DELETE_HSM else "Creating an HSM"
        named = [code(name), text(" ")] if name else []
        return [text(f"{what} "), *named, text(f"in {zone}.")]
    return [text(said)]


def dry_run(entry: Entry, case: Case) -> Told | None:
    """What would happen; of many keys only the first speaks, for all of them."""
    operation = operation_of(entry)
    if operation is None:
        return None
    verb, when = _verb(operation), moment(entry["due"] or entry["at"]) or entry.at
    if operation in ON_KEYS:
        plan = case.current_plan
        names = plan.names(operation) if plan else ()
        if len(names) > MOST_SINGLE_LINES and entry["target"] != names[0]:
            return None
        what = count(len(names), "key") if len(names) > MOST_SINGLE_LINES else _key(entry, case)
        verb = ON_KEYS[operation][1].format(what)
    return "Dry run", [text(f"Dry run: would {verb} on "), date(when), text(".")]

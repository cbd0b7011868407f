"""The first line of a thread: the call that opened the case, and what AWS made of it."""

from __future__ import annotations

from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.caller import Tool
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages.blocks import Piece, bold, text, user
from chalicelib.slack.messages.text import caller, clean

Told = tuple[str, list[Piece]]
REFUSED = "AWS refused."
DID = {
    "DeleteCluster": ("tried to delete the cluster", REFUSED),
    "CreateCustomKeyStore": ("tried to create the key store", REFUSED),
    "DeleteCustomKeyStore": ("tried to delete the key store", REFUSED),
    "ConnectCustomKeyStore": ("tried to connect the key store", REFUSED),
}
USED = ("tried to use a key of the key store", "It failed, as the key store is down.")
LOST = {
    "DeleteHsm": ("deleted the last HSM", "A key store still needs it."),
    "DeleteCluster": ("deleted the cluster", "A key store still needs it."),
}


def opened(entry: Entry, _case: Case) -> Told:
    if not entry["error_code"] and entry["trigger"] in ("", Trigger.DELETE_BLOCKED):
        return "A case was opened by hand", [
            user(entry["by"]),
            text(" asked Unlatch to look at this cluster."),
        ]
    if not entry["operation"] and entry["trigger"]:
        words = "Unlatch found the key store down. AWS sends no event when its connection fails."
        return "Found by Unlatch", [text(words)]
    tool = "" if entry["tool"] in ("", Tool.UNKNOWN) else f" with {clean(entry['tool'])}"
    did, then = DID.get(entry["operation"] or "DeleteCluster", USED)
    if not entry["error_code"]:
        did, then = LOST.get(entry["operation"], LOST["DeleteCluster"])
    named = f" {clean(entry['name'])}" if entry["name"] else ""
    pieces = [
        bold(caller(entry["by"])),
        text(f" {did}{named}{tool}. {then}"),
    ]
    return "Refused by AWS" if entry["error_code"] else "Keys were cut off", pieces

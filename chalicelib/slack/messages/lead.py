"""What a case that waits for people is about, by what opened it: its title, what AWS refused, what helps by hand."""

from __future__ import annotations

from chalicelib.domain.diagnosis import Cause, cause_of
from chalicelib.domain.state.caller import Tool
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.snapshot import KeyStore, StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack.messages import facts, outage
from chalicelib.slack.messages.blocks import Piece, bold, code, date, marked_note, note, text
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import DAY, Block, clean, count, ident

TITLES = {
    Trigger.STORE_DELETE_BLOCKED: "The key store of {cluster} can’t be deleted",
    Trigger.CLUSTER_TAKEN: "{cluster} already has a key store",
    Trigger.STORE_DOWN: "The key store of {cluster} may be down",
    Trigger.CLUSTER_LOST: "{cluster} may be lost",
}
COPY_TITLE = "{asked} can’t take a new key store"
TITLE = "{cluster} can’t be deleted"


def title(shown: Shown) -> str:
    """Of the header; the notification begins with it."""
    if outage.is_one(shown):
        return outage.title(shown)
    asked = copy_asked_for(shown)
    if asked:
        return COPY_TITLE.format(asked=asked)
    return TITLES.get(shown.case.trigger, TITLE).format(cluster=shown.cluster)


def copy_asked_for(shown: Shown) -> str:
    """The cluster that somebody asked for, if a key store holds a copy of it and not itself."""
    attempt = _newest(shown, Trigger.CLUSTER_TAKEN)
    if shown.case.trigger is not Trigger.CLUSTER_TAKEN or attempt is None:
        return ""
    return ident(attempt.asked) if attempt.asked not in ("", shown.case.cluster_id) else ""


def why(shown: Shown) -> str:
    """The notification's second half, after the title: our own words and ids only."""
    case = shown.case
    if outage.is_one(shown):
        return outage.why(shown)
    match case.trigger:
        case Trigger.CLUSTER_TAKEN if copy_asked_for(shown):
            return f": it shares its backup history with {shown.cluster}, which has one."
        case Trigger.CLUSTER_TAKEN:
            return ", so AWS refused to create another. That one may be all you need."
        case Trigger.STORE_DELETE_BLOCKED:
            return f": {_holds_keys(shown)}."
    return f": {(cause_of(case.snapshot) if case.snapshot else Cause.INCOMPLETE).value}."


def refused(shown: Shown) -> list[Piece] | None:
    """What AWS refused and why; None if a plain sentence on what holds the cluster says it."""
    store = shown.case.store
    if store is None:
        return None
    if outage.is_one(shown):
        return outage.lead(shown)
    match shown.case.trigger:
        case Trigger.CLUSTER_TAKEN:
            return _taken(shown, store)
        case Trigger.STORE_DELETE_BLOCKED if facts.keys(shown.case):
            return _holds(shown, store)
        case Trigger.STORE_DELETE_BLOCKED:
            state = store.state.value.lower()
            off = store.state is StoreState.DISCONNECTED
            now = "can be deleted now" if off else f"is still {state}"
            rule = "" if off else ", and AWS deletes a key store only when it is disconnected"
            return [bold(clean(store.name)), text(f" {now}{rule}.")]
    return None


def _taken(shown: Shown, store: KeyStore) -> list[Piece]:
    attempt = _newest(shown, Trigger.CLUSTER_TAKEN)
    wanted = clean(attempt.name) if attempt and attempt.name else ""
    begins = [text("AWS refused to create the key store "), bold(wanted)]
    if not wanted:
        begins = [text("AWS refused to create a key store")]
    if copy_asked_for(shown):
        return [
            *begins,
            text(": this cluster shares its backup history with "),
            code(shown.cluster),
            text(", and that one has the key store "),
            bold(clean(store.name)),
            text(". Both have the same certificate; that shows it."),
        ]
    only = text(": a cluster takes only one, and this one has ")
    return [*begins, only, bold(clean(store.name)), text(".")]


def _holds(shown: Shown, store: KeyStore) -> list[Piece]:
    end = facts.keys_end(shown.case)
    pieces = [bold(clean(store.name)), text(f" {_holds_keys(shown).removeprefix('it ')}")]
    if end:
        alone = sum(not key.is_live for key in facts.keys(shown.case)) == 1
        pieces += [text(" on " if alone else ", the last on "), date(end, DAY)]
    return [*pieces, text(". AWS deletes a key store only when no key is left.")]


def _holds_keys(shown: Shown) -> str:
    keys = facts.keys(shown.case)
    live = sum(key.is_live for key in keys)
    words = [count(live, "live key")] if live else []
    if going := len(keys) - live:
        words.append(f"{going:,} that will be deleted")
    if not words:
        store = shown.case.store
        return f"it is {store.state.value.lower()}" if store else "it was there a moment ago"
    return f"it still holds {', and '.join(words)}"


def by_hand(shown: Shown) -> list[Block]:
    """What a person can do without Unlatch, if a new key store was wanted."""
    store = shown.case.store
    if shown.case.trigger is not Trigger.CLUSTER_TAKEN or store is None:
        return []
    asked = copy_asked_for(shown)
    either = "of either cluster" if asked else "of this cluster"
    words = (
        "By hand: create a cluster of its own for the new key store. Don’t make it from a backup "
        f"{either}: AWS counts clusters with the same backup history as one."
    )
    create = (
        f"aws kms create-key --region {ident(shown.case.region)} --origin AWS_CLOUDHSM "
        f"--custom-key-store-id {ident(store.key_store_id)}"
    )
    name = clean(store.name)
    return [note(f"To create a key in {name}, use this."), marked_note(f"`{create}`"), note(words)]


def what_was_tried(attempt: Attempt) -> str:
    """After “Tried by …”: nothing for a cluster’s deletion, which the title says."""
    named = f" {clean(attempt.name)}" if attempt.name else ""
    return {
        "CreateCustomKeyStore": f"create the key store{named}",
        "DeleteCustomKeyStore": "delete the key store",
        "ConnectCustomKeyStore": "connect the key store",
    }.get(attempt.operation, "")


def deleted(attempt: Attempt) -> str:
    """What keys need and AWS let somebody delete, before “by …”; "" of a call that was refused."""
    is_lost = attempt.trigger is Trigger.CLUSTER_LOST and not attempt.error_code
    lost = {"DeleteHsm": "The last HSM was deleted", "DeleteCluster": "The cluster was deleted"}
    return lost.get(attempt.operation, "") if is_lost else ""


def terraform_forgets(attempt: Attempt) -> bool:
    """What Terraform could not delete it drops from its state all the same."""
    return attempt.caller.tool is Tool.TERRAFORM and attempt.operation.startswith("Delete")


def _newest(shown: Shown, trigger: Trigger) -> Attempt | None:
    found = (a for a in reversed(shown.case.attempts) if a.trigger is trigger)
    return next(found, None)

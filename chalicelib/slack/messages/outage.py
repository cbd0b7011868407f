"""A case whose keys fail now, for somebody who was woken: which keys, since when, why, and what silence brings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from chalicelib.domain.remedies.rescue_plan import best_backup, is_newer
from chalicelib.domain.rules.outage import Outage, outage_in
from chalicelib.domain.rules.password import PERSON_ONLY, officer_steps
from chalicelib.domain.state.case import Attempt, Case
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Backup, Key
from chalicelib.slack.messages import buttons, facts
from chalicelib.slack.messages.blocks import (
    Piece,
    actions,
    bold,
    cell,
    code,
    date,
    items,
    line,
    note,
    rich,
    table,
    text,
    typed,
)
from chalicelib.slack.messages.shown import Shown
from chalicelib.slack.messages.text import (
    DAY,
    DAY_AND_TIME,
    TIME,
    Block,
    all_of,
    clean,
    count,
    ident,
    spelled,
    times,
    upper_first,
    utc,
)

RETENTION = timedelta(days=90)
WEEK = timedelta(days=7)
MOST_KEYS, MOST_ROWS = 10, 20
WHY = {
    Outage.NO_HSM: "AWS may still show the key store as connected; it is not usable.",
    Outage.OFF: "The key store is disconnected.",
}
NEW_ONE = (
    "A subnet of its cluster is gone or full, and a cluster keeps its subnets: only a new cluster, from the "
    "backup, brings the keys back, unless somebody frees addresses."
)
LOGIN = "AWS can’t log in to the cluster:"
REASONS = {
    "NETWORK_ERRORS": "AWS can’t reach the HSMs",
    "INTERNAL_ERROR": "AWS had an error of its own",
    "CLUSTER_NOT_FOUND": "AWS can’t find the cluster",
    "INSUFFICIENT_CLOUDHSM_HSMS": "The cluster has too few active HSMs",
    "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET": "A subnet of the cluster has no free address",
    "SUBNET_NOT_FOUND": "A subnet of the cluster is gone",
    "INVALID_CREDENTIALS": f"{LOGIN} its password for the user kmsuser is wrong",
    "USER_LOCKED_OUT": f"{LOGIN} the user kmsuser is locked out",
    "USER_LOGGED_IN": f"{LOGIN} the user kmsuser is logged in there",
    "USER_NOT_FOUND": f"{LOGIN} it has no user kmsuser",
}
"""What the codes of a failed connection mean (“ConnectionErrorCode” of the KMS API reference)."""


def is_one(shown: Shown) -> bool:
    """Keys fail now, as far as the last look tells."""
    return found(shown) is not None and shown.case.trigger.is_outage


def found(shown: Shown) -> Outage | None:
    return outage_in(shown.case, shown.case.snapshot) if shown.case.snapshot else None


def title(shown: Shown) -> str:
    number = len(facts.keys(shown.case))
    keys = f"its {count(number, 'key')} {'fails' if number == 1 else 'fail'}"
    match found(shown):
        case Outage.CLUSTER_GONE:
            return f"{shown.cluster} was deleted, and {keys}"
        case Outage.NO_HSM:
            return f"{shown.cluster} has no HSM left: {keys.removeprefix('its ')}"
    down = f"Key store of {shown.cluster} is down"
    return f"{down}: {'a person is needed' if needs_a_person(shown) else keys.removeprefix('its ')}"


def needs_a_person(shown: Shown) -> bool:
    store = shown.case.store
    return store is not None and store.error in PERSON_ONLY


def why(shown: Shown) -> str:
    """The notification's second half, after the title."""
    if needs_a_person(shown):
        return ". No key is lost. The commands for a crypto officer are in the message."
    who = who_can(shown.case)
    return f". {who}" if who else "."


def who_can(case: Case) -> str:
    """“One person can approve the rescue.”; "" if there is none to approve."""
    plan = case.offer(Remedy.RESCUE)
    number = plan.terms.people if plan else 0
    people = "person" if number == 1 else "people"
    return f"{spelled(number)} {people} can approve the rescue." if number else ""


def lead(shown: Shown) -> list[Piece]:
    """Which keys, since when and by whom, why; and whether they can come back."""
    case, store = shown.case, shown.case.store
    number = len(facts.keys(case))
    named = clean(store.name) if store else "the key store"
    fail = "fails" if number == 1 else "fail"
    pieces = [bold(f"{upper_first(all_of(number, 'key'))} of {named} {fail}."), *_since(shown)]
    what = found(shown)
    if what is Outage.FAILED and store is not None:
        error = store.error or "AWS gives no reason"
        pieces.append(text(f" {REASONS.get(error, 'The connection failed')} ({clean(error)})."))
        if needs_a_person(shown):
            pieces.append(bold(" Only a crypto officer of the cluster can fix this."))
    elif what in WHY:
        pieces.append(text(f" {WHY[what]}"))
    plan = case.offer(Remedy.RESCUE)
    if plan and plan.backup_id and what is not Outage.CLUSTER_GONE:
        pieces.append(text(f" {NEW_ONE}"))
    return [*pieces, text("\n"), *_hope(shown, what)]


def _since(shown: Shown) -> list[Piece]:
    """What the calls that opened the case did, and when."""
    told = [a for a in shown.case.attempts if a.trigger.is_outage]
    if not told:
        return []
    first = told[0]
    if not first.operation:
        return [text(" Found by Unlatch at "), date(first.at, TIME), text(": AWS sends no event.")]
    did = ", then ".join(dict.fromkeys(_did(a) for a in told if _did(a)))
    by = f": {clean(first.caller.words)} {did}" if did else ""
    return [text(" It began at "), date(first.at, TIME), text(f"{by}.")]


def _did(attempt: Attempt) -> str:
    return {
        "DeleteHsm": "deleted the last HSM",
        "DeleteCluster": "deleted the cluster",
    }.get(attempt.operation, "")


def _hope(shown: Shown, what: Outage | None) -> list[Piece]:
    if what is not Outage.CLUSTER_GONE:
        return [bold("No key is lost."), text(f" {_changed(shown, 'Nothing has been changed.')}")]
    backup = best_backup(shown.case.snapshot) if shown.case.snapshot else None
    if backup is None:
        nothing = _changed(shown, "Nothing has been changed.")
        return [bold("No backup of the cluster is left."), text(f" {nothing}")]
    keys = facts.keys(shown.case)
    back = len(keys) - len(lost(shown, backup))
    which = f"{back:,} of the {count(len(keys), 'key')}"
    if back == len(keys):
        which = "the key" if back == 1 else all_of(back, "key")
    return [
        bold("The backup of "),
        date(backup.created_at, DAY_AND_TIME),
        bold(f" can bring {which} back."),
        text(" Unlatch can make a new cluster from it."),
        text(f" {_changed(shown, 'So far it has changed nothing.')}"),
    ]


def _changed(shown: Shown, nothing: str) -> str:
    return nothing if not shown.case.has_begun else ""


def lost(shown: Shown, backup: Backup) -> list[Key]:
    """Keys that were made after the backup."""
    return [key for key in facts.keys(shown.case) if is_newer(key.created_at, backup)]


def silence() -> list[Piece]:
    """What comes of waiting, instead of a date on which the case closes."""
    words = "If nobody decides, the keys go on failing. If somebody else fixes it, this closes by itself."
    return [text(words)]


def details(shown: Shown) -> list[Block]:
    """What can't come back, deadlines, and who fails with what: below the ways out."""
    return [*_losses(shown), *_deadlines(shown), *_fails(shown), *_may(shown)]


def officer(shown: Shown) -> list[Block]:
    """Commands for a person, before everything else, and the button with which Unlatch goes on."""
    store, world = shown.case.store, shown.case.snapshot
    if store is None or world is None or not needs_a_person(shown):
        return []
    elements = [
        line(bold("What the crypto officer does"), text(". Never write the password here."))
    ]
    for number, step in enumerate(officer_steps(world, store.key_store_id, store.cluster_id), 1):
        words, _, command = step.partition(": ")
        elements.append(line(bold(f"{number}. "), text(f"{words}{'.' if command else ''}")))
        if command:
            elements.append(typed(command.replace("; ", "\n")))
    return [rich(*elements), *actions(f"officer:{shown.version}", buttons.try_again(shown))]


def _losses(shown: Shown) -> list[Block]:
    backup = best_backup(shown.case.snapshot) if shown.case.snapshot else None
    if found(shown) is not Outage.CLUSTER_GONE or backup is None:
        return []
    rows: list[list[Piece]] = [
        [bold(clean(key.name)), text(", made after the backup: its key material is lost.")]
        for key in lost(shown, backup)[:MOST_KEYS]
    ]
    made = utc(backup.created_at, DAY_AND_TIME)
    rows.append([text(f"Keys in the HSMs that programs made themselves after {made}.")])
    return [rich(line(bold("What can’t come back")), items("bullet", rows))]


def _deadlines(shown: Shown) -> list[Block]:
    rows = list(_dates(shown))
    return [rich(line(bold("Deadlines")), items("bullet", rows))] if rows else []


def _dates(shown: Shown) -> Iterator[list[Piece]]:
    begin = facts.failing_since(shown.case)
    granted = [key for key in facts.keys(shown.case) if key.grants]
    if granted and begin:
        words = f": {clean(granted[0].name)} has grants, as AWS services make them. After 7 days without its "
        words += "key, a database of RDS or Aurora can only be restored from its own backup."
        yield [date(begin + WEEK, DAY_AND_TIME), text(words)]
    backup = best_backup(shown.case.snapshot) if shown.case.snapshot else None
    if found(shown) is Outage.CLUSTER_GONE and backup and not backup.never_expires:
        words = ", 90 days after it was made, or earlier by its own policy. The rescue first keeps "
        words += "it for good. If somebody deletes it, it can be restored for 7 days."
        yield [
            date(backup.created_at + RETENTION, DAY),
            text(": AWS deletes "),
            code(ident(backup.backup_id)),
            text(words),
        ]


def _fails(shown: Shown) -> list[Block]:
    """Who tried which key in vain, how often, and when last."""
    seen: dict[tuple[str, str, str], list[str]] = {}
    for use in shown.case.key_uses:
        seen.setdefault((use.key_id, use.who, use.operation), []).append(utc(use.at, DAY_AND_TIME))
    if not seen:
        return [
            note("Nobody has tried to use the keys in vain so far, as far as Unlatch has heard.")
        ]
    rows = [
        [
            cell(facts.key_name(shown.case, key_id), strong=True),
            cell(clean(who), strong=True),
            cell(f"{clean(operation, 40)}, {times(len(tries))}"),
            cell(tries[-1]),
        ]
        for (key_id, who, operation), tries in list(seen.items())[:MOST_ROWS]
    ]
    return [
        table(
            f"fails:{shown.version}", ("Key", "Who fails", "Tried to", "Last try"), rows, wrapped=2
        )
    ]


def _may(shown: Shown) -> list[Block]:
    if shown.case.offer(Remedy.RESCUE):
        return [note("Whoever cut the keys off may approve the rescue: it deletes nothing.")]
    return []

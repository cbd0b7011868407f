"""Whether KMS will be able to log in to another cluster of the same backup history. Reads nothing.

KMS changes the password of kmsuser at each connect (KMS guide: disconnect-keystore). A cluster made
from a backup has the password of that moment, so one from before the last connect has an old one.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from chalicelib.domain.state.dates import day
from chalicelib.domain.state.snapshot import Cluster, Snapshot

REMEMBERED = timedelta(days=90)
"""So long CloudTrail's own memory goes back."""
CONNECTING = timedelta(minutes=20)
"""A connect may take so long; at which moment of it the password changes is not known."""
BY_HAND = "If it can’t, Unlatch stops, and the message has the commands for a crypto officer."


class Login(Enum):
    """What is known before anybody approves."""

    SURE = auto()
    PROBABLE = auto()
    TOO_OLD = auto()
    NOT_KNOWN = auto()


def login(target: Cluster, snapshot: Snapshot) -> Login:
    """By the backup that the target was made from, and the last connect of the key store."""
    own, connects = snapshot.cluster, snapshot.connects
    # Of two clusters one may be the original of the other.
    original = own.copy if own else None
    copy = target.copy if target.source_backup else original
    if copy is None or own is None or not connects.are_read:
        return Login.NOT_KNOWN
    if connects.last and copy.at < connects.last:
        return Login.TOO_OLD
    if copy.of != own.cluster_id:
        # Of a third cluster, or of the target itself: its password took another way since.
        return Login.NOT_KNOWN
    if connects.last is None:
        return Login.SURE if snapshot.at - copy.at < REMEMBERED else Login.NOT_KNOWN
    return Login.SURE if copy.at >= connects.last + CONNECTING else Login.PROBABLE


def login_words(target: Cluster, snapshot: Snapshot) -> str:
    """The same as sentences."""
    found, copy, last = login(target, snapshot), target.copy, snapshot.connects.last
    match found:
        case Login.SURE if copy:
            return (
                f"AWS can log in there: the backup of {day(copy.at)} is newer than the last time that the "
                "key store connected."
            )
        case Login.PROBABLE:
            return (
                "AWS can probably log in there: the backup was made while the key store connected "
                f"for the last time. {BY_HAND}"
            )
        case Login.TOO_OLD:
            when = day(last) if last else "since"
            return (
                "AWS will probably not be able to log in there: it changes the password of kmsuser "
                f"each time the key store connects, last on {when}, after that cluster’s backup. "
                f"{BY_HAND}"
            )
    return (
        "Whether AWS can log in there is not known: its password may be older than the last time "
        f"that the key store connected. {BY_HAND}"
    )


PERSON_ONLY = frozenset(
    {"INVALID_CREDENTIALS", "USER_LOCKED_OUT", "USER_LOGGED_IN", "USER_NOT_FOUND"}
)
"""ConnectionErrorCodes that only somebody with a password of the cluster can cure."""


def officer_steps(snapshot: Snapshot, key_store_id: str, cluster_id: str) -> tuple[str, ...]:
    """What a crypto officer of the cluster does, a command behind each colon; no password among it."""
    tool = f"aws kms {{}}-custom-key-store --region {snapshot.region} --custom-key-store-id {key_store_id}"
    update = f'{tool.format("update")} --key-store-password "$PASSWORD"'
    officer = (
        f"A crypto officer of {cluster_id} sets a new password for kmsuser in the CloudHSM CLI, which "
        "asks for it. Never write it here: cloudhsm-cli interactive; login --username ADMIN-NAME "
        "--role admin; user change-password --username kmsuser --role crypto-user"
    )
    return (
        f"Disconnect the key store, and wait until it is DISCONNECTED: {tool.format('disconnect')}",
        officer,
        f"Tell KMS the same password: read -rs PASSWORD; {update}; unset PASSWORD",
    )

"""The words of the dialogs, as they were designed; what we say otherwise stands here with its reason.

Dates stand between the pieces of a sentence, so a sentence with a date is two pieces here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack import modals
from tests.domain.test_rescue import NEWER, lost, outage
from tests.domain.test_rescue import OLD as LOST
from tests.domain.worlds import CLUSTER, DAY, NOW, OTHER_CLUSTER, key, used
from tests.slack.designed import held
from tests.slack.every_moment import by_trigger
from tests.slack.moments import IN_USE, OFF, OLD, asked, changed
from tests.slack.reading import nodes, words
from tests.slack.test_headings import missing
from tests.slack.test_modals import decide, repointing
from tests.slack.test_rescue_dialog import dialog

Json = dict[str, Any]
NEVER = key("spare", KeyState.DISABLED, aliases=(), created_at=NOW - DAY, last_use=used(None))
TYPED = (
    f"Type the cluster id: {CLUSTER}",
    "Reason",
    "Everybody in the thread will see it.",
    "Back",
)
NO_CALLER = "KMS tells time and operation of the last use, not the caller."
UNKNOWN_COUNTS = "A use that AWS can’t tell counts as one, and the words say so."
LAST_ONE = "Only the last approval makes it begin: until then the dialog says what it takes."
OF_MANY = "Ours says the same for any number."


@dataclass(frozen=True)
class Dialog:
    """`said` word for word; `different` are words of the design that we don't say, and why."""

    view: Callable[[], Json]
    said: tuple[str, ...]
    different: dict[str, str] = field(default_factory=dict)


def loading() -> Json:
    return modals.loading(asked(OLD).case, Remedy.RETIRE)


def retire() -> Json:
    return decide(asked(IN_USE, OLD, NEVER), Remedy.RETIRE)


def last_to_retire() -> Json:
    return decide(missing("alice", "bob"), Remedy.RETIRE, count=2)


def release() -> Json:
    taken = by_trigger(Trigger.CLUSTER_TAKEN, IN_USE, OLD, NEVER, asked_for=CLUSTER)
    return decide(taken, Remedy.RELEASE)


def repoint() -> Json:
    """Made from a backup that is newer than the last connection."""
    return repointing(IN_USE, OLD, OFF)


def repoint_with_officer() -> Json:
    return repointing(IN_USE, OLD, OFF, age=9 * DAY)


def rescue() -> Json:
    subnets = tuple(
        Subnet(f"subnet-{zone}", f"1{zone}", "vpc-1", free)
        for zone, free in (("a", 250), ("b", 248), ("c", 3))
    )
    gone = lost(key("payments"), key("payments-2024"), NEWER, room=Room(subnets, 1, 2))
    play = outage(gone, last_cluster=LOST)
    told = [*play.case.attempts]
    told.append(replace(told[-1], event_id="event-2", operation="DeleteCluster"))
    play.case = replace(play.case, attempts=tuple(told))
    return dialog(play)


def look_again() -> Json:
    it = changed().case
    return modals.changed(it, Remedy.RETIRE, it.differences)


DESIGN: dict[str, Dialog] = {
    "loading": Dialog(loading, ("Retire", "Close", "Reading AWS again, a few seconds…")),
    "retire": Dialog(
        retire,
        (
            "This deletes 3 keys.",
            "nobody can bring them back, and what they encrypted can never be read again.",
            "Read again just now,",
            "alias/payments was used 3 hours ago",
            "2 more keys: last used 94 days ago, and never",
            "2 HSMs, key store connected",
            "Backup of 2 Mar, 07:00 UTC, newer than every key",
            "What happens",
            "any approver can cancel, and the keys come back",
            "keys, store, HSMs and cluster",
            "One backup is kept",
            "A key is in use",
            "I know that what uses alias/payments will fail",
            "Needs 3 people because a key was used in the last 30 days",
            "Approve as 1 of 3",
            *TYPED,
        ),
        {
            "by role checkout-api": NO_CALLER,
            "Now: the 3 keys stop working": LAST_ONE,
            "After 1 Apr": f"{LAST_ONE} So no date is known yet.",
            "HSMs and cluster are deleted": "What is to come stands in the future.",
            "in the last 30 days · Plan": UNKNOWN_COUNTS,
        },
    ),
    "retire, the last approval": Dialog(
        last_to_retire,
        (
            "This deletes 3 keys. After 1 Apr nobody can bring them back, and what they encrypted can never be read again.",
            "Now: the 3 keys stop working",
            "For 30 days: any approver can cancel, and the keys come back",
            "1 Apr: keys, store, HSMs and cluster will be deleted. One backup is kept",
            "Approved so far: <@alice> and <@bob> · Needs 3 people",
            "Approve as 3 of 3",
        ),
    ),
    "retire an empty store": Dialog(
        lambda: decide(asked(), Remedy.RETIRE),
        (
            "This deletes the key store and the cluster. No keys are lost. The cluster can be restored from a backup, by hand.",
            "Key store is empty: no keys, none waiting for deletion",
            "2 HSMs, key store connected",
            "Backup of 2 Mar, 07:00 UTC, ready",
            "What happens, within the hour",
            "Disconnect and delete the key store",
            "Delete 2 HSMs, keep the newest backup for good",
            "Delete the cluster",
            "Needs 2 people · Plan",
            "Approve as 1 of 2",
            *TYPED,
        ),
    ),
    "release": Dialog(
        release,
        (
            "This deletes 3 keys and their key store. 30 days after the third approval nobody can bring them back, and what they encrypted can never be read again.",
            "alias/payments was used 3 hours ago",
            "2 more keys: last used 94 days ago, and never",
            "2 HSMs, key store connected",
            "newer than every key",
            "Once 3 people have approved: the 3 keys stop working",
            "For 30 days after that: any approver can cancel, and the keys come back as they were",
            "Then: the keys",
            "deleted, and the key store with them",
            "The cluster and its 2 HSMs stay, at about $77 a day, free for a new key store",
            "I know that what uses alias/payments will fail",
            "Approved so far: nobody · Needs 3 people because a key was used in the last 30 days",
            "Approve as 1 of 3",
            *TYPED,
        ),
        {
            "by role checkout-api": NO_CALLER,
            "Then: the keys are deleted": "What is to come stands in the future.",
            "in the last 30 days · Plan": UNKNOWN_COUNTS,
        },
    ),
    "park": Dialog(
        lambda: decide(asked(IN_USE, OLD, OFF), Remedy.PARK),
        (
            "All 3 keys fail as soon as this starts. One was used 3 hours ago. Nothing is deleted for good.",
            "the store is disconnected, the 3 keys fail",
            "Then: the 2 HSMs are deleted, the cost stops",
            "The keys, the store and the cluster stay",
            "To undo: press Undo in the message. After about",
            "minutes the keys work again.",
            "Needs 2 people because a key was used in the last 30 days",
            "Approve as 1 of 2",
            *TYPED,
        ),
        {
            "Now: the store is disconnected": LAST_ONE,
            "After about 30 minutes": "Ours counts its HSMs.",
            "in the last 30 days · Plan": UNKNOWN_COUNTS,
        },
    ),
    "repoint": Dialog(
        repoint,
        (
            "All 3 keys fail for about 20 minutes while the store moves. No key is deleted.",
            "Move the keys to",
            f"{OTHER_CLUSTER}, 2 HSMs",
            "Only clusters with the same certificate are listed.",
            "What happens",
            "until the old HSMs are deleted, press",
            "After that the keys live on in the other cluster.",
            "Approve as 1 of 2",
            *TYPED,
        ),
        {
            "Disconnect the store, point it to the other cluster": "Said as in the other dialog of it.",
            "Check that it is connected": "Each enabled key is used once, which shows more.",
            "press Undo": "The button of a plan under way is Stop here.",
            "us-east-1, 2 HSMs": "AWS moves a key store only within its Region.",
            "because the old cluster is deleted": "Two is the least for all but keep and rescue.",
        },
    ),
    "repoint, with a crypto officer": Dialog(
        repoint_with_officer,
        (
            "minutes while the store moves, and longer if AWS can’t log in. Have a crypto officer at hand. No key is deleted.",
            f"{OTHER_CLUSTER}, 2 HSMs, from a backup of 21 Feb",
            "AWS will probably not be able to log in",
            "the password of kmsuser each time the key store connects",
            "Unlatch stops, and the message has the commands for a crypto officer.",
            "If the other cluster lacks it, only the kept backup of the old cluster has it.",
            "Once 2 people have approved: the key store is disconnected, pointed to",
            f"{OTHER_CLUSTER} and connected",
            "The 2 enabled keys are used once, to check. If one fails, Unlatch",
            "deletes nothing",
            "For 7 days: the keys run there, and any approver can stop",
            "Then: the newest backup is kept for good, and the old HSMs and the old cluster",
            "until the old HSMs are deleted, press Stop here. A crypto officer must then set the password of kmsuser in the old cluster; the message has the commands.",
            "A key can’t be checked",
            "Approved so far: nobody · Needs 2 people",
            *TYPED,
        ),
        {
            "for about 15 minutes": "AWS names 10 to 20 for the connection alone.",
            "Two things to know": OF_MANY,
            "can’t be checked: it is disabled": "“There”: here it may well work once it is enabled.",
            "If one fails, Unlatch stops": "It takes the key store back by itself.",
            "the old cluster are deleted": "What is to come stands in the future.",
            "because the old cluster is deleted": "Two is the least for all but keep and rescue.",
        },
    ),
    "rescue": Dialog(
        rescue,
        (
            "This makes a new cluster with 2 HSMs: about $77 a day until somebody removes them. It deletes nothing. 1 of the 3 keys can’t come back.",
            "Read again just now,",
            "Backup of 2 Mar, 07:00 UTC, ready, FIPS: backup-1",
            "was made after it and can’t come back",
            "Key store payments is connected, to a cluster that is gone",
            "Room for it in this account and Region: 1 of 4 clusters, 2 of 6 HSMs are used",
            "What happens, in about",
            "Now: the backup is kept for good",
            "A new cluster is made from it (hsm2m.medium, FIPS), then 2 HSMs, one after the other",
            "The key store is disconnected, pointed to the new cluster and connected",
            "Each enabled key is used once, to check. If AWS can’t log in, Unlatch stops with the commands for a crypto officer",
            "To undo: press Stop here while it runs",
            "what it made is removed",
            "The new cluster has new addresses: programs that use the HSMs directly need them.",
            "Subnets of the new cluster",
            "subnet-a, 1a, 250 addresses free",
            "Needs 1 person, who may be the one who deleted the cluster · Plan",
            "Approve as 1 of 1",
            "Reason",
            "Everybody in the thread will see it.",
        ),
        {
            "in about 45 minutes": "Ours adds up the usual times of its own steps.",
            "Those of the deleted cluster": "The old cluster may live: its subnets are full or gone.",
            "Choose two zones at least": "Private ones, and not every zone has CloudHSM: that is said, too.",
        },
    ),
    "keep": Dialog(
        lambda: decide(asked(OLD), Remedy.KEEP),
        (
            "The next failed delete is answered with your name and reason.",
            "Who looks after it",
            "Ask again in",
            "7 days",
            "30 days",
            "90 days",
            "Shown to whoever tries the next delete.",
            "Costs about $77 a day while it stays · 1 person decides",
            "Keep it",
        ),
        {
            "Nothing in AWS changes": "Keys that were scheduled before go on being deleted: Unlatch changes nothing."
        },
    ),
    "changed": Dialog(
        look_again,
        (
            "Something changed",
            "Something changed while this was open. Your approval was not counted.",
            "What is different",
            "Nothing has been changed by Unlatch. Press Look again to see the new numbers and decide on them.",
            "Look again",
        ),
        {
            "New key: alias/export": "Each difference is told in one form: what, now, and before.",
            "by role app-deploy": "AWS does not tell who made a key.",
        },
    ),
}


@pytest.mark.parametrize("name", DESIGN)
def test_a_dialog_says_what_was_designed(name: str) -> None:
    wanted = DESIGN[name]
    held(words(wanted.view()), wanted.said, wanted.different)


@pytest.mark.parametrize(
    ("name", "level", "blocks"),
    [
        ("retire", "error", ["cluster_id", "reason", "override"]),
        ("retire an empty store", "warning", ["cluster_id", "reason"]),
        ("release", "error", ["cluster_id", "reason", "override"]),
        ("park", "warning", ["cluster_id", "reason"]),
        (
            "repoint, with a crypto officer",
            "warning",
            ["target", "cluster_id", "reason", "unproven"],
        ),
        ("rescue", "warning", ["subnets", "reason"]),
        ("keep", "", ["owner", "for", "reason"]),
    ],
)
def test_its_warning_and_inputs_are_the_designed_ones(
    name: str, level: str, blocks: list[str]
) -> None:
    view = DESIGN[name].view()
    levels = [block["level"] for block in view["blocks"] if block["type"] == "alert"]
    assert levels == ([level] if level else [])
    assert [b["block_id"] for b in view["blocks"] if b["type"] == "input"] == blocks


def test_the_reason_of_a_rescue_is_filled_in() -> None:
    first = [node["initial_value"] for node in nodes(rescue()) if "initial_value" in node]
    assert first == ["The keys have failed since 2 Mar, 09:00 UTC"]


def test_a_wrong_id_is_shown_beside_the_right_one() -> None:
    wrong = modals.wrong_id(CLUSTER[:-1], asked().case)["errors"]["cluster_id"]
    assert wrong == f"You typed {CLUSTER[:-1]}. This case is about {CLUSTER}."

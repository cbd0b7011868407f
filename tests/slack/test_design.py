"""The words of the moments around key stores, as they were designed; what we say otherwise stands here with its reason.

Dates stand between the pieces of a sentence, so a sentence with a date is two pieces here.
"""

from __future__ import annotations

import pytest

from chalicelib.domain.state.snapshot import KeyState, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import CLUSTER, OTHER_CLUSTER, Play, key, sibling, store, world
from tests.slack.designed import Moment, held
from tests.slack.every_moment import LOST_FROM, MOMENTS, by_trigger, outage_of
from tests.slack.moments import IN_USE, OFF, OLD, shown
from tests.slack.reading import buttons, words

CANT_WAIT = "Nothing has been changed. It can wait: if nobody decides by"
LASTS = "If nobody decides, the keys go on failing."
OPEN = {"refresh": "Check again"}
CLOSE = {**OPEN, "reject": "Close the case"}
OURS = "Our sentence says the same for any number of keys."
UNSURE = "AWS does not tell that a grant is a database's: ours says what grants may mean."
NO_TABLE_OF_QUIET = "Keys that nobody tried would fill the table; a grey line says that nobody did."


def taken() -> Play:
    return by_trigger(Trigger.CLUSTER_TAKEN, IN_USE, OLD, OFF, asked_for=CLUSTER)


def taken_copy() -> Play:
    asked = {"asked_for": OTHER_CLUSTER, "siblings": (sibling(),)}
    return by_trigger(Trigger.CLUSTER_TAKEN, IN_USE, OLD, OFF, **asked)  # type: ignore[arg-type]


def store_blocked() -> Play:
    going = key("attic", KeyState.PENDING_DELETION)
    return by_trigger(Trigger.STORE_DELETE_BLOCKED, IN_USE, OLD, going)


def store_down(error: str = "NETWORK_ERRORS") -> Play:
    failed = store(StoreState.FAILED, error=error)
    return outage_of(world(IN_USE, OLD, OFF, held=failed, cluster=LOST_FROM), Trigger.STORE_DOWN)


DESIGN: dict[str, Moment] = {
    "cluster taken": Moment(
        taken,
        (
            f"{CLUSTER} already has a key store",
            "AWS refused to create the key store payments-eu : a cluster takes only one, and this one has payments",
            "One of its 3 keys was used 3 hours ago. Something still depends on it.",
            CANT_WAIT,
            "this case closes and nothing changes.",
            "The 2 HSMs cost about $77 a day.",
            "*Keep*: use the key store that exists",
            "*Release*: delete the keys and the store, keep the cluster",
            "everything encrypted with the 3 keys, *for good*",
            "*More ways*: park or retire this cluster",
            "Park…: stop the cost, keep the keys",
            "Retire…: delete keys, store and cluster",
            "Don’t make it from a backup of this cluster: AWS counts clusters with the same backup history as one.",
            "Repoint would not help: the key store would move to a cluster with the same backup history, and AWS would refuse again.",
            "create the key store payments-eu.",
        ),
        {"keep": "Keep…", "release": "Release…", **CLOSE},
        {
            "To create a key in payments:": "The store's name is foreign text; it stands in a plain line."
        },
    ),
    "cluster taken by a sibling": Moment(
        taken_copy,
        (
            f"{OTHER_CLUSTER} can’t take a new key store",
            "this cluster shares its backup history with",
            "and that one has the key store payments",
            "Both have the same certificate; that shows it.",
            f"move the keys to {OTHER_CLUSTER}, delete {CLUSTER}",
            "delete the keys and the store, keep both clusters",
            f"*More ways*: park or retire {CLUSTER}",
            "By hand: create a cluster of its own for the new key store",
        ),
        {"keep": "Keep…", "repoint": "Repoint…", "release": "Release…", **CLOSE},
        {
            "use the key store payments": "The store's name is foreign text, which no mrkdwn holds.",
            "Both clusters have the same certificate": "“Clusters” is said a line above.",
        },
    ),
    "store won’t delete": Moment(
        store_blocked,
        (
            f"The key store of {CLUSTER} can’t be deleted",
            "payments still holds 2 live keys, and 1 that will be deleted on",
            "AWS deletes a key store only when no key is left.",
            CANT_WAIT,
            "*Keep*: leave it as it is, with an owner and a date",
            "*Release*: delete the keys and the store, keep the cluster",
            "*Retire*: delete the keys, the store and the cluster",
            "delete the key store.",
        ),
        {"keep": "Keep…", "release": "Release…", "retire": "Retire…", **CLOSE},
        {
            "One of the live keys was used": OURS,
            "Park and Repoint are not possible before": "Each way says for itself why it is not possible.",
        },
    ),
    "store won’t delete, empty": Moment(
        MOMENTS["store_blocked_empty"],
        (
            "payments is still connected, and AWS deletes a key store only when it is disconnected.",
            "*Park*: stop the cost and keep the store",
            "*Release*: disconnect and delete the store, keep the cluster",
            "*Retire*: delete the store, the HSMs and the cluster",
            "Breaks: nothing, the store has no keys",
            "Repoint is not needed: there are no keys to move.",
        ),
        {"keep": "Keep…", "park": "Park…", "release": "Release…", "retire": "Retire…", **CLOSE},
        {
            "It has no keys, so none are at risk.": "“No keys are at risk.” is in bold, and what helps follows."
        },
    ),
    "store down": Moment(
        store_down,
        (
            f"Key store of {CLUSTER} is down: 3 keys fail",
            "All 3 keys of payments fail. It began at",
            "AWS can’t reach the HSMs (NETWORK_ERRORS).",
            "No key is lost. Nothing has been changed.",
            LASTS,
            "Breaks: nothing more, the keys fail already",
            "Breaks: the 3 keys go on failing",
            "*More ways*: park, release or retire. None of them makes the keys work again",
            "Repoint is not possible: no other cluster in this account holds a copy of these keys.",
            "After 7 days without its key",
        ),
        {"rescue": "Rescue…", "keep": "Keep…", **OPEN},
        {
            "If somebody else mends it": "“Fixes” is the word that people use.",
            "disconnect the key store and connect it again": "That each key is checked is what they wait for.",
            "leave it down, with an owner and a date": "The keys are what fails: ours names them.",
            "A grant shows that Amazon RDS uses alias/payments": UNSURE,
            "nobody so far": NO_TABLE_OF_QUIET,
        },
    ),
    "store down, person only": Moment(
        lambda: store_down("INVALID_CREDENTIALS"),
        (
            f"Key store of {CLUSTER} is down: a person is needed",
            "AWS can’t log in to the cluster: its password for the user kmsuser is wrong (INVALID_CREDENTIALS).",
            "Only a crypto officer of the cluster can fix this.",
            "What the crypto officer does",
            "Never write the password here.",
            "Tell KMS the same password.",
            "Rescue is not possible yet: no AWS call can set this password in the cluster.",
        ),
        {"refresh": "Try again", "keep": "Keep…"},
        {
            "Connect the key store. AWS needs up to 20 minutes.": "Try again connects it, so nobody has to."
        },
    ),
    "cluster lost": Moment(
        MOMENTS["cluster_lost"],
        (
            f"{CLUSTER} was deleted, and its 3 keys fail",
            "role deploy-ci deleted the last HSM.",
            "can bring 2 of the 3 keys back. Unlatch can make a new cluster from it. So far it has changed nothing.",
            LASTS,
            "*Rescue*: make a new cluster from the backup and connect the store to it",
            "Cost: $77 a day for 2 HSMs",
            "*Keep*: leave the keys failing, with an owner and a date",
            "What can’t come back",
            "Keys in the HSMs that programs made themselves after",
            "Deadlines",
            "90 days after it was made",
            "The rescue first keeps it for good. If somebody deletes it, it can be restored for 7 days.",
            "Park is not needed: no HSM is left that costs anything.",
        ),
        {"rescue": "Rescue…", "keep": "Keep…", **OPEN},
        {
            "Release and Retire are not possible": "Each way says for itself why it is not possible.",
            "Whoever deleted it may approve the rescue": "Ours fits an outage that nobody caused by deleting.",
        },
    ),
    "last HSM gone": Moment(
        MOMENTS["no_hsm_left"],
        (
            f"{CLUSTER} has no HSM left: 2 keys fail",
            "*Rescue*: create 2 HSMs in this cluster and check each key",
            "Cost: $77 a day for 2 HSMs",
        ),
        {"rescue": "Rescue…", "keep": "Keep…", **OPEN},
        {
            "AWS still shows the key store as connected": "Where it shows as failed, “may” keeps it true."
        },
    ),
}


@pytest.mark.parametrize("name", DESIGN)
def test_a_moment_says_what_was_designed(name: str) -> None:
    moment = DESIGN[name]
    message = shown(moment.play())
    held(words(message.blocks), moment.said, moment.different)


@pytest.mark.parametrize("name", [name for name in DESIGN if DESIGN[name].labels])
def test_its_buttons_stand_in_the_designed_order(name: str) -> None:
    moment = DESIGN[name]
    labels = buttons(shown(moment.play()))
    wanted = [action for action in labels if action in moment.labels]
    assert {action: labels[action] for action in wanted} == moment.labels
    assert wanted == list(moment.labels)

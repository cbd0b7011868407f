"""What stands alone on a screen, state by state, as it was designed; where ours differs, why.

A dry run and an outage are held beside their messages.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.domain.worlds import CLUSTER, OTHER_CLUSTER
from tests.slack.test_headings import STATES, made

THERE = f"{CLUSTER} in payments-prod, us-east-1"
NEW = f"{THERE}, can’t be deleted: "
CHOOSE = "Nothing has been changed. Please choose what to do."
ASKS = "It also asks, as people act on it; and the fact stands as in the message."


@dataclass(frozen=True)
class Says:
    """`why` is "" for the designed words; numbers and dates are those of the state."""

    text: str
    why: str = ""


DESIGN = {
    "reading": Says(
        f"{THERE}, can’t be deleted. Unlatch is reading AWS. Nothing has been changed."
    ),
    "new, a key in use": Says(
        f"{NEW}a key store with keys still uses it. One of its 3 keys was used 3 hours ago. {CHOOSE}",
        ASKS,
    ),
    "new, last use known and old": Says(
        f"{NEW}a key store with keys still uses it. The last use of its 2 keys was 90 days ago. {CHOOSE}",
        ASKS,
    ),
    "new, last use not known": Says(
        f"{NEW}a key store with keys still uses it. AWS can’t tell when its only key was last used. {CHOOSE}",
        ASKS,
    ),
    "new, keys waiting already": Says(
        f"{NEW}a key store whose keys are waiting for deletion still uses it. Its only key is waiting for deletion already. {CHOOSE}",
        ASKS,
    ),
    "new, empty store": Says(
        f"{NEW}an empty key store still uses it. No keys are at risk. {CHOOSE}", ASKS
    ),
    "new, only HSMs": Says(f"{NEW}it still has HSMs; no key store uses it. {CHOOSE}", ASKS),
    "new, not all could be read": Says(
        f"{NEW}AWS did not let Unlatch see everything, so the picture is incomplete. What is not known counts as dangerous. {CHOOSE}",
        ASKS,
    ),
    "settling, gone": Says(f"{THERE}, seems to be gone. Nothing for you to do."),
    "settling, free": Says(f"Nothing holds {THERE}, any more. Nothing for you to do."),
    "approvals missing, two": Says(
        f"Two more people must approve to retire {THERE}. One of its 3 keys was used 3 hours ago. Nothing has been changed.",
        "The worst fact is the message’s own.",
    ),
    "approvals missing, one": Says(
        f"One more person must approve to retire {THERE}. One of its 3 keys was used 3 hours ago. Nothing has been changed.",
        "The worst fact is the message’s own.",
    ),
    "confirmation in AWS missing": Says(
        f"All have approved to retire {THERE}. One person must still confirm it in AWS. Nothing has been changed."
    ),
    "all approved": Says(
        f"All have approved to retire {THERE}. It begins after one more look at AWS. Nothing has been changed.",
        "That nothing has been changed is said as long as it is so.",
    ),
    "one fresh yes": Says(
        f"One fresh yes is needed to retire {THERE}: the next step can’t be undone, and the last approval is more than 48 hours old."
    ),
    "too risky": Says(
        f"Not done: {THERE}, is too risky to retire now: 1 check failed. Keep and Park are still possible. Nothing has been changed."
    ),
    "changed, nothing begun": Says(
        f"{THERE}, has changed since it was approved. Nothing was done. Please decide again."
    ),
    "changed, keys waiting": Says(
        f"Decide again about {THERE}: something changed, and 2 keys will still be deleted on 1 Apr unless somebody cancels.",
        "“Its 2 keys” may not be all that it has.",
    ),
    "waiting for keys": Says(
        f"2 keys of {THERE}, will be deleted on 1 Apr. Nobody has tried to use them since 2 Mar. You can still cancel."
    ),
    "key used meanwhile": Says(
        f"{THERE}: a key that is being deleted was just used, and the caller failed. It will be deleted on 1 Apr unless somebody cancels."
    ),
    "switched-off key used": Says(
        f"{THERE}: a key that Unlatch switched off was used, and the caller failed. Cancel if the job matters.",
        "“Just” is said for a day; here it was used two days ago.",
    ),
    "retiring": Says(
        f"Retiring {THERE}: disconnecting the key store, step 3 of 7. Nothing for you to do."
    ),
    "releasing": Says(
        f"Releasing {THERE}, from its key store: disconnecting the key store, step 3 of 4. Nothing for you to do.",
        "What is done is said as in the other plans.",
    ),
    "parking": Says(
        f"Parking {THERE}: deleting 2 HSMs, step 2 of 2. Both keys fail until this is undone. Nothing for you to do.",
        "The reader may not be the one who may undo it.",
    ),
    "repointing": Says(
        f"Moving the keys of {THERE}: the keys run on the other cluster until 9 Mar, step 5 of 8. Nothing for you to do."
    ),
    "going back": Says(f"Putting {THERE}, back as it was. Nothing for you to do."),
    "stopped": Says(
        f"Stopped: {THERE}, needs a person. AWS refused to delete an HSM: access denied. Nothing more happens until somebody presses Try again.",
        "With AWS’s reason, which says whom it needs.",
    ),
    "retired": Says(
        f"Done: {THERE}, is deleted. A backup is kept; how to restore the cluster from it is in the message."
    ),
    "parked": Says(
        f"Parked: {THERE}, costs no HSM hours now. Its 2 keys fail until somebody presses Undo."
    ),
    "repointed": Says(f"Done: {THERE}, is deleted. Its key moved to {OTHER_CLUSTER}."),
    "kept": Says(f"Kept: {THERE}, stays until 1 Apr. Nothing was changed."),
    "expired": Says(f"Closed: nobody decided about {THERE}, in 24 hours. Nothing was changed."),
    "closed by a person": Says(f"Closed: {THERE}, stays as it is. Nothing was changed."),
    "cancelled, all back": Says(f"Cancelled: {THERE}, is back as it was."),
    "cancelled, not all back": Says(
        f"Cancelled: not all of {THERE}, came back. What is missing is in the message."
    ),
    "undone": Says(
        f"Undone: {THERE}, is back as it was.",
        "A key that was disabled before does not work again.",
    ),
    "solved by others, gone": Says(
        f"Solved by somebody else: {THERE}, is gone. Unlatch changed nothing."
    ),
    "solved by others, free": Says(
        f"Solved by somebody else: {THERE}, is free. Unlatch changed nothing. It can be deleted now.",
        "“Free” is the heading’s word.",
    ),
    "solved by others, up": Says(
        f"Key store of {THERE}, is up again. Unlatch changed nothing.",
        "AWS’s network may have come back without anybody.",
    ),
    "nothing to do": Says(f"Nothing to do for {THERE}. Nothing was changed."),
    "dry run ended": Says(f"Dry run ended: {THERE}, stays. Nothing was changed."),
}


def test_each_state_has_its_notification_here() -> None:
    assert list(DESIGN) == list(STATES)


@pytest.mark.parametrize("state", DESIGN)
def test_a_notification_says_what_was_designed(state: str) -> None:
    _, message = made(state)
    assert message.text == DESIGN[state].text

"""Each state says in its header what is so, offers what may be done, and nothing else."""

from __future__ import annotations

import pytest

from chalicelib.domain.recovery import returning_keys
from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.state.click import Act
from chalicelib.slack.messages import going
from tests.domain.worlds import (
    CLUSTER,
)
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import shown
from tests.slack.reading import button, buttons, header, problems, question, words

ALL = {"keep": "Keep…", "park": "Park…", "release": "Release…", "retire": "Retire…"}
FOOT = {"refresh": "Check again", "reject": "Close the case"}
STOP = {"cancel": "Stop here"}
CANCEL = {"cancel": "Cancel the deletion"}
GLASS, LOOK, TICK = ":hourglass_flowing_sand: ", ":warning: ", ":white_check_mark: "

HEADERS = {
    "new": (f"{CLUSTER} can’t be deleted", ALL | FOOT),
    "empty": (f"{CLUSTER} can’t be deleted", ALL | FOOT),
    "one_of_two": (
        f"One more approval to retire {CLUSTER}",
        {"retire": "Review and approve…", "keep": "Keep…", "park": "Park…", "release": "Release…"}
        | {"withdraw": "Take back my approval"}
        | FOOT,
    ),
    "changed": (
        f"{LOOK}{CLUSTER} has changed since the approvals",
        {"keep": "Keep…", "park": "Park…"} | FOOT,
    ),
    "changed_half_way": (
        f"{LOOK}Decide again: 2 keys of {CLUSTER} are still being deleted",
        CANCEL | {"keep": "Keep…", "refresh": "Check again"},
    ),
    "once_more": (
        f"{LOOK}One fresh yes is needed to retire {CLUSTER}",
        {"retire": "Review and approve…", "refresh": "Check again"} | STOP,
    ),
    "without_backup": (
        f"Not done: too risky to retire {CLUSTER}",
        {"keep": "Keep…", "park": "Park…"} | FOOT,
    ),
    "waiting_for_keys": (f"{GLASS}2 keys of {CLUSTER} will be deleted on 1 Apr", CANCEL),
    "key_used": (f"{LOOK}{CLUSTER}: a key being deleted was just used", CANCEL),
    "disconnecting": (f"{GLASS}Retiring {CLUSTER}", STOP),
    "quiet_period": (f"{GLASS}Retiring {CLUSTER}", STOP),
    "deleting_hsms": (f"{GLASS}Retiring {CLUSTER}", STOP),
    "deleting_cluster": (f"{GLASS}Retiring {CLUSTER}", {}),
    "retired": (f"{TICK}Done: {CLUSTER} is deleted", {}),
    "parking": (f"{GLASS}Parking {CLUSTER}", STOP),
    "parked": (f"{TICK}Parked: {CLUSTER} costs no HSM hours now", {"undo": "Undo"}),
    "undoing": (f"{GLASS}Putting {CLUSTER} back as it was", {}),
    "undone": (f"{TICK}Undone: {CLUSTER} is back as it was", {}),
    "soaking": (f"{GLASS}Moving the keys of {CLUSTER}", STOP),
    "repointed": (f"{TICK}Done: {CLUSTER} is deleted, its keys moved", {}),
    "repointed_unchecked": (f"{TICK}Done: {CLUSTER} is deleted, its keys moved", {}),
    "kept": (f"Kept: {CLUSTER} stays until 1 Apr", {"undo": "End this decision"}),
    "expired": (f"Closed: nobody decided about {CLUSTER}", {}),
    "rejected": (f"Closed: {CLUSTER} stays as it is", {}),
    "cancelling": (f"{GLASS}Putting {CLUSTER} back as it was", {}),
    "cancelled": (f"{TICK}Cancelled: {CLUSTER} is back as it was", {}),
    "stopped_too_late": (f"Cancelled: not all of {CLUSTER} came back", {}),
    "resolved": (f"{TICK}Solved by somebody else: {CLUSTER} is gone", {}),
    "freed": (f"{TICK}Solved by somebody else: {CLUSTER} is free", {}),
    "dry_run": (f"Dry run ended: {CLUSTER} stays", {}),
    "stopped": (
        f"{LOOK}Stopped: {CLUSTER} needs a person",
        {"refresh": "Try again", "cancel": "Leave it here"},
    ),
}
HEADERS |= {
    "watching": (f"{GLASS}Retiring {CLUSTER}", STOP),
    "off_key_used": (f"{LOOK}{CLUSTER}: a key that was switched off was used", STOP),
    "parked_empty": (f"{TICK}Parked: {CLUSTER} costs no HSM hours now", {"undo": "Undo"}),
    "retiring_hsms": (f"{GLASS}Retiring {CLUSTER}", STOP),
    "waiting_for_keys_of_others": (
        f"{GLASS}1 key of {CLUSTER} will be deleted on 2 Mar",
        {"withdraw": "Take back my approval"} | STOP,
    ),
    "kept_half_way": (f"Kept: {CLUSTER} stays until 4 Apr", CANCEL),
    "expired_half_way": (f"Closed: nobody decided about {CLUSTER}", {}),
    "changed_keys_gone": (
        f"{LOOK}{CLUSTER} has changed since the approvals",
        {"keep": "Keep…", "park": "Park…", "refresh": "Check again"},
    ),
    "stopped_halfway": (
        f"{LOOK}Stopped halfway: 1 key of {CLUSTER} will be deleted",
        CANCEL | {"refresh": "Try again"},
    ),
    "frozen_halfway": (f"{GLASS}Retiring {CLUSTER}", CANCEL),
    "once_more_halfway": (
        f"{LOOK}One fresh yes is needed to retire {CLUSTER}",
        {"retire": "Review and approve…", "refresh": "Check again"} | CANCEL,
    ),
    "cluster_gone_halfway": (
        f"{LOOK}{CLUSTER} was deleted, and its 2 keys fail",
        {"keep": "Keep…", "release": "Release…", "refresh": "Check again"} | CANCEL,
    ),
    "stopped_halfway_gone": (
        f"{LOOK}Stopped: {CLUSTER} needs a person",
        {"refresh": "Try again", "cancel": "Leave it here"},
    ),
    "stopped_early": (
        f"{LOOK}Stopped: {CLUSTER} needs a person",
        {"refresh": "Try again", "cancel": "Leave it here"},
    ),
}
HEADERS |= {
    "disconnect_hangs": (f"{LOOK}Retiring {CLUSTER} takes far longer than usual", STOP),
    "never_activated": (f"{TICK}Done: {CLUSTER} is deleted", {}),
    "material_stays": (
        f"{CLUSTER} can’t be deleted",
        {"keep": "Keep…", "release": "Release…", "retire": "Retire…"} | FOOT,
    ),
    "blind_while_keys_wait": (f"{GLASS}2 keys of {CLUSTER} will be deleted on 1 Apr", CANCEL),
    "goes_back_by_itself": (f"{GLASS}Putting {CLUSTER} back as it was", {}),
    "undo_hangs": (f"{LOOK}Putting {CLUSTER} back takes far longer than usual", {}),
}
DOWN = {"rescue": "Rescue…", "keep": "Keep…", "refresh": "Check again"}
HEADERS |= {
    "no_hsm_left": (f"{LOOK}{CLUSTER} has no HSM left: 2 keys fail", DOWN),
    "cluster_lost": (f"{LOOK}{CLUSTER} was deleted, and its 3 keys fail", DOWN),
    "cluster_lost_for_good": (
        f"{LOOK}{CLUSTER} was deleted, and its 1 key fails",
        {"keep": "Keep…", "refresh": "Check again"},
    ),
    "store_down": (f"{LOOK}Key store of {CLUSTER} is down: 1 key fails", DOWN),
    "store_down_person": (
        f"{LOOK}Key store of {CLUSTER} is down: a person is needed",
        {"refresh": "Try again", "keep": "Keep…"},
    ),
    "rescuing": (f"{GLASS}Rescuing the keys of {CLUSTER}", STOP),
    "rescued": (f"{TICK}Rescued: 2 of 3 keys of {CLUSTER} work again", {}),
    "rescued_in_place": (f"{TICK}Rescued: the 2 keys of {CLUSTER} work again", {}),
    "up_again": (f"{TICK}Key store of {CLUSTER} is up again", {}),
}
WAYS = {"keep": "Keep…", "release": "Release…"}
HEADERS |= {
    "taken": (f"{CLUSTER} already has a key store", WAYS | FOOT),
    "taken_copy": (
        "cluster-7e6d5c4b3a2 can’t take a new key store",
        {"keep": "Keep…", "repoint": "Repoint…", "release": "Release…"} | FOOT,
    ),
    "store_blocked": (
        f"The key store of {CLUSTER} can’t be deleted",
        WAYS | {"retire": "Retire…"} | FOOT,
    ),
    "store_blocked_empty": (
        f"The key store of {CLUSTER} can’t be deleted",
        {"keep": "Keep…", "park": "Park…", "release": "Release…", "retire": "Retire…"} | FOOT,
    ),
    "releasing": (f"{GLASS}Releasing {CLUSTER} from its key store", STOP),
    "released": (f"{TICK}Released: {CLUSTER} is free for a new key store", {}),
    "released_parked": (f"{TICK}Released: {CLUSTER} is free for a new key store", {}),
}
ACTS = {
    "withdraw": Act.WITHDRAW,
    "reject": Act.REJECT,
    "cancel": Act.CANCEL,
    "undo": Act.UNDO,
    "refresh": Act.REFRESH,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_header_and_buttons(moment: str) -> None:
    play = MOMENTS[moment]()
    message = shown(play, policy=play.policy)
    said, offered = HEADERS[moment]
    assert header(message) == said
    assert list(buttons(message).items()) == list(offered.items()), "in this order"
    assert problems(message) == []
    bare = header(message).removeprefix(GLASS).removeprefix(LOOK).removeprefix(TICK)
    assert len(bare.split()) <= 10, "read in two seconds"


@pytest.mark.parametrize("moment", MOMENTS)
def test_buttons_carry_the_case_and_only_what_may_be_asked(moment: str) -> None:
    play = MOMENTS[moment]()
    message = shown(play, policy=play.policy, version=41)
    for action_id in buttons(message):
        it = button(message, action_id)
        assert it["value"] == "case-1:41"
        is_final = action_id in ("release", "retire")
        assert (it.get("style") == "danger") is is_final, "red leads to what is final"
        act = ACTS.get(action_id, Act.LOOK)
        assert not_possible(play.case, act, None) is None
        if action_id in ("reject", "cancel", "undo"):
            assert "confirm" in it, "ways back ask first"
        assert CLUSTER in it["accessibility_label"], "spoken labels name the cluster"


WORDS = {
    "new": ["One of its 3 keys was used 3 hours ago.", "Nothing has been changed.", "about $77 a day",
            "nothing changes", "Tried by role deploy-ci with Terraform, once", "Terraform may have forgotten",
            "Repoint is not possible: no other cluster"],
    "empty": ["but the store is empty", "No keys are at risk."],
    "one_of_two": ["1 of 2:", "@alice", "“decommissioned”", "If nobody else approves by"],
    "changed": ["Nothing was done.", "alias/export", "did not exist", "new key"],
    "changed_half_way": ["All later steps are on hold.", "Now: the key store is connected, 2 keys are waiting for deletion, 1 is enabled, 2 HSMs run, the cluster is still there.", "That had begun before something changed.",
                         "Unless somebody cancels, alias/payments-2024 and key-spar… (no alias) will be deleted on 1 Apr, 09:00 UTC",
                         "this case stays open until they are gone", "If nobody decides"],
    "without_backup": ["1 check failed.", "A backup that is ready", "AWS makes one within 24 h"],
    "waiting_for_keys": ["Nobody has tried to use alias/payments-2024 and key-spar… (no alias) of payments since 2 Mar.", "You can still cancel;",
                         "Retire: step 2 of 7", "No way back for the keys after this step."],
    "key_used": ["Role nightly-report", "tried to decrypt with", "alias/payments-2024", "cancel now",
                 "decrypt, twice", "If nobody cancels, alias/payments-2024 and key-spar… (no alias) will be deleted on"],
    "disconnecting": ["Step 3 of 7: disconnecting the key store.", "The 2 keys are already gone.",
                      "Usually 4 minutes."],
    "quiet_period": ["Step 4 of 7: checking that no other program uses the HSMs.",
                     "You can still stop: step 4 of 7 has changed nothing yet.", "the store can’t be reconnected"],
    "deleting_hsms": ["You can still stop what is left."],
    "deleting_cluster": ["It can’t be stopped any more."],
    "retired": ["2 keys, 2 HSMs and the cluster are gone", "AWS was read again", "create-cluster",
                "The 2 KMS keys do not come back with it.", "`unlatch audit verify case-1`"],
    "parked": ["is disconnected and both HSMs are deleted.", "Its 2 keys fail until somebody presses Undo."],
    "soaking": ["the keys run on the other cluster until", "Let the keys run there for 7 days"],
    "repointed": ["cluster-7e6d5c4b3a2", "1 key is kept and works there."],
    "repointed_unchecked": ["2 keys are kept; 1 of them works there, the rest could not be checked."],
    "kept": ["@alice", "“The auditors need it”", "@carol looks after it", "Nothing was changed."],
    "expired": ["is still there", "Nothing was changed.", "/unlatch cluster-", "1 of 2 approvals to retire, by <@alice>"],
    "rejected": ["@bob closed this case"],
    "cancelled": ["@bob cancelled", "1 key is enabled, 1 is disabled"],
    "stopped_too_late": ["the key store is deleted", "2 keys are gone"],
    "freed": ["Unlatch doesn’t delete it: whoever wanted it gone can try again."],
    "dry_run": ["Dry run", "For real, Unlatch would now", "Delete the key store"],
    "watching": ["watching who needs 2 keys", "Until", "Only after Unlatch has asked again."],
    "off_key_used": ["nightly@example.com", "tried to call Sign with", "cancel now"],
    "material_stays": ["Key material stays behind: alias/attic. KMS deletes it only while the key store is connected"],
    "disconnect_hangs": ["Step 3 of 7: the key store is still disconnecting.", "usually it takes 4 minutes.",
                         "AWS has refused nothing.", "In the KMS console: does the key store payments",
                         "On the AWS Health page", "ask AWS Support", "The 2 keys are already gone."],
    "blind_while_keys_wait": ["Unlatch can’t see everything: kms:ListKeys was refused.",
                              "Keys that wait are deleted on their day all the same.", "unlatch-reader"],
    "goes_back_by_itself": ["alias/payments-2024 does not work on the other cluster (KMSInternalException: try later)",
                            "Now: pointing the key store back to this cluster."],
    "undo_hangs": ["An HSM is still being created.", "usually it takes 10 minutes.", "In the CloudHSM console"],
    "changed_keys_gone": ["KMS has deleted alias/payments-2024 and key-spar… (no alias)"],
    "stopped_halfway": ["Unless somebody cancels, alias/payments-2024 will be deleted on 1 Apr, 09:00 UTC",
                        "nobody has tried to use it so far", "It was about key-spar… (no alias).",
                        "The rest of the plan is on hold.", "Waiting for deletion", "Nothing: AWS refused",
                        "with an explicit deny in a resource-based policy", "Request id 2f6d1c0e-77ab",
                        "this case stays open, and Unlatch watches"],
    "stopped_halfway_gone": ["KMS has deleted alias/payments-2024; nobody can bring it back."],
    "kept_half_way": ["Unless somebody cancels, alias/payments-2024 and key-spar… (no alias) will be deleted on 1 Apr"],
    "expired_half_way": ["KMS has deleted alias/payments-2024 and key-spar… (no alias); nobody can bring them back."],
    "waiting_for_keys_of_others": ["Unlatch did not schedule this"],
    "retiring_hsms": ["only a backup brings this cluster back"],
    "stopped_early": ["Nothing has been changed in AWS."],
    "stopped": ["AWS refused to delete an HSM: access denied.", "until somebody presses Try again",
                "unlatch-executor", "Request id 2f6d1c0e-77ab"],
}  # fmt: skip


@pytest.mark.parametrize("moment", WORDS)
def test_words_that_matter(moment: str) -> None:
    play = MOMENTS[moment]()
    said = words(shown(play, policy=play.policy).blocks)
    for phrase in WORDS[moment]:
        assert phrase in said, said


@pytest.mark.parametrize("moment", MOMENTS)
def test_keys_that_go_are_said_with_their_day_at_every_moment(moment: str) -> None:
    play = MOMENTS[moment]()
    waiting = returning_keys(play.case)
    said = words(shown(play, policy=play.policy).blocks)
    if waiting and play.case.ending is None:
        assert going.named(play.case, [k.key_id for k in waiting]) in said
        assert all(f"{k.deletion_date:%-d %b}" in said for k in waiting if k.deletion_date)
        assert waiting[0].deletion_date


def test_the_block_under_the_header_is_read_in_ten_seconds() -> None:
    for moment in ("new", "empty", "waiting_for_keys", "disconnecting", "parked", "one_of_two"):
        play = MOMENTS[moment]()
        block = shown(play).blocks[1]
        assert len(words(block).split()) <= 50, moment


@pytest.mark.parametrize(
    ("moment", "action_id", "phrases"),
    [
        ("waiting_for_keys", "cancel", ["The 2 keys come back as they were: 1 enabled, 1 disabled.",
                                        "The 2 HSMs go on costing about $77 a day.",
                                        "Starting again needs 2 new approvals."]),
        ("disconnecting", "cancel", ["The 2 keys are gone and do not come back.", "The store is connected again"]),
        ("deleting_hsms", "cancel", ["The key store is deleted and does not come back.", "1 HSM is deleted already.",
                                     "about $38 a day"]),
        ("parked", "undo", ["Unlatch creates 2 HSMs and reconnects the store.", "about 20 minutes", "about $77 a day"]),
        ("soaking", "cancel", ["The store goes back to this cluster"]),
        ("stopped", "cancel", ["The cluster stays."]),
        ("new", "reject", ["Nothing in AWS is changed."]),
    ],
)  # fmt: skip
def test_ways_back_say_what_returns_and_what_does_not(
    moment: str, action_id: str, phrases: list[str]
) -> None:
    said = question(shown(MOMENTS[moment]()), action_id)
    for phrase in phrases:
        assert phrase in said, said

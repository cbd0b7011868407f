"""The words of plans under way, their ends and their stops, as they were designed; other words have their reason here."""

from __future__ import annotations

import pytest

from tests.domain.worlds import CLUSTER
from tests.slack.designed import Moment, held
from tests.slack.every_moment import MOMENTS
from tests.slack.moments import shown
from tests.slack.reading import button, buttons, words

CANCEL = "Cancel the deletion"
NAMED = "Up to three keys are named; more are counted."
CALLED_BESIDE = "A notice calls them: an edit of this message would notify nobody."
DESIGN: dict[str, Moment] = {
    "waiting for keys": Moment(
        MOMENTS["waiting_for_keys"],
        (
            f"2 keys of {CLUSTER} will be deleted on 1 Apr",
            "of payments since 2 Mar.",
            "You can still cancel; then the keys come back as they were.",
        ),
        {"cancel": CANCEL},
        {"tried to use the 2 keys of payments": NAMED},
    ),
    "a switched-off key was used": Moment(
        MOMENTS["off_key_used"],
        (
            f"{CLUSTER}: a key that was switched off was used",
            "If that job matters, cancel now.",
            "No key is being deleted yet.",
        ),
    ),
    "rescuing": Moment(
        MOMENTS["rescuing"],
        (
            f"Rescuing the keys of {CLUSTER}",
            "Step 3 of 8: creating",
            "Nothing for you to do.",
            "All 3 keys still fail. By the usual times 2 of them work again at about 09:40 UTC. You can stop at any time; no key is deleted.",
            "Rescue: step 3 of 8",
            "Create a new cluster from it",
            "Create an HSM in 1a",
            "Create an HSM in 1b",
            "Started 09:06 UTC. Usually 10 minutes.",
            "Disconnect the key store",
            "Point the key store to the new cluster",
            "Connect the key store",
            "Usually 10 minutes, at most 20. If AWS can’t log in, a crypto officer is needed.",
            "Key store payments · keys have failed since",
            "Approved by <@alice>",
        ),
        {"cancel": "Stop here"},
        {
            "creating the second HSM": "The step below names the zone, so the line does.",
            "Keep the backup for good": "“Keep the newest backup for good” is the step’s name everywhere.",
            "Use each enabled key once, to check": "“Check 2 keys” is the step's name everywhere.",
        },
        {
            "cancel": (
                "Stop here?",
                "Unlatch removes what it made: the new cluster and its HSMs. The backup stays kept. The 3 keys go on failing. Starting again needs 1 new approval.",
                "Stop and remove",
                "Let it go on",
            )
        },
    ),
    "rescued": Moment(
        MOMENTS["rescued"],
        (
            f"Rescued: 2 of 3 keys of {CLUSTER} work again",
            "alias/payments and alias/payments-2024 work again: each was used once to check, at 09:41 UTC.",
            "can’t come back: it was made after the backup.",
            "The key store payments now uses",
            "HSMs cost about $77 a day.",
            "What is left for you",
            "They don’t start by themselves.",
            "Give programs that use the HSMs directly the new addresses and the security group of",
            "Unlatch’s guard rails can forbid",
            "The keys failed from",
            "41 minutes. 1 use by 1 caller failed; the thread has them.",
            "The backup `backup-1` is kept for good.",
            "AWS calls, told in the thread",
            "Check the log: `unlatch audit verify case-1",
        ),
        {},
        {
            "Start the RDS databases that stopped": "AWS does not tell that a grant is a database’s.",
            "Schedule its deletion when nothing names it": "Whether anything names a key is not known.",
            "Find out why role operations could delete": "The HSMs may be gone by another’s hand than the cluster.",
        },
    ),
    "released": Moment(
        MOMENTS["released"],
        (
            f"Released: {CLUSTER} is free for a new key store",
            "The key store payments and its 2 keys are gone. AWS was read again at",
            "to make sure. The cluster and its 2 HSMs stay, at about $77 a day. Nothing else in the HSMs was touched.",
            "To create a key store on it",
            "1. A crypto officer sets a new password for kmsuser: KMS has changed the old one. The tool asks for it.",
            "/opt/cloudhsm/bin/cloudhsm-cli interactive login --username ADMIN-NAME --role admin user change-password --username kmsuser --role crypto-user logout quit",
            "2. Create the key store with the same password and the certificate with which the cluster was set up.",
            "--trust-anchor-certificate file://customerCA.crt",
            '--key-store-password "$PASSWORD"; unset PASSWORD',
            f"To stop the cost as well, write /unlatch {CLUSTER} and choose Retire.",
            "AWS calls, told in the thread",
        ),
    ),
    "overdue": Moment(
        MOMENTS["disconnect_hangs"],
        (
            f"Retiring {CLUSTER} takes far longer than usual",
            "Step 3 of 7: the key store is still disconnecting.",
            "usually it takes 4 minutes. AWS has refused nothing. Unlatch waits, and goes on by itself when AWS is done.",
            "begins. The 2 keys are already gone.",
            "What to check",
            "In the KMS console: does the key store payments still say Disconnecting?",
            "On the AWS Health page: is there trouble with KMS or CloudHSM in us-east-1?",
            "If it still says so at 10:01 UTC, ask AWS Support.",
            "Retire: step 3 of 7",
        ),
        {"cancel": "Stop here"},
        {
            "You can still stop until step 4 begins": "“Step 4 of 7”, as the plan below counts.",
            "key store can’t be reconnected": "“The store” is said in each step.",
        },
        {
            "cancel": (
                "Stop here?",
                "The 2 keys are gone and do not come back.",
                "Stop and reconnect",
                "Let it go on",
            )
        },
    ),
    "stopped halfway": Moment(
        MOMENTS["stopped_halfway"],
        (
            f"Stopped halfway: 1 key of {CLUSTER} will be deleted",
            "Unless somebody cancels, alias/payments-2024 will be deleted on 1 Apr, 09:00 UTC. It has stopped working; nobody has tried to use it so far.",
            "policy denies it.",
            "The rest of the plan is on hold.",
            "What to do",
            "If anybody needs alias/payments-2024, cancel before 1 Apr, 09:00 UTC.",
            "xempt the role unlatch-executor from it.",
            "Press Try again. If AWS has changed meanwhile, Unlatch asks again first.",
            "Key Now What happens to it",
            "Waiting for deletion",
            "Will be deleted on 1 Apr, 09:00 UTC",
            "Nothing: AWS refused",
            "AWS answered kms:ScheduleKeyDeletion with:",
            "Request id 2f6d1c0e",
            "Retire: step 1 of 7",
            "As long as a key waits, this case stays open, and Unlatch watches who tries to use it.",
        ),
        {"cancel": CANCEL, "refresh": "Try again"},
        {
            "AWS refused to schedule the deletion of": "The call has AWS’s name, as in the log; the key follows.",
            "please decide. Owner by tag": CALLED_BESIDE,
            "1 of 3 done, 1 refused": "The table above has each key.",
        },
        {
            "cancel": (
                "Cancel the deletion?",
                "alias/payments-2024 comes back as it was: enabled.",
                CANCEL,
                "Go back",
            )
        },
    ),
    "asked again while keys wait": Moment(
        MOMENTS["changed_half_way"],
        (
            f"Decide again: 2 keys of {CLUSTER} are still being deleted",
            "Unless somebody cancels,",
            "will be deleted on 1 Apr, 09:00 UTC. That had begun before something changed.",
            "All later steps are on hold",
            "approvals were for how things were",
            "no longer count.",
            "What When approved Now",
            "did not exist new key, made on 2 Mar, 09:00 UTC",
            "If nobody decides,",
            "will be deleted on 1 Apr, and nothing else happens",
            "*Keep*: leave the rest as it is, with an owner and a date Breaks: nothing more, but the 2 keys will still be deleted on",
            "Undo: the keys until",
            "Nobody has tried to use",
            "Unlatch goes on watching; this case stays open until they are gone.",
            "Approved so far: nobody",
        ),
        {"cancel": CANCEL, "keep": "Keep…", "refresh": "Check again"},
        {
            "the 2 keys will be deleted on": NAMED,
            "by role app-deploy": "AWS does not tell who made a key.",
            "Park and Repoint are not possible before": "Each way says for itself why it is not possible.",
        },
        {
            "cancel": (
                "Cancel the deletion?",
                "The 2 keys come back as they were: 1 enabled, 1 disabled.",
                CANCEL,
                "Go back",
            )
        },
    ),
}


@pytest.mark.parametrize("name", DESIGN)
def test_a_moment_says_what_was_designed(name: str) -> None:
    moment = DESIGN[name]
    held(words(shown(moment.play()).blocks), moment.said, moment.different)


@pytest.mark.parametrize("name", [name for name in DESIGN if DESIGN[name].labels])
def test_its_buttons_stand_in_the_designed_order(name: str) -> None:
    moment = DESIGN[name]
    labels = buttons(shown(moment.play()))
    assert {action: labels[action] for action in labels if action in moment.labels} == moment.labels
    assert [action for action in labels if action in moment.labels] == list(moment.labels)


@pytest.mark.parametrize("name", [name for name in DESIGN if DESIGN[name].asks])
def test_its_questions_say_what_was_designed(name: str) -> None:
    moment = DESIGN[name]
    message = shown(moment.play())
    for action, (title, piece, yes, no) in moment.asks.items():
        asks = {
            part: value["text"]
            for part, value in button(message, action)["confirm"].items()
            if part != "style"
        }
        assert piece in asks["text"]
        assert (asks["title"], asks["confirm"], asks["deny"]) == (title, yes, no)


SPOKEN = {
    "rescuing": f"Stop the rescue of {CLUSTER} and remove what it made",
    "stopped halfway": f"Cancel the key deletion and bring back 1 key of {CLUSTER}",
    "asked again while keys wait": f"Cancel the key deletion and bring back 2 keys of {CLUSTER}",
}


@pytest.mark.parametrize("name", SPOKEN)
def test_what_is_spoken_of_a_button_tells_what_it_does(name: str) -> None:
    label = button(shown(DESIGN[name].play()), "cancel")["accessibility_label"]
    assert label == SPOKEN[name]

"""The words that notify, hold, refuse and explain, as they were designed; what we say otherwise has its reason here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.clicks import Obstacle
from chalicelib.domain.scan import Scan
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.slack_message import Moment
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.slack import home, refusals
from chalicelib.slack.messages import on_hold
from chalicelib.slack.messages.text import Message
from chalicelib.slack.naming import Naming
from chalicelib.slack.reach import Reach
from tests.domain.worlds import CLUSTER, DAY, NOW, Play, case, key, world
from tests.slack.designed import held
from tests.slack.every_moment import cluster_lost, kept, stopped
from tests.slack.moments import IN_USE, OFF, OLD, asked, key_used, one_of_two, waiting_for_keys
from tests.slack.reading import buttons, words
from tests.slack.test_gateway import Slack
from tests.slack.test_notices import GROUP, LINK, NAMES, ended, lapsed_case, said

CALLED = "<!subteam^S0KEYS> <@U0PRIYA>"
THERE = f"{CLUSTER} in payments-prod, us-east-1"
FOOT = "payments-prod (111122223333) · us-east-1 · case-1"
STATE = NOW + timedelta(minutes=3)


@dataclass(frozen=True)
class Told:
    """`text` is the whole notification; `said` and `different` as for any moment."""

    make: Callable[[], Message]
    text: str
    said: tuple[str, ...]
    different: dict[str, str] = field(default_factory=dict)


def used() -> Message:
    play = key_used()
    return said(play.case, play.now, Moment.KEY_USED)


def last_call() -> Message:
    play = waiting_for_keys()
    until = max(k.deletion_date for k in (play.case.snapshot or world()).keys if k.deletion_date)
    return said(replace(play.case, called_until=until), play.now, Moment.LAST_CALL)


def store_down() -> Message:
    play = cluster_lost()
    return said(play.case, play.now, Moment.STORE_DOWN)


def over() -> Message:
    it: Play = key_used()
    return ended(Moment.KEY_USED, it.case, ending=replace(it.case.clicks[-1], act=Act.CANCEL))


def tampered() -> Message:
    refused = on_hold.Refused(STATE, "b81f6e03c0ffee77")
    seen = world(IN_USE, OLD, OFF)
    return on_hold.message(case(), seen, refused, policy=GROUP, stage="prod", names=NAMES)


def tampered_while_keys_wait() -> Message:
    going = replace(key(2, KeyState.PENDING_DELETION), deletion_date=NOW + 5 * DAY)
    return on_hold.message(case(), world(going), on_hold.Refused(), policy=GROUP, stage="prod")


DESIGN: dict[str, Told] = {
    "a key was used": Told(
        used,
        f"{CALLED} {THERE}: a key that is being deleted was just used, and the caller failed. It will be deleted on 1 Apr unless somebody cancels.",
        (
            f"{CLUSTER}: a key that is being deleted was just used.",
            "Role nightly-report tried to decrypt with alias/payments-2024 at 05:59 UTC and failed.",
            "It will be deleted on 1 Apr, 09:00 UTC unless somebody cancels.",
            f"{CALLED}, does that job matter? {LINK} to cancel.",
            FOOT,
        ),
    ),
    "the time to keep it is over": Told(
        lambda: said(
            lapsed_case(owner="U0DAVE", reason="Migration to Aurora in spring"),
            NOW + 2 * DAY,
            Moment.KEEP_LAPSED,
        ),
        f"<@U0DAVE> {THERE}: the time to keep it is over. Please decide again. Nothing has been changed.",
        (
            f"{CLUSTER}: the time to keep it is over.",
            "It was kept since 2 Mar : “Migration to Aurora in spring”. Nothing has been changed. The 2 HSMs cost about $77 a day.",
            f"<@U0DAVE>, you look after it: keep it longer, or choose another way. {LINK}.",
            FOOT,
        ),
    ),
    "last call": Told(
        last_call,
        f"{CALLED} Last call for {THERE}: 2 keys will be deleted on 1 Apr, 09:00 UTC. After that nobody can bring them back.",
        (
            f"{CLUSTER}: last call before its 2 keys are gone.",
            "They will be deleted on 1 Apr, 09:00 UTC. After that nobody can bring them back. Nobody has tried to use them since 2 Mar.",
            f"{CALLED}, if anybody needs them, cancel before then. Otherwise nothing for you to do. {LINK}.",
            FOOT,
        ),
    ),
    "over": Told(
        over,
        f"{THERE}: over. The deletion was cancelled on 2 Mar, 09:00 UTC.",
        (
            f"{CLUSTER}: over. The deletion was cancelled on 2 Mar, 09:00 UTC; the 2 keys are as they were.",
            LINK,
            FOOT,
        ),
    ),
    "stopped": Told(
        lambda: said(replace(stopped().case, closed_at=NOW), NOW, Moment.STOPPED),
        f"{CALLED} {THERE}: stopped, a person is needed. AWS refused to delete an HSM: access denied. No key is waiting for deletion.",
        (
            f"{CLUSTER}: stopped, a person is needed.",
            "AWS refused to delete an HSM: access denied. No key is waiting for deletion. Nothing more happens until somebody presses Try again.",
            f"{CALLED}, the steps are in the message. {LINK}.",
            FOOT,
        ),
    ),
    "store down": Told(
        store_down,
        f"{CALLED} {THERE}: its key store is down and its 3 keys have failed since 2 Mar, 09:00 UTC.",
        (
            f"{CLUSTER}: its key store is down, and its 3 keys fail.",
            "It began at 09:00 UTC. Role checkout-api fails.",
            "One person can approve the rescue.",
            f"{CALLED}, please decide. {LINK}.",
            FOOT,
        ),
        {"No key is lost": "One of these keys is newer than the backup of the lost cluster."},
    ),
    "tampered": Told(
        tampered,
        f"{CALLED} On hold: the record of {THERE}, does not fit its seal. Unlatch does nothing with it. An operator is needed; the steps are in the message.",
        (
            f"On hold: the record of {CLUSTER} can’t be trusted",
            "The stored record of this case does not fit its seal. Unlatch does nothing with it. Somebody may have written to Unlatch’s table, or the seal key was replaced. Nobody can approve or cancel here until an operator has looked.",
            f"{CALLED}: please tell whoever runs Unlatch and whoever looks after security.",
            "What AWS shows now, read at 09:00 UTC",
            "No key is waiting for deletion. 3 keys: 2 enabled, 1 disabled",
            "Key store payments, connected; 2 HSMs, active",
            "What the operator does",
            "1. Stop all changes of this stage.",
            'unlatch freeze --stage prod --reason "case-1 does not fit its seal"',
            "2. Find out who wrote to the table",
            "CloudTrail’s data events show it, if you keep them.",
            "3. See what the record says beside what AWS says, and decide which counts.",
            "unlatch trust case-1 --stage prod",
            "4. Let changes go on. unlatch thaw --stage prod",
            "Once the true record is back, the case goes on by itself. An alarm",
            "has gone out.",
            "`case-1` · Last record that fits:",
        ),
        {
            "Unlatch’s last call here": "The record alone knows its calls; CloudTrail of the account shows them.",
            "the table unlatch-prod": "A table that was restored has another name.",
            "the last record that fits. CloudTrail": "Its time stands in the table itself, so ours says when it was noticed.",
            "version 7": "The run remembers the digest alone.",
            "(unlatch-prod-seals)": "That alarm is for a click; this one is unlatch-prod-tampering.",
            "Your reason goes into the log": "Its command wants the reason, so it stands there.",
        },
    ),
    "tampered while keys wait": Told(
        tampered_while_keys_wait,
        "<!subteam^S0KEYS> On hold: the record of cluster-2a3b4c5d6e7 in account 111122223333, us-east-1, does not fit its seal. Unlatch does nothing with it. An operator is needed; the steps are in the message.",
        (
            "2. Keep the keys that are waiting, if they matter.",
            "aws kms cancel-key-deletion --region us-east-1 --key-id",
            "3. Find out who wrote to the table",
        ),
    ),
}


@pytest.mark.parametrize("name", DESIGN)
def test_it_says_what_was_designed(name: str) -> None:
    told = DESIGN[name]
    message = told.make()
    assert message.text == told.text
    held(words(message.blocks), told.said, told.different)
    assert buttons(message) == {}, "decisions are made in the case"


REFUSED = {
    Refusal.EXTERNAL: "You can’t decide here: your account belongs to another company. Nothing was changed. Ask your contact in this channel.",
    Refusal.GUEST: "You can’t decide here: guest accounts can’t approve. Nothing was changed. <!subteam^S0KEYS> can.",
    Refusal.REQUESTER: "You can’t approve this: you made the delete that failed, so somebody else has to agree. Nothing was changed. <!subteam^S0KEYS> can.",
    Refusal.NOT_AN_APPROVER: "You can’t approve this: you are not in <!subteam^S0KEYS>. Nothing was changed. Anybody there can decide; you can write in the thread.",
    Refusal.NO_APPROVERS: "Nobody can approve: the list of approvers is empty. Nothing was changed. Whoever runs Unlatch can set APPROVERS.",
    Refusal.UNKNOWN: "Slack could not say who may approve, so nothing was counted. Nothing was changed. Please click again in a minute.",
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_private_refusal_says_what_was_designed(refusal: Refusal) -> None:
    assert refusals.sentence(refusal, policy=GROUP) == REFUSED[refusal]


def test_the_other_private_answers_say_what_was_designed() -> None:
    assert refusals.OBSTACLES[Obstacle.DECIDED] == (
        "{who} decided this just before you. Your click changed nothing. The message shows how it stands."
    )
    held(
        refusals.OBSTACLES[Obstacle.EXPIRED],
        ("This case closed on {when}. Your click changed nothing.", "to start again."),
        {"nobody decided in": "UX-2 says it in fewer words: the message tells why it closed."},
    )


def test_help_says_what_was_designed() -> None:
    slack: Any = Slack()
    reach = Reach(slack, "C1", GROUP, Naming(slack), lambda *_, **__: None, lambda: None)
    held(
        reach.help(),
        (
            "*Unlatch frees AWS CloudHSM clusters and KMS key stores that hold each other.* It changes nothing until enough people have approved.",
            "`/unlatch status` open and kept cases, and what waits for you",
            "`/unlatch scan` idle clusters and broken key stores; changes nothing",
            "`/unlatch cluster-2a3b4c5d6e7` start a case for this cluster",
            "`/unlatch cluster-2a3b4c5d6e7 111122223333/eu-west-1` the same in another account or Region",
            "`/unlatch help` this",
            "<!subteam^S0KEYS> can approve. Whoever starts a case can’t approve it. To stop all changes at once, an operator runs `unlatch freeze`.",
            "Only you see this. Your cases are in Unlatch’s Home tab.",
        ),
        {},
    )


def test_an_empty_home_says_what_was_designed() -> None:
    clusters = tuple(f"1/us-east-1/cluster-{n}" for n in range(12))
    scan = Scan(NOW, 40, 4, clusters, 26, 29_950.0, ())
    shown = home.view(Home((), (), (), scan, channel="C0KEYS"), policy=GROUP, names=NAMES, now=NOW)
    held(
        words(shown),
        (
            "Nothing waits for you",
            "No case is open. When AWS refuses to delete a cluster or a key store, or a key store goes down, Unlatch writes to",
            "and the case shows here.",
            "Fleet",
            "40 accounts, 4 Regions. 12 clusters with 26 HSMs, about $29,950 a month.",
            "None is idle, none is broken.",
            "again every hour and after each click · `/unlatch help`",
        ),
        {},
    )


def test_a_home_says_what_was_designed() -> None:
    lost = replace(cluster_lost().case, is_down=True)
    theirs = asked(OLD).case
    shown = home.view(
        Home(
            (lost, one_of_two().case),
            (waiting_for_keys().case, replace(theirs, case_id="case-2")),
            (kept().case,),
            channel="C0KEYS",
            asked_by=frozenset({"case-2"}),
        ),
        policy=GROUP,
        names=NAMES,
        now=NOW,
    )
    told = re.sub(r"<!date[^|]*\|([^>]*)>", r"\1", words(shown))
    held(
        told,
        (
            "Waits for you: 2",
            "Since 2 Mar, 09:00 UTC · the rescue needs 1 person",
            "One more approval to retire",
            "1 of 2 approved, by <@alice> · closes 3 Mar, 09:00 UTC",
            "payments-prod (111122223333) · us-east-1 · key store payments",
            "Open, nothing for you to do: 2",
            "will be deleted on 1 Apr",
            "Nobody has tried to use them. Any approver can cancel until then.",
            "You made that call, so others decide",
            "Kept: 1",
            "kept until 1 Apr",
            "By <@alice>, <@carol> looks after it · $77 a day",
        ),
        {"2 people are needed": "Each way out needs its own number."},
    )

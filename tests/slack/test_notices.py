"""The messages that notify: their words, whom they mention, what is left of them once it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.rules.notices import noticed
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.slack_message import Moment, Notice, SlackMessage
from chalicelib.domain.state.snapshot import KeyState, StoreState
from chalicelib.slack.messages.names import Names, called, mentions
from chalicelib.slack.messages.notice import line, message, rest
from chalicelib.slack.messages.notice_down import MOST_CALLERS as MOST
from chalicelib.slack.messages.notice_over import over
from chalicelib.slack.messages.text import Message
from sandbox.slack.limits import check_message
from tests.domain.worlds import DAY, NOW, POLICY, Play, case, key, store, world
from tests.slack.every_moment import cluster_lost, stopped, stopped_halfway, store_down
from tests.slack.moments import OLD, key_used, waiting_for_keys
from tests.slack.reading import words

NAMES = Names(
    accounts={"111122223333": "payments-prod"},
    owners=("U0PRIYA",),
    home="https://example.slack.com/",
)
GROUP = replace(POLICY, approvers=("S0KEYS",))
LINK = "<https://example.slack.com/archives/C0KEYS/p1772420820000100|Open the case>"


def shown(it: Case) -> Case:
    return replace(it, message=SlackMessage("C0KEYS", "1772420820.000100"))


def noticed_in(it: Case, at: object, moment: Moment) -> tuple[Case, Notice]:
    told = noticed(replace(shown(it), uses_seen=len(it.key_uses)), at)  # type: ignore[arg-type]
    return told, next(n for n in told.message.notices if n.moment is moment)


def said(it: Case, at: object, moment: Moment, **policy: object) -> Message:
    told, notice = noticed_in(it, at, moment)
    made = message(told, notice, policy=replace(GROUP, **policy), names=NAMES)  # type: ignore[arg-type]
    assert not check_message(list(made.blocks), made.text)
    return made


def test_a_key_that_goes_was_used() -> None:
    play = key_used()
    made = said(play.case, play.now, Moment.KEY_USED)
    assert made.text == (
        "<!subteam^S0KEYS> <@U0PRIYA> cluster-2a3b4c5d6e7 in payments-prod, us-east-1: a key that is "
        "being deleted was just used, and the caller failed. It will be deleted on 1 Apr unless "
        "somebody cancels."
    )
    assert "Role nightly-report tried to decrypt with alias/payments-2024 at" in words(
        made.blocks[0]
    )
    assert "In all 2 uses by 1 caller since" in words(made.blocks[0])
    assert made.blocks[1]["text"]["text"] == (
        f"<!subteam^S0KEYS> <@U0PRIYA>, does that job matter? {LINK} to cancel."
    )
    assert "payments-prod (111122223333) · us-east-1 · case-" in words(made.blocks[2])


def test_a_key_that_was_switched_off_is_not_said_to_go() -> None:
    play = key_used()
    off = replace(OLD, state=KeyState.DISABLED)
    call = replace(play.case.calls[0], operation=Operation.DISABLE_KEY, target=OLD.key_id)
    made = said(replace(play.case, calls=(call,), snapshot=world(off)), play.now, Moment.KEY_USED)
    assert "No key is being deleted yet." in words(made.blocks[0])
    assert "Cancel if the job matters." in made.text


def test_the_last_call_names_number_and_date() -> None:
    play = waiting_for_keys()
    until = max(k.deletion_date for k in (play.case.snapshot or world()).keys if k.deletion_date)
    made = said(replace(play.case, called_until=until), play.now, Moment.LAST_CALL)
    assert (
        "Last call for cluster-2a3b4c5d6e7 in payments-prod, us-east-1: 2 keys will be deleted on"
        in made.text
    )
    assert "last call before its 2 keys are gone." in words(made.blocks[0])
    assert "Nobody has tried to use them since" in words(made.blocks[0])
    used = replace(play.case, called_until=until, key_uses=key_used().case.key_uses)
    assert "The last failed use was on" in words(said(used, play.now, Moment.LAST_CALL).blocks[0])


def test_a_stop_says_whether_keys_wait() -> None:
    for play, fact in (
        (stopped(), "No key is waiting for deletion."),
        (stopped_halfway(), "will be deleted"),
    ):
        closed = replace(play.case, closed_at=play.case.closed_at or play.now)
        made = said(closed, play.now, Moment.STOPPED)
        assert fact in made.text
        assert "until somebody presses Try again" in words(made.blocks[0])


def test_an_outage_says_since_when() -> None:
    failed = case(snapshot=world(OLD, key("b"), held=store(StoreState.FAILED)))
    first, notice = noticed_in(failed, NOW, Moment.STORE_DOWN)
    made = message(first, notice, policy=GROUP, names=NAMES)
    assert "its key store is down and its 2 keys have failed since" in made.text
    assert "please decide." in made.blocks[1]["text"]["text"]
    told = replace(first.message, notices=(replace(notice, told_at=NOW),))
    again = noticed(replace(first, message=told), NOW + DAY)
    last = again.message.notices[-1]
    assert "It is still down." in words(message(again, last, policy=GROUP, names=NAMES).blocks[0])
    single = case(snapshot=world(OLD, held=store(StoreState.FAILED)))
    assert "its only key has failed" in said(single, NOW, Moment.STORE_DOWN).text


def test_an_outage_says_who_fails_and_who_can_approve() -> None:
    play = cluster_lost()
    made = said(play.case, play.now, Moment.STORE_DOWN)
    told = words(made.blocks[0])
    assert "It began at 09:00 UTC . Role checkout-api fails." in told
    assert "One person can approve the rescue." in told
    assert "No key is lost" not in made.text + told, "some may be newer than the backup"
    play = store_down()
    uses = [
        KeyUse(f"use-{n}", NOW, OLD.key_id, f"role caller-{n}", "Decrypt") for n in range(MOST + 2)
    ]
    told = words(
        said(replace(play.case, key_uses=tuple(uses)), NOW + DAY, Moment.STORE_DOWN).blocks
    )
    assert "Role caller-4, role caller-3, role caller-2 and 2 more callers fail." in told
    assert "It began on 2 Mar, 09:00 UTC" in told


def lapsed_case(**click: str) -> Case:
    play = Play(world())
    play.click(Act.KEEP, keep_until=NOW + DAY, **click)
    return replace(play.case, snapshot=world(), reset_at_click=1)


def test_a_keep_that_lapsed_calls_its_owner_alone() -> None:
    it = lapsed_case(owner="U0DAVE", reason="Migration in spring")
    made = said(it, NOW + 2 * DAY, Moment.KEEP_LAPSED)
    assert made.text.startswith(
        "<@U0DAVE> cluster-2a3b4c5d6e7 in payments-prod, us-east-1: the time"
    )
    assert "“Migration in spring”" in words(made.blocks[0])
    assert "<!subteam" not in str(made.blocks)


def test_mention_nobody_means_nobody() -> None:
    made = said(stopped().case, NOW, Moment.STOPPED, mention=("nobody",))
    assert "<!subteam" not in made.text
    assert made.text.startswith("<@U0PRIYA> "), "the owner is told all the same"


def test_each_is_mentioned_once() -> None:
    assert called(("approvers", "U1", "S1"), ("U1", "U2")) == ("U1", "U2", "S1")
    assert mentions(("U1", "U1", "S0AB", "<bad>")) == ("<@U1>", "<!subteam^S0AB>")
    it = replace(stopped().case, requester_id="U0PRIYA")
    assert said(it, NOW, Moment.STOPPED).text.count("U0PRIYA") == 1


def test_without_an_address_there_is_no_link() -> None:
    told, notice = noticed_in(stopped().case, NOW, Moment.STOPPED)
    made = message(told, notice, policy=GROUP, names=Names())
    assert "http" not in str(made.blocks)
    assert "account 111122223333" in made.text


def ended(moment: Moment, it: Case, **values: object) -> Message:
    told, notice = noticed_in(it, NOW + 2 * DAY, moment)
    made = over(
        replace(told, **values),  # type: ignore[arg-type]
        replace(notice, over_at=NOW + 3 * DAY),
        names=NAMES,
    )
    assert "<!subteam" not in str(made)
    assert not check_message(list(made.blocks), made.text)
    return made


def test_what_is_over_says_how_it_ended() -> None:
    play = key_used()
    ending = replace(play.case.clicks[-1], act=Act.CANCEL)
    assert "The deletion was cancelled on" in ended(Moment.KEY_USED, play.case, ending=ending).text
    assert "keys are as they were" in words(ended(Moment.KEY_USED, play.case, ending=ending).blocks)
    gone = ended(Moment.KEY_USED, play.case, snapshot=world())
    assert "2 keys are deleted" in gone.text
    assert "No key is waiting" in ended(Moment.KEY_USED, play.case).text
    assert "Try again" in ended(Moment.STOPPED, stopped().case).text
    kept = lapsed_case()
    assert "It was decided" in ended(Moment.KEEP_LAPSED, kept).text
    failed = case(snapshot=world(OLD, held=store(StoreState.FAILED)))
    assert "no longer down" in ended(Moment.STORE_DOWN, failed).text


def test_the_message_that_counts_the_rest_stays_readable() -> None:
    told, notice = noticed_in(stopped().case, NOW, Moment.STOPPED)
    one = line(told, notice, policy=GROUP, names=NAMES)
    assert "stopped, a person is needed." in one
    many = rest([one] * 30, ("S0KEYS",))
    assert "30 more warnings within this hour" in many.text
    assert "and 10 more" in str(many.blocks)
    assert not check_message(list(many.blocks), many.text)
    assert rest([one], ()).text == "1 more warning within this hour."


@pytest.mark.parametrize("ids", [(), ("U1",), tuple(f"U{n}" for n in range(12))])
def test_approvers_by_name_notify_nobody(ids: tuple[str, ...]) -> None:
    plain = Names(people={"U1": "ann"}).plainly(ids)
    assert "<@" not in plain
    assert plain or not ids

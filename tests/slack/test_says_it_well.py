"""How messages speak, one rule a test, held against every moment of a case: never for one wording alone."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.domain.state.plan import Remedy
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.render import Message, render
from chalicelib.slack.messages.thread import line
from chalicelib.slack.refusals import sentence
from tests.domain.worlds import CLUSTER, DAY, HOURS, POLICY, case, key, used
from tests.slack.every_moment import MOMENTS, parked, parking, undoing
from tests.slack.moments import OLD, asked, one_of_two, shown
from tests.slack.reading import button, buttons, header, question, words
from tests.slack.test_headings import missing
from tests.slack.test_modals import decide
from tests.slack.test_thread import LINES

ALL = sorted(MOMENTS)


def said(moment: str) -> str:
    return words(message_of(moment).blocks)


@cache
def message_of(moment: str) -> Message:
    play = MOMENTS[moment]()
    return shown(play, policy=play.policy)


@pytest.mark.parametrize("moment", ALL)
def test_what_is_to_come_will_be(moment: str) -> None:
    """“will be deleted”, not “are deleted”."""
    assert not re.search(r"keys? (is|are) deleted (on|at|in)\b", said(moment))
    assert not re.search(r"undecided|deleted unless", said(moment))


@pytest.mark.parametrize("moment", ALL)
def test_nothing_for_you_to_do(moment: str) -> None:
    """Never the bare “Nothing to do”; and never the word of the remedy for a run that sleeps."""
    assert "Nothing to do." not in said(moment)
    assert "case is parked" not in said(moment)


@pytest.mark.parametrize("moment", ["disconnecting", "deleting_hsms", "parking", "soaking"])
def test_under_way_nobody_has_to_act(moment: str) -> None:
    assert "Nothing for you to do." in said(moment)


def dialog(*by: str) -> str:
    return words(decide(missing(*by), Remedy.RETIRE, count=len(by))["blocks"])


def test_before_the_last_approval_nothing_happens_now() -> None:
    """Before the third approval no “Now: the keys stop working”."""
    assert "Once 3 people have approved" in dialog()
    assert "Once 3 people have approved" in dialog("alice")
    assert "Now" in dialog("alice", "bob")
    assert "Once 3 people" not in dialog("alice", "bob")


@pytest.mark.parametrize("by", [("alice",), ("alice", "bob")])
def test_the_worst_fact_stays_until_the_last_approval(by: tuple[str, ...]) -> None:
    message = shown(missing(*by))
    assert "One of its 3 keys was used 3 hours ago." in words(message.blocks[2])
    assert "One of its 3 keys was used 3 hours ago." in message.text


def test_who_is_still_needed_is_said() -> None:
    play = one_of_two()
    policy = replace(POLICY, approvers=("alice", "bob", "erin"))
    told = words(render(play.case, policy=policy, now=play.now, version=1).blocks)
    assert "Approved: alice · Still needed: 1 more, bob and erin can" in told
    assert "except" not in told


def test_nobody_else_is_said_only_if_one_is_missing() -> None:
    assert "If nobody else approves by" in words(shown(one_of_two()).blocks)
    two = words(shown(missing("alice")).blocks)
    assert "If 2 more people don’t approve by" in two
    assert "nobody else" not in two


def test_who_pressed_undo_can_t_undo() -> None:
    told = sentence(Refusal.NOT_AN_APPROVER, policy=POLICY, action="undo")
    assert told.startswith("You can’t undo this")


@pytest.mark.parametrize("moment", ALL)
def test_an_id_is_named_as_such(moment: str) -> None:
    for block in message_of(moment).blocks:
        told = words(block)
        if "2f6d1c0e" in told:
            assert "Request id 2f6d1c0e" in told


@pytest.mark.parametrize("item", [item for item, _ in LINES])
def test_an_id_in_the_thread_is_named_or_kept_to_the_log(item: Entry) -> None:
    told = line(item, case=case())
    said = words(told.blocks) if told else ""
    for found in re.findall(r"[0-9a-f]{8}-\S+", said):
        assert f"Request id {found}" in said


def test_keep_and_close_differ_in_words_and_place() -> None:
    message = message_of("new")
    names = list(buttons(message))
    assert names[0] == "keep"
    assert names[-1] == "reject"
    assert button(message, "keep")["text"]["text"] == "Keep…"
    assert button(message, "reject")["text"]["text"] == "Close the case"
    assert "leave it as it is, with an owner and a date" in words(message.blocks)
    assert "Nothing in AWS is changed." in question(message, "reject")


@pytest.mark.parametrize("days", [30, 31, 90])
def test_a_fact_is_no_claim_about_days(days: int) -> None:
    """“30 days ago” is not “not in the last 30 days”."""
    told = words(shown(asked(key("a", last_use=used(days * DAY + HOURS)))).blocks)
    assert f"The last use of its only key was {days} days ago." in told
    assert "in the last 30 days" not in told


@pytest.mark.parametrize(
    ("keys", "fact"),
    [
        ((key("a", last_use=used(None)),), "Its only key was never used."),
        ((key("a", last_use=used(None)), key("b", last_use=used(None))), "Neither of its keys was ever used."),
        ((key("a", last_use=used(None, tracked=40 * DAY)),), "Its only key was not used in the last 30 days."),
        ((key("a", last_use=used(None, tracked=40 * DAY)), key("b", last_use=used(None))), "Neither of its keys was used in the last 30 days."),
    ],
)  # fmt: skip
def test_what_was_never_seen_is_said_as_far_as_it_is_known(
    keys: tuple[object, ...], fact: str
) -> None:
    assert fact in words(shown(asked(*keys)).blocks)


def minutes(told: str) -> set[str]:
    return set(re.findall(r"about (\d+) min", told))


def test_durations_agree_between_offer_button_and_progress() -> None:
    offer = next(b for b in message_of("new").blocks if words(b).startswith("*Park*"))
    view = decide(asked(OLD), Remedy.PARK)
    told = [
        words(offer),
        words(view["blocks"]).partition("To undo:")[2],
        question(shown(parking()), "cancel"),
        question(shown(parked()), "undo"),
        words(shown(undoing()).blocks),
    ]
    assert [minutes(one) for one in told] == [{"20"}] * len(told)


@pytest.mark.parametrize("moment", ["retired", "repointed", "released", "rescued"])
def test_the_audit_command_carries_its_stage(moment: str) -> None:
    play = MOMENTS[moment]()
    told = words(
        render(play.case, policy=play.policy, now=play.now, version=1, stage="prod").blocks
    )
    assert "unlatch audit verify case-1 --stage prod" in told


@pytest.mark.parametrize("moment", ALL)
def test_a_step_that_is_named_lies_ahead(moment: str) -> None:
    """Nobody can stop “until step 4 begins” while the message says that step 4 is under way."""
    found = re.search(r"Step (\d+) of \d+:.*You can stop until step (\d+)", said(moment))
    assert found is None or int(found[1]) < int(found[2])


@pytest.mark.parametrize("moment", ALL)
def test_the_place_is_said_once(moment: str) -> None:
    grey = [words(b) for b in message_of(moment).blocks if b["type"] == "context"]
    assert sum("us-east-1" in one and "aws " not in one for one in grey) == 1


def test_what_failed_has_no_usual_end() -> None:
    (plan,) = [b for b in message_of("stopped").blocks if b["type"] == "plan"]
    failed = [words(task) for task in plan["tasks"] if task["status"] == "error"]
    assert failed
    assert not any("Usually" in one for one in failed)


@pytest.mark.parametrize("moment", ["new", "one_of_two"])
def test_the_owner_is_named_until_it_is_decided(moment: str) -> None:
    play = MOMENTS[moment]()
    hidden = replace(play.case, key_owners=KeyOwners(("U0DAVE",), 2))
    names = Names(owners=("U0DAVE",), owner_tag="<!here>")
    told = render(hidden, policy=POLICY, now=play.now, version=1, names=names)
    text = words(told.blocks)
    assert "Owner: <@U0DAVE>, by the tag &lt;!here&gt;." in text
    assert "AWS does not let Unlatch read the tags of 2 keys, so their owners are not told" in text


def test_the_cluster_is_in_the_heading_of_what_has_no_case_yet() -> None:
    blank: Case = case()
    assert CLUSTER in header(render(blank, policy=POLICY, now=blank.opened_at, version=1))

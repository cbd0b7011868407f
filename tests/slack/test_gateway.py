"""Showing and answering: nothing that Slack does stops the work, and nothing is said twice for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.approval import Refusal
from chalicelib.domain.case import Act, Case, Click, SlackMessage
from chalicelib.domain.log import Entry, Kind, chained, entry
from chalicelib.domain.plan import Remedy
from chalicelib.ports import Answer, Clicked
from chalicelib.slack.gateway import EVENT, SlackGateway
from chalicelib.slack.replies import SlackFailed
from tests.domain.worlds import NOW, POLICY
from tests.slack.moments import asked, without_backup
from tests.slack.reading import words

CLICKED = Clicked("submission", "alice", "T1", "C1", action="decide")


class Slack:
    """Answers by method; what it was asked, in order. An exception in an answer's place is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "chat.postMessage": {"ts": "1.1"},
            "chat.update": {},
            "chat.postEphemeral": {},
            "views.open": {"view": {"id": "V1"}},
            "views.update": {},
            "conversations.history": {"messages": []},
        }
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.logged: list[str] = []
        self.counted: Counter[str] = Counter()

    def __call__(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        self.asked.append((method, arguments))
        answer = self.answers[method]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    def gateway(self) -> SlackGateway:
        return SlackGateway(
            self,
            "C1",
            POLICY,
            lambda what, **_: self.logged.append(what),
            lambda name, by: self.counted.update({name: by}),
        )


def offered() -> Case:
    return asked().case


def shown(slack: Slack, case: Case, *entries: Entry, may_exist: bool = False) -> SlackMessage:
    lines = chained(entries, length=0, head="")
    return slack.gateway().show(case, lines, now=NOW, may_exist=may_exist)


OPENED = entry(Kind.READ, NOW, keys=1, seen=9)


def test_the_message_is_posted_and_its_thread_told() -> None:
    slack = Slack()
    message = shown(slack, offered(), OPENED)
    assert slack.methods == ["chat.postMessage", "chat.postMessage"]
    (_, first), (_, second) = slack.asked
    assert first["metadata"]["event_payload"] == {"case_id": offered().case_id}
    assert second["thread_ts"] == "1.1"
    assert (message.ts, message.channel, message.thread_lines) == ("1.1", "C1", 1)
    assert not message.is_behind


def test_what_is_shown_already_is_not_sent_again() -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=shown(slack, case))
    assert shown(slack, case) == case.message
    assert slack.methods == ["chat.postMessage"]


def test_what_changed_is_updated() -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=replace(shown(slack, case), shown="older"))
    assert shown(slack, case).ts == "1.1"
    assert slack.methods == ["chat.postMessage", "chat.update"]


@pytest.mark.parametrize("code", ["message_not_found", "channel_not_found", "cant_update_message"])
def test_a_message_that_is_gone_is_posted_anew(code: str) -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=replace(shown(slack, case), shown="older", thread_lines=7))
    slack.answers |= {"chat.update": SlackFailed(code), "chat.postMessage": {"ts": "2.2"}}
    message = shown(slack, case)
    assert (message.ts, message.thread_lines) == ("2.2", 0), "its thread is told from the start"


def test_a_message_that_an_earlier_turn_posted_is_found() -> None:
    slack, case = Slack(), offered()
    ours = {"event_type": EVENT, "event_payload": {"case_id": case.case_id}}
    other = {"event_type": EVENT, "event_payload": {"case_id": "case-9"}}
    slack.answers["conversations.history"] = {
        "messages": [
            {"ts": "0.1"},
            {"ts": "0.2", "metadata": other},
            {"ts": "0.3", "metadata": ours},
        ]
    }
    assert shown(slack, case, may_exist=True).ts == "0.3"
    assert slack.methods == ["conversations.history", "chat.update"]


def test_where_none_is_found_it_is_posted() -> None:
    slack = Slack()
    assert shown(slack, offered(), may_exist=True).ts == "1.1"
    assert slack.methods == ["conversations.history", "chat.postMessage"]


def test_blocks_that_slack_does_not_know_are_sent_plainer_and_stay_so() -> None:
    slack, case = Slack(), offered()
    slack.answers["chat.postMessage"] = [SlackFailed("invalid_blocks"), {"ts": "1.1"}]
    message = shown(slack, case)
    assert message.plain_blocks
    slack.answers["chat.update"] = {}
    again = replace(case, message=replace(message, shown="older"))
    assert shown(slack, again).plain_blocks
    assert slack.methods == ["chat.postMessage", "chat.postMessage", "chat.update"]


def test_blocks_that_are_refused_even_plain_are_a_failure() -> None:
    slack = Slack()
    slack.answers["chat.postMessage"] = SlackFailed("invalid_blocks")
    assert shown(slack, offered()).is_behind
    assert slack.methods == ["chat.postMessage"] * 2


def test_a_failing_slack_is_noted_and_the_work_goes_on() -> None:
    slack = Slack()
    slack.answers["chat.postMessage"] = [{"ts": "1.1"}, SlackFailed("ratelimited", retry_after=30)]
    message = shown(slack, offered(), OPENED)
    assert (message.ts, message.is_behind, message.retry_after) == ("1.1", True, 30)
    assert message.thread_lines == 0, "the line comes next time"
    assert (slack.logged, slack.counted) == (["Slack failed"], {"SlackFailures": 1})


def test_a_dialog_opens_at_once_or_not_at_all() -> None:
    slack = Slack()
    assert slack.gateway().open(offered(), Remedy.PARK, trigger_id="t") == "V1"
    slack.answers["views.open"] = SlackFailed("expired_trigger_id")
    assert slack.gateway().open(offered(), Remedy.PARK, trigger_id="t") == ""
    assert slack.logged == ["dialog not opened"]


def look(remedy: Remedy | None = Remedy.RETIRE) -> Click:
    return Click(Act.LOOK, "alice", NOW, remedy=remedy, view_id="V1")


def test_the_dialog_is_filled_with_this_turns_numbers() -> None:
    slack = Slack()
    slack.gateway().fill(offered(), look(), now=NOW)
    ((_, sent),) = slack.asked
    assert sent["view_id"] == "V1"
    assert sent["view"]["callback_id"] == "decide"


def test_a_way_out_that_is_closed_says_why() -> None:
    slack = Slack()
    slack.gateway().fill(without_backup().case, look(), now=NOW)
    ((_, sent),) = slack.asked
    assert "submit" not in sent["view"]


def test_nothing_is_filled_before_anything_was_read() -> None:
    slack = Slack()
    slack.gateway().fill(replace(offered(), snapshot=None), look(), now=NOW)
    slack.gateway().fill(offered(), look(None), now=NOW)
    assert slack.asked == []


def test_a_dialog_that_was_closed_meanwhile_is_no_failure() -> None:
    slack = Slack()
    slack.answers["views.update"] = SlackFailed("not_found")
    slack.gateway().fill(offered(), look(), now=NOW)
    assert slack.logged == ["dialog not filled"]


def test_private_answers_are_for_one_person() -> None:
    slack = Slack()
    slack.gateway().reply(Answer(private="You approved this already."), CLICKED)
    ((method, sent),) = slack.asked
    assert (method, sent["user"], sent["channel"]) == ("chat.postEphemeral", "alice", "C1")
    assert "approved this already" in words(sent["blocks"])
    slack.answers["chat.postEphemeral"] = SlackFailed("user_not_in_channel")
    slack.gateway().tell("alice", "x", channel="")
    assert slack.logged == ["private answer not sent"]


def test_a_refusal_is_told_in_words() -> None:
    slack = Slack()
    gateway = slack.gateway()
    assert gateway.reply(Answer(refusal=Refusal.BOT), CLICKED) == {}
    ((_, sent),) = slack.asked
    assert "can’t decide here" in words(sent["blocks"])
    assert "can’t decide here" in gateway.said(Answer(refusal=Refusal.BOT))
    assert gateway.said(Answer(private="Yes.")) == "Yes."


def test_what_is_wrong_in_a_dialog_is_said_in_the_dialog() -> None:
    reply = Slack().gateway().reply
    case = offered()
    assert reply(Answer(), CLICKED) == {}
    wrong = reply(Answer(wrong_id="cluster-x", case=case), CLICKED)
    assert wrong["response_action"] == "errors"
    assert reply(Answer(field=("reason", "Please give a reason.")), CLICKED) == {
        "response_action": "errors",
        "errors": {"reason": "Please give a reason."},
    }
    changed = reply(Answer(is_changed=True, case=case, remedy=Remedy.RETIRE), CLICKED)
    assert changed["view"]["callback_id"] == "look_again"
    again = reply(Answer(case=case, remedy=Remedy.RETIRE), replace(CLICKED, action="look_again"))
    assert again["view"]["callback_id"] == "loading"

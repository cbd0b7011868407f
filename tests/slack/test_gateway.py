"""Showing and answering: nothing that Slack does stops the work, and nothing is said twice for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.answers import FieldError, Looking, MayNot, PlanChanged, Private, Recorded, WrongId
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.endings import NO_SUCH
from chalicelib.domain.state.audit_log import Entry, Kind, chained, entry
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.ports import Interaction
from chalicelib.slack.error_words import NOT_EDITABLE
from chalicelib.slack.gateway import EVENT, SlackGateway
from chalicelib.slack.naming import Naming
from chalicelib.slack.replies import SlackError
from tests.domain.worlds import NOW, POLICY, cluster, world
from tests.slack.every_moment import retired
from tests.slack.moments import asked, without_backup
from tests.slack.reading import words

CLICKED = Interaction("submission", "alice", "T1", "C1", action="decide")


class Slack:
    """Answers by method; what it was asked, in order. An exception in an answer's place is raised."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "chat.postMessage": {"ts": "1.1"},
            "chat.update": {},
            "chat.postEphemeral": {},
            "views.open": {"view": {"id": "V1"}},
            "views.update": {},
            "response_url": {},
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
            self.respond,
        )

    def respond(self, response_url: str, **message: Any) -> None:
        self("response_url", response_url=response_url, **message)


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


def test_what_a_message_asks_for_can_be_looked_up_before() -> None:
    slack = Slack()
    slack.answers |= {"auth.test": {"url": ""}, "usergroups.list": {"usergroups": []}}
    gateway = replace(slack.gateway(), naming=Naming(slack))
    gateway.prepare(offered())
    gateway.show(offered(), (), now=NOW, may_exist=False)
    assert slack.methods[-1] == "chat.postMessage"
    assert slack.methods.count("auth.test") == 1, "it is remembered"


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
    assert (slack.asked[-1][1]["channel"], slack.asked[-1][1]["ts"]) == ("C1", "1.1")


def test_another_channel_has_its_own_people() -> None:
    slack = Slack()
    there = slack.gateway().at("C9", replace(POLICY, approvers=("erin",)))
    there.show(offered(), (), now=NOW, may_exist=False)
    assert slack.asked[-1][1]["channel"] == "C9"
    assert "Can approve: erin" in str(slack.asked[-1][1]["blocks"])
    assert there.naming == slack.gateway().naming


@pytest.mark.parametrize("code", sorted(NOT_EDITABLE - {"edit_window_closed"}))
def test_a_message_that_is_gone_is_posted_anew(code: str) -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=replace(shown(slack, case), shown="older", thread_lines=7))
    slack.answers |= {"chat.update": SlackError(code), "chat.postMessage": {"ts": "2.2"}}
    message = shown(slack, case)
    assert (message.ts, message.thread_lines) == ("2.2", 0), "its thread is told from the start"


def test_where_nothing_may_be_edited_the_newest_message_counts_and_no_thread_is_told_again() -> (
    None
):
    slack, case = Slack(), offered()
    case = replace(case, message=replace(shown(slack, case), shown="older", thread_lines=7))
    slack.answers["chat.update"] = SlackError("edit_window_closed")
    slack.answers["chat.postMessage"] = {"ts": "2.2"}
    message = shown(slack, case)
    assert (message.ts, message.thread_lines, message.is_behind) == ("2.2", 7, False)


def test_lines_that_do_not_follow_wait_until_the_thread_was_told_from_the_start() -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=replace(shown(slack, case), shown="older", thread_lines=1))
    slack.answers["chat.update"] = SlackError("message_not_found")
    later = chained([OPENED, OPENED], length=0, head="")[1:]
    message = slack.gateway().show(case, later, now=NOW, may_exist=False)
    assert (message.thread_lines, message.is_behind, message.failures) == (0, True, 0)


def test_a_message_that_somebody_deleted_is_posted_anew_for_its_threads_sake() -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=shown(slack, case))
    slack.answers["chat.postMessage"] = SlackError("thread_not_found")
    message = shown(slack, case, OPENED)
    assert (message.ts, message.is_behind) == ("", True)
    slack.answers["chat.postMessage"] = {"ts": "2.2"}
    assert shown(slack, replace(case, message=message), OPENED, may_exist=True).ts == "2.2"


def test_a_case_moves_with_the_channel_setting_and_leaves_word() -> None:
    slack, case = Slack(), offered()
    before = SlackMessage("C0OLD", "0.9", shown(slack, case).shown, thread_lines=1)
    case, slack.asked = replace(case, message=before), []
    message = shown(slack, case, OPENED)
    assert (message.channel, message.ts, message.thread_lines) == ("C1", "1.1", 1)
    assert slack.methods == [
        "conversations.history",
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
    ]
    left = slack.asked[2][1]
    assert (left["channel"], left["ts"]) == ("C0OLD", "0.9")
    assert words(left["blocks"]) == "This case is shown in <#C1> now."


def test_a_move_that_died_half_way_is_taken_up() -> None:
    slack, case = Slack(), offered()
    case = replace(case, message=SlackMessage("C0OLD", "0.9", "older"))
    ours = {"event_type": EVENT, "event_payload": {"case_id": case.case_id}}
    slack.answers["conversations.history"] = {"messages": [{"ts": "1.7", "metadata": ours}]}
    slack.answers["chat.update"] = [{}, SlackError("is_archived")]
    message = shown(slack, case)
    assert (message.channel, message.ts, message.is_behind) == ("C1", "1.7", False)
    assert slack.logged == ["old message not told"]


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("is_archived", True),
        ("not_in_channel", True),
        ("restricted_action", True),
        ("account_inactive", True),
        ("a_word_of_tomorrow", True),
        ("no_answer", False),
        ("internal_error", False),
    ],
)
def test_what_only_a_person_can_help_is_remembered_and_counted(code: str, refused: bool) -> None:
    slack, case = Slack(), offered()
    slack.answers["chat.postMessage"] = SlackError(code)
    message = shown(slack, case)
    message = shown(slack, replace(case, message=message))
    assert (message.failures, message.refused) == (2, code if refused else "")
    assert slack.counted["SlackRefusals"] == 2 * refused
    slack.answers["chat.postMessage"] = {"ts": "1.1"}
    message = shown(slack, replace(case, message=message))
    assert (message.failures, message.refused, message.is_behind) == (0, "", False)


TOO_MUCH = ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"]


@pytest.mark.parametrize("code", [*TOO_MUCH, "too_many_blocks"])
def test_too_much_in_any_word_leads_to_plainer_blocks_at_once(code: str) -> None:
    slack, case = Slack(), offered()
    slack.answers["chat.postMessage"] = [SlackError(code), SlackError(code), {"ts": "1.1"}]
    message = shown(slack, case)
    assert (message.ts, message.plain_blocks, message.is_behind) == ("1.1", True, False)
    slack.answers["chat.postMessage"] = [SlackError(code), {"ts": "1.2"}]
    assert not shown(slack, replace(case, message=message), OPENED).is_behind, "lines too"


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


def test_a_message_of_before_is_found_behind_a_page_of_others() -> None:
    """The channel is busy, and Slack shows the newest first."""
    slack, case = Slack(), offered()
    ours = {"event_type": EVENT, "event_payload": {"case_id": case.case_id}}
    further = {"next_cursor": "more"}
    slack.answers["conversations.history"] = [
        {"messages": [{"ts": "0.9"}] * 200, "response_metadata": further},
        {"messages": [{"ts": "0.3", "metadata": ours}]},
    ]
    assert shown(slack, case, may_exist=True).ts == "0.3"
    assert slack.methods == ["conversations.history", "conversations.history", "chat.update"]


def test_where_none_is_found_it_is_posted() -> None:
    slack = Slack()
    assert shown(slack, offered(), may_exist=True).ts == "1.1"
    assert slack.methods == ["conversations.history", "chat.postMessage"]


def test_blocks_that_slack_does_not_know_are_sent_plainer_and_stay_so() -> None:
    slack, case = Slack(), offered()
    slack.answers["chat.postMessage"] = [SlackError("invalid_blocks"), {"ts": "1.1"}]
    message = shown(slack, case)
    assert message.plain_blocks
    slack.answers["chat.update"] = {}
    again = replace(case, message=replace(message, shown="older"))
    assert shown(slack, again).plain_blocks
    assert slack.methods == ["chat.postMessage", "chat.postMessage", "chat.update"]


def test_blocks_that_are_refused_even_plain_are_a_failure() -> None:
    slack = Slack()
    slack.answers["chat.postMessage"] = SlackError("invalid_blocks")
    assert shown(slack, offered()).is_behind
    assert slack.methods == ["chat.postMessage"] * 3, "as it is, plainer, and with the least"
    _, least = slack.asked[-1]
    assert {block["type"] for block in least["blocks"]} == {"section", "actions"}


def test_a_failing_slack_is_noted_and_the_work_goes_on() -> None:
    slack = Slack()
    slack.answers["chat.postMessage"] = [{"ts": "1.1"}, SlackError("ratelimited", retry_after=30)]
    message = shown(slack, offered(), OPENED)
    assert (message.ts, message.is_behind, message.retry_after) == ("1.1", True, 30)
    assert message.thread_lines == 0, "the line comes next time"
    assert (slack.logged, slack.counted) == (["Slack failed"], {"SlackFailures": 1})


def test_a_dialog_opens_at_once_or_not_at_all() -> None:
    slack = Slack()
    assert slack.gateway().open(offered(), Remedy.PARK, trigger_id="t") == "V1"
    slack.answers["views.open"] = SlackError("expired_trigger_id")
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


@pytest.mark.parametrize("code", ["invalid_arguments", "view_too_large", "invalid_blocks"])
def test_a_dialog_that_slack_does_not_take_is_filled_plainer(code: str) -> None:
    slack = Slack()
    slack.answers["views.update"] = [SlackError(code), {}]
    slack.gateway().fill(offered(), look(), now=NOW)
    types = {block["type"] for block in slack.asked[-1][1]["view"]["blocks"]}
    assert slack.methods == ["views.update"] * 2
    assert not types & {"alert", "table", "plan"}
    assert slack.logged == []


def test_a_dialog_that_was_closed_meanwhile_is_no_failure() -> None:
    slack = Slack()
    slack.answers["views.update"] = SlackError("not_found")
    slack.gateway().fill(offered(), look(), now=NOW)
    assert slack.logged == ["dialog not filled"]


def test_private_answers_are_for_one_person() -> None:
    slack = Slack()
    slack.gateway().reply(Private("You approved this already."), CLICKED)
    ((method, sent),) = slack.asked
    assert (method, sent["user"], sent["channel"]) == ("chat.postEphemeral", "alice", "C1")
    assert "approved this already" in words(sent["blocks"])


REFUSED = ["user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived", "no_answer"]


@pytest.mark.parametrize("code", REFUSED)
def test_a_private_answer_finds_another_way(code: str) -> None:
    slack, clicked = Slack(), replace(CLICKED, kind="button", response_url="https://x.test/1")
    slack.answers["chat.postEphemeral"] = SlackError(code)
    assert slack.gateway().reply(Private("Too late."), clicked) == {}
    assert slack.methods == ["chat.postEphemeral", "response_url"]
    told = slack.asked[-1][1]
    assert (told["response_url"], told["text"]) == ("https://x.test/1", "Too late.")
    assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)
    slack.answers["response_url"] = SlackError("response_url_404")
    slack.gateway().reply(Private("Too late."), clicked)
    method, told = slack.asked[-1]
    assert (method, told["channel"], told["text"]) == ("chat.postMessage", "alice", "Too late.")
    assert slack.counted["PrivateAnswersLost"] == 0


def test_no_such_cluster_is_told_where_each_asked() -> None:
    by_hand = replace(offered().attempts[0], caller=Caller("", "U1", SLACK_USER, "U1"))
    elsewhere = replace(by_hand, channel="C9", caller=Caller("", "U2", SLACK_USER, "U2"))
    slack = Slack()
    case = replace(offered(), attempts=(by_hand, elsewhere), reason=NO_SUCH.reason)
    slack.gateway().tell_askers(case)
    told = [(sent["user"], sent["channel"]) for _, sent in slack.asked]
    assert told == [("U1", "C1"), ("U2", "C9")]
    said = slack.asked[0][1]["text"]
    assert said.startswith(
        "There is no `cluster-2a3b4c5d6e7` in account 111122223333, us-east-1. No case was started."
    )
    slack.gateway().tell_askers(replace(case, reason="AWS did not answer there for 24 hours (x)."))
    assert slack.asked[-1][1]["text"].startswith(
        "`cluster-2a3b4c5d6e7` in account 111122223333, us-east-1: AWS did not answer there for 24 hours "
        "(x). Its case is closed. For another account or Region"
    )


def test_where_slack_takes_no_private_answer_the_dialog_says_it() -> None:
    slack = Slack()
    for way in ("chat.postEphemeral", "response_url", "chat.postMessage"):
        slack.answers[way] = SlackError("no_answer")
    said = slack.gateway().reply(Private("Too late."), CLICKED)
    assert said["response_action"] == "update"
    assert words(said["view"]["blocks"]) == "Too late."
    assert slack.gateway().reply(Private("x"), replace(CLICKED, kind="button")) == {}
    assert slack.counted["PrivateAnswersLost"] == 2


def test_a_refusal_is_told_in_words() -> None:
    slack = Slack()
    gateway = slack.gateway()
    assert gateway.reply(MayNot(Refusal.BOT), CLICKED) == {}
    ((_, sent),) = slack.asked
    assert "can’t decide here" in words(sent["blocks"])
    assert "can’t decide here" in gateway.said(MayNot(Refusal.BOT))
    assert gateway.said(Private("Yes.")) == "Yes."


def test_who_may_not_undo_is_told_about_undoing() -> None:
    slack = Slack()
    undo = replace(CLICKED, kind="button", action="undo")
    assert slack.gateway().reply(MayNot(Refusal.NOT_AN_APPROVER), undo) == {}
    assert "You can’t undo this" in words(slack.asked[0][1]["blocks"])


def test_commands_in_a_message_name_its_stage() -> None:
    slack, done = Slack(), retired().case
    replace(slack.gateway(), stage="prod").show(done, (), now=NOW, may_exist=False)
    assert "unlatch audit verify case-1 --stage prod" in words(slack.asked[0][1]["blocks"])


def test_a_case_on_hold_is_said_in_its_message_with_the_names_that_aws_gives() -> None:
    slack, begun = Slack(), replace(offered(), snapshot=None)
    slack.answers |= {"auth.test": {"url": ""}, "usergroups.list": {"usergroups": []}}
    tagged = replace(cluster(), tags=(("owner", "U0PRIYA"),))
    naming = Naming(slack, {"111122223333": "payments-prod"}, owner_tag="owner")
    gateway = replace(slack.gateway(), stage="prod", naming=naming)
    gateway.hold(begun, world(cluster=tagged), since=NOW, remembered="b81f6e03c0ffee77")
    method, sent = slack.asked[-1]
    assert method == "chat.postMessage"
    assert "<@U0PRIYA> On hold" in sent["text"]
    assert "payments-prod (111122223333)" in words(sent["blocks"])
    assert "digest `b81f6e03c0ff`" in words(sent["blocks"])
    assert "before 2 Mar, 09:00 UTC, when Unlatch noticed" in words(sent["blocks"])


def test_what_is_wrong_in_a_dialog_is_said_in_the_dialog() -> None:
    reply = Slack().gateway().reply
    case = offered()
    assert reply(Recorded(), CLICKED) == {}
    wrong = reply(WrongId("cluster-x", case), CLICKED)
    assert wrong["response_action"] == "errors"
    assert reply(FieldError("reason", "Please give a reason."), CLICKED) == {
        "response_action": "errors",
        "errors": {"reason": "Please give a reason."},
    }
    changed = reply(PlanChanged(case, Remedy.RETIRE), CLICKED)
    assert changed["view"]["callback_id"] == "look_again"
    again = reply(Looking(case, Remedy.RETIRE), replace(CLICKED, action="look_again"))
    assert again["view"]["callback_id"] == "loading"

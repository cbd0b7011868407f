"""Who somebody is: asked each time, groups for a minute, and nobody where Slack can't say."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.aside import beside
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.slack.people import SlackPeople
from chalicelib.slack.replies import SlackError

USER = {
    "team_id": "T1",
    "name": "alice",
    "profile": {"email": "alice@example.com"},
    "enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T2", 3]},
}


class Slack:
    """Answers by method; an exception in its place is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("__", "."): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        self.asked.append((method, next(iter(arguments.values()))))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def test_everything_that_can_bar_a_person_is_read() -> None:
    slack = Slack(users__info={"user": USER})
    alice = SlackPeople(slack, ["U1"]).fetch(["U1", "U1"])["U1"]
    assert (alice.team_id, alice.org_id, alice.name) == ("T1", "E1", "alice")
    assert alice.teams == ("T1", "T2")
    assert (alice.email, alice.is_approver) == ("alice@example.com", True)
    marks = (alice.is_guest, alice.is_bot, alice.is_gone, alice.is_stranger)
    assert marks == (False,) * 4
    assert slack.asked == [("users.info", "U1")]


@pytest.mark.parametrize(
    ("mark", "attribute"),
    [
        ("is_restricted", "is_guest"),
        ("is_ultra_restricted", "is_guest"),
        ("is_bot", "is_bot"),
        ("is_workflow_bot", "is_bot"),
        ("deleted", "is_gone"),
        ("is_stranger", "is_stranger"),
    ],
)
def test_slacks_marks(mark: str, attribute: str) -> None:
    slack = Slack(users__info={"user": {**USER, mark: True}})
    assert getattr(SlackPeople(slack, []).fetch(["U1"])["U1"], attribute) is True


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
def test_whom_slack_does_not_know_is_gone(code: str) -> None:
    assert SlackPeople(Slack(users__info=SlackError(code)), []).fetch(["U1"])["U1"].is_gone


def test_people_and_their_group_are_asked_for_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=20)

    def call(method: str, **_: Any) -> Mapping[str, Any]:
        together.wait()
        return {"user": USER} if method == "users.info" else {"users": ["U1"]}

    people = SlackPeople(call, ["S0GROUP"], aside=beside).fetch(["U1", "U2", "U1"])
    assert {name: one.is_approver for name, one in people.items()} == {"U1": True, "U2": False}


def test_where_slack_fails_nobody_is_known() -> None:
    assert SlackPeople(Slack(users__info=SlackError("no_answer")), ["U1"]).fetch(["U1"]) == {}


def test_a_group_is_asked_once_a_minute() -> None:
    now = [0.0]
    slack = Slack(users__info={"user": USER}, usergroups__users__list={"users": ["U1"]})
    people = SlackPeople(slack, ["S0GROUP"], clock=lambda: now[0])
    assert people.fetch(["U1"])["U1"].is_approver is True
    slack.answers["usergroups.users.list"] = {"users": []}
    now[0] = 59
    assert people.fetch(["U1"])["U1"].is_approver is True
    now[0] = 61
    assert people.fetch(["U1"])["U1"].is_approver is False
    assert [m for m, _ in slack.asked].count("usergroups.users.list") == 2


@pytest.mark.parametrize(
    ("code", "is_approver"),
    [
        *(
            (code, None)
            for code in ("no_answer", "ratelimited", "internal_error", "token_not_read")
        ),
        *((code, False) for code in ("no_such_subteam", "subteam_disabled", "missing_scope")),
        *((code, False) for code in ("account_inactive", "invalid_auth", "token_revoked")),
    ],
)
def test_a_group_that_slack_cant_tell_makes_nobody_an_approver(
    code: str, is_approver: bool | None
) -> None:
    """Only what may pass is “not known now”; a definite no is a no."""
    slack = Slack(users__info={"user": USER}, usergroups__users__list=SlackError(code))
    alice = SlackPeople(slack, ["S0GROUP"]).fetch(["U1"])["U1"]
    assert alice.is_approver is is_approver
    assert alice.unread == ("S0GROUP",)


class Groups(Slack):
    """Answers group by group."""

    def __call__(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        if method != "usergroups.users.list":
            return {"user": USER}
        answer = self.answers[arguments["usergroup"]]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def test_one_unread_group_does_not_bar_the_members_of_another() -> None:
    slack = Groups(S0GONE=SlackError("no_such_subteam"), S0TEAM={"users": ["U1"]})
    people = SlackPeople(slack, ["S0GONE", "S0TEAM"]).fetch(["U1", "U2"])
    assert [(p.is_approver, p.unread) for p in people.values()] == [
        (True, ()),
        (False, ("S0GONE",)),
    ]
    slack.answers["S0GONE"] = SlackError("no_answer")
    again = SlackPeople(slack, ["S0GONE", "S0TEAM"]).fetch(["U1", "U2"])
    assert [p.is_approver for p in again.values()] == [True, None]


@pytest.mark.parametrize("code", ["invalid_auth", "token_revoked", "missing_scope"])
def test_where_slack_refuses_to_tell_it_is_a_no(code: str) -> None:
    (refused,) = SlackPeople(Slack(users__info=SlackError(code)), ["U1"]).fetch(["U1"]).values()
    assert refused.is_refused
    assert refused.is_approver is False


def caller(**values: Any) -> Caller:
    given = {"arn": "arn:aws:iam::1:role/x", "name": "x", "kind": "AssumedRole", **values}
    return Caller(**given)


def test_a_caller_is_found_by_the_table_by_mail_or_not_at_all() -> None:
    slack = Slack(users__lookupByEmail={"user": {"id": "U7"}})
    people = SlackPeople(slack, [], principals={"arn:aws:iam::1:role/x": "U9"})
    assert people.find(caller()) == "U9"
    assert people.find(caller(arn="arn:other", email="a@example.com")) == "U7"
    assert people.find(caller(arn="arn:other")) == ""
    assert people.find(caller(arn="", kind=SLACK_USER, session_name="U5")) == "U5"
    slack.answers["users.lookupByEmail"] = SlackError("users_not_found")
    assert people.find(caller(arn="arn:other", email="a@example.com")) == ""


def test_the_same_mailbox_is_tried_under_a_second_domain() -> None:
    slack = Slack(users__lookupByEmail=SlackError("users_not_found"))
    people = SlackPeople(slack, [], domains=["second.example"])
    assert people.find(caller(arn="arn:other", email="ann@first.example")) == ""
    assert [given for _, given in slack.asked] == [
        "ann@first.example",
        "ann@second.example",
    ]


def test_another_list_of_approvers_shares_what_is_known_of_groups() -> None:
    slack = Slack(users__info={"user": USER}, usergroups__users__list={"users": ["U1"]})
    people = SlackPeople(slack, ["S0GROUP"])
    assert people.fetch(["U1"])["U1"].is_approver is True
    assert people.among(["U2"]).fetch(["U1"])["U1"].is_approver is False
    assert people.among(["S0GROUP"]).fetch(["U1"])["U1"].is_approver is True
    assert [m for m, _ in slack.asked].count("usergroups.users.list") == 1

"""Slack as an organisation runs it: several workspaces, one installation, people from each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.api import LocalSlack
from sandbox.slack.records import BOT_TOKEN
from tests.sandbox.slack.stand_ins import EVERYTHING, App, StandingClock

PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {"approver": True},
    "bob": {"approver": True, "team": "T0SECOND", "email": "Bob.Second@example.org"},
    "orla": {"team": "E0ORG"},
    "mallory": {"external": True},
}


@pytest.fixture
def slack(clock: StandingClock) -> Iterator[LocalSlack]:
    with LocalSlack(clock, PEOPLE, manifest=EVERYTHING, is_org_wide=True) as running:
        yield running


def test_people_belong_to_workspaces_of_the_organisation(bot: WebClient) -> None:
    bob = bot.users_info(user="bob")["user"]
    assert (bob["team_id"], bob["is_stranger"]) == ("T0SECOND", False)
    assert bob["enterprise_user"]["enterprise_id"] == "E0ORG"
    assert bob["enterprise_user"]["teams"] == ["T0SECOND"]
    orla = bot.users_info(user="orla")["user"]
    assert (orla["team_id"], orla["enterprise_user"]["teams"]) == ("E0ORG", ["T0UNLATCH"])
    stranger = bot.users_info(user="mallory")["user"]
    assert (stranger["team_id"], "enterprise_user" in stranger) == ("T0OTHER", False)


def test_an_address_is_found_whatever_its_case(bot: WebClient) -> None:
    found = bot.users_lookupByEmail(email="bob.second@EXAMPLE.org")["user"]
    assert (found["id"], found["profile"]["email"]) == ("bob", "Bob.Second@example.org")


def test_a_token_of_the_organisation_says_which_workspace(bot: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        bot.usergroups_users_list(usergroup="S0KEYS")
    assert refused.value.response["error"] == "missing_argument"
    with pytest.raises(SlackApiError, match="invalid_team"):
        bot.usergroups_users_list(usergroup="S0KEYS", team_id="T0OTHER")
    found = bot.usergroups_users_list(usergroup="S0KEYS", team_id="T0UNLATCH")
    assert found["users"] == ["alice", "bob"]


def test_auth_test_names_the_organisation(bot: WebClient) -> None:
    told = bot.auth_test()
    assert (told["team_id"], told["enterprise_id"]) == ("E0ORG", "E0ORG")
    assert told["is_enterprise_install"] is True


@pytest.mark.usefixtures("case_message")
def test_a_click_says_where_both_the_person_and_the_app_are(slack: LocalSlack, app: App) -> None:
    slack.click("bob", button="keep")
    (payload,) = app.payloads
    assert payload["user"]["team_id"] == "T0SECOND"
    assert (payload["team"]["id"], payload["team"]["enterprise_id"]) == ("T0UNLATCH", "E0ORG")
    assert payload["enterprise"] == {"id": "E0ORG", "name": "Local Org"}
    assert payload["is_enterprise_install"] is True


@pytest.mark.usefixtures("case_message")
def test_a_dialog_of_the_organisation_has_no_workspace(
    slack: LocalSlack, app: App, bot: WebClient
) -> None:
    slack.click("bob", button="keep")
    said = {"type": "plain_text", "text": "Sure?"}
    view = {"type": "modal", "title": said, "submit": said, "blocks": []}
    bot.views_open(trigger_id=app.payloads[0]["trigger_id"], view=view)
    slack.submit("bob", {})
    sent = app.payloads[1]
    assert (sent["team"], sent["user"]["team_id"]) == (None, "T0SECOND")
    assert sent["view"]["app_installed_team_id"] == "E0ORG"


def test_a_command_and_an_event_name_the_organisation(slack: LocalSlack, app: App) -> None:
    slack.command("bob", "status")
    slack.open_home("bob")
    command, event = app.payloads
    assert (command["enterprise_id"], command["is_enterprise_install"]) == ("E0ORG", "true")
    assert event["enterprise_id"] == "E0ORG"
    assert event["authorizations"][0]["team_id"] is None


def test_an_app_that_is_not_ready_for_it_is_installed_in_no_organisation(
    clock: StandingClock,
) -> None:
    with pytest.raises(ValueError, match="org_deploy_enabled"):
        LocalSlack(
            clock, PEOPLE, manifest=replace(EVERYTHING, is_org_ready=False), is_org_wide=True
        )


def test_an_installation_in_one_workspace_needs_no_team(clock: StandingClock) -> None:
    with LocalSlack(clock, PEOPLE, manifest=EVERYTHING) as slack:
        bot = WebClient(token=BOT_TOKEN, base_url=slack.url)
        assert bot.usergroups_users_list(usergroup="S0KEYS")["users"] == ["alice", "bob"]
        told = bot.auth_test()
        assert (told["team_id"], told["is_enterprise_install"]) == ("T0UNLATCH", False)

"""A confirmation that is still missing is said in the message, and told in the thread when it comes."""

from __future__ import annotations

import json
from dataclasses import replace

from chalicelib.domain.state.audit_log import Kind, entry
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy
from chalicelib.slack.messages.thread import line
from tests.domain.worlds import ACCOUNT, POLICY, Play, world
from tests.slack.moments import shown
from tests.slack.reading import header

ROLE = f"arn:aws:iam::{ACCOUNT}:role/security"
GRACE = f"arn:aws:sts::{ACCOUNT}:assumed-role/security/grace"
STRICT = replace(POLICY, step_up_roles=(ROLE,))
COMMAND = "`unlatch approve case-1 --plan "


def approved(*by: str) -> tuple[Play, Plan]:
    play = Play(world(), policy=STRICT)
    play.turn()
    plan = play.approve(Remedy.RETIRE, *by)
    play.turn()
    return play, plan


def test_with_approvals_missing_both_are_said() -> None:
    play, _ = approved("alice")
    message = shown(play, policy=STRICT)
    assert message.text.startswith("One more person must approve to retire")
    assert COMMAND in json.dumps(message.blocks, ensure_ascii=False)


def test_with_all_approvals_the_confirmation_is_what_is_missing() -> None:
    play, _ = approved("alice", "bob")
    message = shown(play, policy=STRICT)
    assert header(message).startswith("One confirmation in AWS to retire")
    assert "One person must still confirm it in AWS." in message.text
    told = json.dumps(message.blocks, ensure_ascii=False)
    assert COMMAND in told
    assert "If nobody confirms it in AWS by " in told
    assert "then it begins" not in told


def test_confirmed_it_is_not_asked_for_any_more() -> None:
    play, plan = approved("alice")
    click = Click(Act.CONFIRM, GRACE, play.now, plan.remedy, plan.plan_hash)
    play.case = replace(play.case, clicks=(*play.case.clicks, click))
    play.turn()
    assert COMMAND not in json.dumps(shown(play, policy=STRICT).blocks, ensure_ascii=False)


def test_the_thread_tells_who_confirmed_and_mentions_nobody() -> None:
    play, plan = approved("alice")
    said = entry(Kind.CONFIRMED, play.now, by=GRACE, remedy="retire", plan_hash=plan.plan_hash)
    told = line(said, case=play.case)
    assert told is not None
    words = json.dumps(told.blocks, ensure_ascii=False)
    assert GRACE in words
    assert plan.plan_hash[:8] in words
    assert "<@" not in words

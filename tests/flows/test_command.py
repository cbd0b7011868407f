"""/unlatch: starts a case by hand, or lists the open ones; for approvers, and never an approval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.answers import Answer
from chalicelib.domain.home import Home
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.state.caller import SLACK_USER
from chalicelib.domain.state.case import Outcome
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.command import command, open_from_scan
from chalicelib.ports import Interaction
from tests.flows.answers import private
from tests.flows.answers import refusal as refusal_of
from tests.flows.stand import CLUSTER, Stand, world

Make = Callable[..., Stand]
HERE = ("111122223333", "us-east-1")
USAGE = "how to write it"


class Speech:
    """Says little; the words are tested with Slack."""

    def help(self) -> str:
        return USAGE

    def scan(self) -> str:
        return "the last scan"

    def status(self, home: Home) -> str:
        mine = [case.cluster_id for case in home.waiting]
        return f"open: {[case.cluster_id for case in home.open]}, waits for you: {mine}"


def typed(it: Stand, text: str, *, by: str = "alice", team: str = "T1", nth: int = 1) -> Answer:
    clicked = Interaction("command", by, team, "C1", text=text, trigger_id=f"trigger-{nth}")
    return command(it.ports, clicked, here=HERE, speech=Speech())


def test_it_starts_a_case_whose_requester_is_who_typed(stand: Make) -> None:
    it = stand(world())
    said = private(typed(it, CLUSTER))
    (pointer,) = it.stored.pointers()
    assert said.startswith(f"Started `{pointer.case_id}` for `{CLUSTER}`. See the channel. ")
    assert (pointer.account, pointer.region) == HERE
    (attempt,) = it.case(pointer.case_id).attempts
    assert (attempt.caller.kind, attempt.caller.session_name) == (SLACK_USER, "alice")
    assert attempt.caller.email == "alice@example.com", "another account of hers is hers"
    assert it.runs.started == [(pointer.case_id, 0)]


def test_again_it_names_the_case_that_is_open(stand: Make) -> None:
    it = stand(world())
    typed(it, CLUSTER)
    said = private(typed(it, CLUSTER, by="bob", nth=2))
    (pointer,) = it.stored.pointers()
    assert said == f"`{CLUSTER}` has an open case already: `{pointer.case_id}`."


def test_what_aws_does_not_have_is_told_to_who_asked_alone(stand: Make) -> None:
    it = stand(replace(world(store=None), cluster=None))
    typed(it, CLUSTER)
    typed(it, CLUSTER, by="bob", nth=2)
    ((case_id, _),) = it.runs.started
    it.turn(case_id)
    case = it.case(case_id)
    assert (case.outcome, case.message.ts) == (Outcome.EXPLAINED, "")
    assert it.slack.told == ["alice", "bob"]
    assert it.slack.worlds == [], "no message"
    assert it.stored.pointers() == []


def test_what_can_not_be_read_is_no_such_nothing(stand: Make) -> None:
    it = stand(replace(world(store=None), cluster=None, unread=("clusters",)))
    typed(it, CLUSTER)
    ((case_id, _),) = it.runs.started
    it.turn(case_id)
    assert it.case(case_id).message.ts
    assert it.slack.told == []


def test_a_region_that_aws_never_answers_for_is_not_asked_for_ever(
    stand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is spelled wrong has no address. A cancel would not be heard either."""
    it = stand(world())

    def nobody(*_: object, **__: object) -> None:
        raise TemporaryError("AWS did not answer cloudhsm:DescribeClusters")

    monkeypatch.setattr(it.aws, "snapshot", nobody)
    typed(it, f"{CLUSTER} /us-esat-1")
    ((case_id, _),) = it.runs.started
    it.turn(case_id)
    it.clock.now += timedelta(hours=23, minutes=50)
    it.turn(case_id)
    assert not it.case(case_id).is_closed, "it may be AWS that is away"
    it.clock.now += timedelta(minutes=20)
    assert it.turn(case_id).finished
    case = it.case(case_id)
    assert (case.outcome, case.message.ts) == (Outcome.EXPLAINED, "")
    why = "AWS did not answer there for 24 hours (AWS did not answer cloudhsm:DescribeClusters)."
    assert case.reason == why
    assert (it.slack.told, it.stored.pointers()) == (["alice"], [])


def test_another_place_is_named_behind_the_cluster(stand: Make) -> None:
    it = stand(world())
    typed(it, f"{CLUSTER} /eu-west-1")
    (pointer,) = it.stored.pointers()
    assert (pointer.account, pointer.region) == (HERE[0], "eu-west-1")
    assert "does not serve account 999999999999" in private(
        typed(it, f"{CLUSTER} 999999999999", nth=2)
    )
    assert len(it.stored.pointers()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "help",
        "cluster-1",
        f"{CLUSTER} x y",
        f"{CLUSTER} 12/eu",
        f"{CLUSTER} /-x-1",
        "status now",
    ],
)
def test_anything_else_is_answered_with_how_to_write_it(stand: Make, text: str) -> None:
    it = stand(world())
    assert private(typed(it, text)) == USAGE
    assert it.stored.pointers() == []


def test_status_lists_what_is_open(stand: Make) -> None:
    it = stand(world())
    assert private(typed(it, "status")) == "open: [], waits for you: []"
    typed(it, CLUSTER)
    assert private(typed(it, "status")) == f"open: ['{CLUSTER}'], waits for you: []"


def test_scan_and_help_start_nothing(stand: Make) -> None:
    it = stand(world())
    assert private(typed(it, "scan")) == "the last scan"
    for text in ("help", "Help", ""):
        assert private(typed(it, text, by="mallory")) == USAGE, "help is for everybody"
    assert private(typed(it, "Scan")) == "the last scan", "phones begin with a capital"
    assert it.stored.pointers() == []


@pytest.mark.parametrize(
    ("by", "team", "refusal"),
    [("mallory", "T1", Refusal.NOT_AN_APPROVER), ("alice", "T9", Refusal.EXTERNAL)],
)
@pytest.mark.parametrize("text", [CLUSTER, "status"])
def test_only_approvers_of_the_own_workspace_may(
    stand: Make, by: str, team: str, refusal: Refusal, text: str
) -> None:
    it = stand(world())
    assert refusal_of(typed(it, text, by=by, team=team)) is refusal
    assert it.stored.pointers() == []


@pytest.mark.parametrize("text", ["status", CLUSTER])
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (TemporaryError("DynamoDB is busy"), "Unlatch could not do this now (DynamoDB is busy)."),
        (PermanentError("DynamoDB refused.", "Look."), "DynamoDB refused. Look."),
    ],
)
def test_trouble_with_aws_is_told(
    stand: Make, monkeypatch: pytest.MonkeyPatch, text: str, trouble: Exception, words: str
) -> None:
    it = stand(world())

    def away(*_: object, **__: object) -> None:
        raise trouble

    for call in ("pointers", "open_or_fold"):
        monkeypatch.setattr(it.stored, call, away)
    assert private(typed(it, text)).startswith(words)
    pressed = Interaction("button", "alice", "T1", "C1", case_id="/".join((*HERE, CLUSTER)))
    assert private(open_from_scan(it.ports, pressed)).startswith(words)

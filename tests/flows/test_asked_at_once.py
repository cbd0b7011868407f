"""A click waits for no more than it has to: Slack, the seal, the write and the wake go side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.answers import MayNot, Private, Recorded
from chalicelib.aside import beside
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.approval import Refusal
from chalicelib.domain.rules.routes import Route
from chalicelib.domain.state.person import Person
from chalicelib.failures import TemporaryError
from chalicelib.flows.home import Read, home, read_cases
from chalicelib.flows.open_case import open_case
from tests.flows.answers import private
from tests.flows.stand import Slack, Stand, world


@pytest.fixture
def it(store: DynamoCases) -> Stand:
    made = Stand(world(), store=store)
    made.ports = replace(made.ports, aside=beside)
    return made


def asleep(it: Stand) -> str:
    """A case that people may decide, its run sleeping on “token-1”."""
    opened = open_case(it.ports, it.failed())
    assert opened is not None
    case = it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    assert it.stored.sleep(case.case_id, version=case.version, token="token-1")
    return case.case_id


def meeting(together: threading.Barrier, call: Callable[..., Any]) -> Callable[..., Any]:
    def met(*args: Any, **named: Any) -> Any:
        together.wait()
        return call(*args, **named)

    return met


def test_slack_is_asked_while_the_case_is_read(it: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, together = asleep(it), threading.Barrier(2, timeout=20)
    monkeypatch.setattr(it.slack, "fetch", meeting(together, it.slack.fetch))
    monkeypatch.setattr(it.stored, "load", meeting(together, it.stored.load))
    assert it.click("alice", "cancel", case_id) == Recorded()


@pytest.mark.parametrize("routes", [(), (Route("all"),)])
def test_slack_is_asked_while_the_click_is_sealed(
    it: Stand, monkeypatch: pytest.MonkeyPatch, routes: tuple[Route, ...]
) -> None:
    it.ports = replace(it.ports, routes=routes)
    case_id, together = asleep(it), threading.Barrier(2, timeout=20)
    monkeypatch.setattr(it.slack, "fetch", meeting(together, it.slack.fetch))
    monkeypatch.setattr(it.stored, "seal_ahead", meeting(together, it.stored.seal_ahead))
    assert it.submit("alice", "retire", case_id) == Recorded()


def test_the_run_is_woken_while_the_click_is_written(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, together = asleep(it), threading.Barrier(2, timeout=20)
    monkeypatch.setattr(it.runs, "wake", meeting(together, it.runs.wake))
    monkeypatch.setattr(it.stored, "record_click", meeting(together, it.stored.record_click))
    assert it.click("alice", "cancel", case_id) == Recorded()
    assert it.runs.woken == ["token-1"]


def test_of_yeses_at_the_same_moment_each_is_counted_once(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob’s came between the look and the write of Alice’s, which is judged anew."""
    case_id, record, others = asleep(it), it.stored.record_click, ["bob"]

    def late(case: Any, click: Any, **named: Any) -> Any:
        if others:
            assert it.submit(others.pop(), "retire", case_id) == Recorded()
        return record(case, click, **named)

    monkeypatch.setattr(it.stored, "record_click", late)
    assert it.submit("alice", "retire", case_id) == Recorded()
    assert it.counted.count("Approvals") == len(it.case(case_id).new_clicks) == 2


def test_a_run_that_slept_again_since_is_woken_too(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, record = asleep(it), it.stored.record_click

    def late(case: Any, click: Any, **named: Any) -> Any:
        it.stored.sleep(case_id, version=case.version, token="token-2")
        return record(case, click, **named)

    monkeypatch.setattr(it.stored, "record_click", late)
    assert it.click("alice", "cancel", case_id) == Recorded()
    assert it.runs.woken[-1] == "token-2"


def test_a_run_that_cant_be_woken_is_told_of(it: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = asleep(it)

    def busy(_: str) -> None:
        raise TemporaryError("AWS is busy")

    monkeypatch.setattr(it.runs, "wake", busy)
    assert "could not be woken (AWS is busy)" in private(it.click("alice", "cancel", case_id))
    assert it.case(case_id).new_clicks


def test_a_click_of_somebody_who_may_not_is_neither_kept_nor_heard(it: Stand) -> None:
    case_id = asleep(it)
    assert it.submit("mallory", "retire", case_id) == MayNot(Refusal.NOT_AN_APPROVER)
    assert (it.case(case_id).clicks, it.runs.woken) == ((), [])


def test_who_said_yes_before_is_asked_for_while_slack_says_who_clicked(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = asleep(it)
    it.slack.people["bob"] = Person("bob", "T1", email="alice+x@example.com", is_approver=True)
    it.approve("alice", "retire", case_id)
    together, fetch = threading.Barrier(2, timeout=20), it.slack.fetch

    def met(user_ids: Sequence[str]) -> Mapping[str, Person]:
        together.wait()
        return fetch(user_ids)

    monkeypatch.setattr(it.slack, "fetch", met)
    said = "Your other account has approved this. One e-mail address counts once."
    assert it.click("bob", "retire", case_id) == Private(said), "before the dialog"
    assert it.submit("bob", "retire", case_id) == Private(said)
    monkeypatch.undo()
    assert it.click("erin", "retire", case_id) == Recorded(), "another person"
    assert it.click("bob", "park", case_id) == Recorded(), "another way"


def test_what_a_first_message_needs_of_slack_is_looked_up_while_aws_is_read(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(it.slack, "prepare", meeting(together, it.slack.prepare))
    monkeypatch.setattr(it.aws, "snapshot", meeting(together, it.aws.snapshot))
    opened = open_case(it.ports, it.failed())
    assert opened is not None
    it.turn(opened.case_id)
    assert it.case(opened.case_id).message.ts
    monkeypatch.undo()
    it.turn(opened.case_id)


def test_open_cases_are_read_side_by_side(it: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep(it)
    other = replace(it.failed("event-2"), cluster_id="cluster-7e6d5c4b3a2")
    assert open_case(it.ports, other)
    together = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(it.stored, "load", meeting(together, it.stored.load))
    assert len(read_cases(it.ports).cases) == 2


def test_slack_is_asked_side_by_side_who_looks_in_the_light_of_each_route(
    it: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = it.case(asleep(it))
    it.ports = replace(
        it.ports,
        routes=(
            Route("theirs", accounts=("444455556666",), approvers=("erin",)),
            Route("all"),
        ),
    )
    together = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(Slack, "fetch", meeting(together, Slack.fetch))
    theirs = replace(case, case_id="case-2", account="444455556666")
    seen = home(it.ports, "bob", read=Read((case, theirs), more=0))
    assert (seen.waiting, seen.open) == ((case,), (theirs,))

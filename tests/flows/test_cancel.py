"""A cancel from a shell: heard from listed roles alone, as a sealed entry of the inbox, whatever the case does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome
from chalicelib.failures import TemporaryError
from chalicelib.flows.cancel import cancel
from chalicelib.flows.open_case import open_case
from chalicelib.flows.signed import LONGEST_REASON, Said
from chalicelib.ports import Signed
from tests.flows.stand import HUB, Stand, key, world

Make = Callable[..., Stand]
ROLE = f"arn:aws:iam::{HUB}:role/operators"
OLGA = f"arn:aws:sts::{HUB}:assumed-role/operators/olga"


def opened(stand: Make, **policy: object) -> tuple[Stand, str]:
    it = stand(world(key(1)), **{"operator_roles": (ROLE,), **policy})
    found = open_case(it.ports, it.failed())
    assert found
    it.run(found.case_id, until=lambda case: bool(case.message.ts))
    return it, found.case_id


def ask(it: Stand, case_id: str, *, arn: str = OLGA, **told: object) -> Said:
    """As if STS had said that this principal signed."""
    posted = {
        "case_id": case_id,
        "reason": "wrong cluster",
        "url": "https://sts.us-east-1.amazonaws.com",
        "body": "Action=GetCallerIdentity&Version=2011-06-15",
        "headers": {"Authorization": "AWS4-HMAC-SHA256 …"},
        **told,
    }
    return cancel(it.ports, lambda _: arn, json.dumps(posted).encode())


def test_it_stops_the_case_and_stands_in_the_log(stand: Make) -> None:
    it, case_id = opened(stand)
    said = ask(it, case_id)
    assert (said.status, f"{OLGA} asked to cancel {case_id}" in said.text) == (200, True)
    case = it.run(case_id, until=lambda case: case.is_closed)
    assert case.outcome is Outcome.CANCELLED
    (entry,) = [e for e in it.stored.entries(case_id) if e.kind is Kind.ASKED_BACK]
    assert (entry["by"], entry["reason"]) == (OLGA, "wrong cluster")


def test_it_wakes_the_parked_run(stand: Make) -> None:
    it, case_id = opened(stand)
    it.stored.sleep(case_id, version=it.case(case_id).version, token="asleep")
    ask(it, case_id)
    assert it.runs.woken[-1] == "asleep"


def test_a_parked_case_is_taken_up_again(stand: Make) -> None:
    it, case_id = opened(stand)
    it.approve("alice", "park", case_id)
    it.run(case_id, until=lambda case: case.outcome is Outcome.PARKED)
    before = it.case(case_id).generation
    assert ask(it, case_id).status == 200
    assert (case_id, before + 1) in it.runs.started
    assert it.run(case_id, until=lambda case: case.is_closed).outcome is Outcome.CANCELLED


def test_asked_again_it_is_kept_once(stand: Make) -> None:
    it, case_id = opened(stand)
    assert ask(it, case_id).status == ask(it, case_id).status == 200
    assert len(it.case(case_id).clicks) == 1
    it.turn(case_id)
    over = ask(it, case_id)
    assert over.status == 409
    assert f"{OLGA} closed this on" in over.text
    assert "click" not in over.text


def test_who_is_not_listed_may_not(stand: Make) -> None:
    it, case_id = opened(stand)
    said = ask(it, case_id, arn=OLGA.replace("operators", "dev"))
    assert (said.status, "not in OPERATOR_ROLES or STEP_UP_ROLES" in said.text) == (403, True)
    assert it.case(case_id).clicks == ()
    assert "ClicksRefused" in it.counted


def test_where_nobody_is_listed_nothing_is_asked_of_sts(stand: Make) -> None:
    it, _ = opened(stand, operator_roles=())

    def never(_: Signed) -> str:
        raise AssertionError("STS was asked")

    assert cancel(it.ports, never, b"{}").status == 409


@pytest.mark.parametrize("reason", [None, "", "\u3164 -", "x" * (LONGEST_REASON + 1), 7])
def test_without_a_reason_that_says_something(stand: Make, reason: object) -> None:
    it, case_id = opened(stand)
    assert ask(it, case_id, reason=reason).status == 400
    assert it.case(case_id).clicks == ()


def test_an_unknown_case(stand: Make) -> None:
    it, _ = opened(stand)
    assert ask(it, "unlatch-other").text == "There is no case unlatch-other."


def test_a_run_that_can_not_be_woken_hears_it_later(stand: Make) -> None:
    it, case_id = opened(stand)
    it.stored.sleep(case_id, version=it.case(case_id).version, token="asleep")

    def busy(_: str) -> None:
        raise TemporaryError("Step Functions is busy")

    it.runs.on_wake = busy
    assert ask(it, case_id).status == 200
    assert it.case(case_id).new_clicks[0].by == OLGA

"""Confirmations by an AWS principal: recorded once, sealed, and refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.aws.store import codec
from chalicelib.aws.store.inbox import INBOX
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Remedy
from chalicelib.failures import RequestError, TemporaryError
from chalicelib.flows.confirm import confirm
from chalicelib.flows.open_case import open_case
from chalicelib.flows.signed import Said
from chalicelib.ports import Signed
from tests.flows.stand import HUB, Stand, world

Make = Callable[..., Stand]
ROLE = f"arn:aws:iam::{HUB}:role/security"
GRACE = f"arn:aws:sts::{HUB}:assumed-role/security/grace"
PIPELINE = f"arn:aws:sts::{HUB}:assumed-role/security/deploy"


def strict(stand: Make, **policy: object) -> tuple[Stand, str]:
    """A case that waits while irreversible plans need a confirmation."""
    it = stand(world(), **{"step_up_roles": (ROLE,), **policy})
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    return it, opened.case_id


def offer(it: Stand, case_id: str, remedy: Remedy = Remedy.RETIRE) -> str:
    plan = it.case(case_id).offer(remedy)
    assert plan
    return plan.plan_hash


def sign(it: Stand, case_id: str, plan_hash: str = "", *, arn: str = GRACE) -> Said:
    """As if STS had said that this principal signed."""
    told = {
        "case_id": case_id,
        "plan_hash": plan_hash or offer(it, case_id),
        "url": "https://sts.us-east-1.amazonaws.com",
        "body": "Action=GetCallerIdentity&Version=2011-06-15",
        "headers": {"Authorization": "AWS4-HMAC-SHA256 …"},
    }
    return confirm(it.ports, lambda _: arn, json.dumps(told).encode())


def test_two_people_and_a_confirmation_retire_it(stand: Make) -> None:
    it, case_id = strict(stand)
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    it.turn(case_id)
    assert it.case(case_id).phase is Phase.WAITING
    assert it.aws.landed == []
    said = sign(it, case_id)
    assert (said.status, "confirmed the plan to retire" in said.text) == (200, True)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    entries = [e for e in it.stored.entries(case_id) if e.kind is Kind.CONFIRMED]
    assert [entry["by"] for entry in entries] == [GRACE]


def test_it_wakes_the_parked_run(stand: Make) -> None:
    it, case_id = strict(stand)
    it.stored.sleep(case_id, version=it.case(case_id).version, token="asleep")
    sign(it, case_id)
    assert it.runs.woken[-1] == "asleep"


def test_sent_again_it_changes_nothing(stand: Make) -> None:
    it, case_id = strict(stand)
    sign(it, case_id)
    before = it.case(case_id)
    said = sign(it, case_id)
    assert (said.status, "counts once" in said.text) == (200, True)
    assert it.case(case_id) == before


def forge(it: Stand, case_id: str) -> None:
    """A confirmation written into the inbox by somebody who can't make seals."""
    click = Click(Act.CONFIRM, GRACE, it.clock.now, Remedy.RETIRE, offer(it, case_id))
    item = it.stored._table.items[f"CASE#{case_id}", INBOX]
    item["clicks"] = [*item["clicks"], f"bm8= {codec.dump(click)}"]


def test_a_confirmation_without_a_valid_seal_counts_for_nothing(stand: Make) -> None:
    it, case_id = strict(stand)
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    forge(it, case_id)
    it.turn(case_id)
    assert it.aws.landed == []
    assert "SealRefused" in it.counted
    assert [e["by"] for e in it.stored.entries(case_id) if e.kind is Kind.FORGED] == [GRACE]


def test_a_forged_confirmation_does_not_stand_in_the_way_of_a_real_one(stand: Make) -> None:
    it, case_id = strict(stand)
    forge(it, case_id)
    assert "confirmed the plan to retire" in sign(it, case_id).text


def test_one_confirmation_is_enough_whoever_else_signs(stand: Make) -> None:
    """Anybody in the role may choose session names, and a case takes 500 clicks."""
    it, case_id = strict(stand)
    for name in ("grace", "heidi", "ivan"):
        assert sign(it, case_id, arn=GRACE.replace("grace", name)).status == 200
    assert len([c for c in it.case(case_id).clicks if c.act is Act.CONFIRM]) == 1


def test_a_role_that_is_not_listed(stand: Make) -> None:
    it, case_id = strict(stand)
    said = sign(it, case_id, arn=GRACE.replace("security", "dev"))
    assert (said.status, "not in STEP_UP_ROLES" in said.text) == (403, True)
    assert it.case(case_id).clicks == ()


def test_the_role_that_made_the_call(stand: Make) -> None:
    it = stand(world(), step_up_roles=(ROLE,))
    opened = open_case(it.ports, it.failed(arn=PIPELINE))
    assert opened
    it.run(opened.case_id, until=lambda c: bool(c.message.ts))
    said = sign(it, opened.case_id)
    assert (said.status, "made the delete that failed" in said.text) == (403, True)
    assert it.case(opened.case_id).clicks == ()


def test_a_plan_that_is_not_offered_any_more(stand: Make) -> None:
    it, case_id = strict(stand)
    said = sign(it, case_id, "0" * 64)
    assert (said.status, "not offered any more" in said.text) == (409, True)


def test_a_plan_that_needs_none(stand: Make) -> None:
    it, case_id = strict(stand)
    said = sign(it, case_id, offer(it, case_id, Remedy.PARK))
    assert (said.status, said.text) == (409, "This plan needs no confirmation.")


def test_another_case_of_the_same_cluster_is_not_meant(stand: Make) -> None:
    """The signature names the case: see the refusals of aws/signed_identity.py for the rest."""
    it, case_id = strict(stand)
    said = sign(it, "unlatch-other", offer(it, case_id))
    assert (said.status, said.text) == (409, "There is no case unlatch-other.")


def test_a_case_that_is_over(stand: Make) -> None:
    it, case_id = strict(stand)
    plan_hash = offer(it, case_id)
    it.click("alice", "reject", case_id)
    it.run(case_id, until=lambda c: c.is_closed)
    said = sign(it, case_id, plan_hash)
    assert said.status == 409
    assert "alice closed this" in said.text
    assert "<@" not in said.text


def test_a_plan_that_runs_already(stand: Make) -> None:
    it, case_id = strict(stand)
    plan_hash = offer(it, case_id)
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    sign(it, case_id)
    it.run(case_id, until=lambda c: c.plan_has_begun)
    said = sign(it, case_id, plan_hash)
    assert said.status == 409


def test_where_nobody_is_listed_nothing_is_asked_of_sts(stand: Make) -> None:
    it, _ = strict(stand, step_up_roles=())

    def never(_: Signed) -> str:
        raise AssertionError("STS was asked")

    said = confirm(it.ports, never, b"{}")
    assert (said.status, "STEP_UP_ROLES is empty" in said.text) == (409, True)


RUBBISH = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"{}",
    b"\xff\xfe",
    b'{"case_id": 1, "plan_hash": "a", "url": "", "body": "", "headers": {}}',
    b'{"case_id": "c", "plan_hash": "a", "url": "u", "body": "b", "headers": {}}',
    json.dumps(
        {"case_id": "c", "plan_hash": "0" * 64, "url": "u", "body": "b", "headers": {"A": "x\r\nB: y"}}
    ).encode(),
    json.dumps(
        {"case_id": "c/../d", "plan_hash": "0" * 64, "url": "u", "body": "b", "headers": {}}
    ).encode(),
    json.dumps(
        {"case_id": "c", "plan_hash": "0" * 63, "url": "u", "body": "b", "headers": {}}
    ).encode(),
    b'{"case_id": "' + b"x" * 30_000 + b'"}',
    b"[" * 19_000,
]  # fmt: skip


@pytest.mark.parametrize("posted", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_refused_before_sts_is_asked(stand: Make, posted: bytes) -> None:
    it, _ = strict(stand)
    said = confirm(it.ports, lambda _: GRACE, posted)
    assert said.status == 400
    assert said.text.endswith(".")


def test_what_sts_refuses_and_what_it_can_t_say(stand: Make) -> None:
    it, case_id = strict(stand)
    told = {"case_id": case_id, "plan_hash": "0" * 64, "url": "u", "body": "b", "headers": {}}
    for error, status in ((RequestError(401, "No."), 401), (TemporaryError("STS is busy"), 503)):

        def identify(_: Signed, error: Exception = error) -> str:
            raise error

        assert confirm(it.ports, identify, json.dumps(told).encode()).status == status
    assert it.case(case_id).clicks == ()


def test_it_lapses_like_an_approval(stand: Make) -> None:
    it, case_id = strict(stand, expiry_hours=100)
    sign(it, case_id)
    it.ports = replace(it.ports, policy=replace(it.ports.policy, expiry_hours=24))
    it.clock.now += timedelta(hours=25)
    it.edit(case_id, lambda case: replace(case, expires_at=it.clock.now + timedelta(hours=5)))
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    it.turn(case_id)
    assert it.aws.landed == []

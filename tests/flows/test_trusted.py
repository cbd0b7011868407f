"""A stored case that no run remembers goes on once an operator vouches for that very body, and the log says who."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.aws.store.body import BODY, mark_of
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome
from chalicelib.flows.open_case import open_case
from chalicelib.flows.take_turn import take_turn
from tests.flows.stand import Stand, world

Make = Callable[..., Stand]
WORD = {"by": "arn:aws:sts::1:assumed-role/ops/olga", "why": "restored"}


def forgotten(stand: Make) -> tuple[Stand, str, str]:
    """A case that waits, and of which AWS has forgotten the runs; the digest of its body."""
    it = stand(world())
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    digest = mark_of(it.stored.stored(opened.case_id).body).digest
    it.runs.bodies.clear()
    table = it.stored._table
    table.items[f"CASE#{opened.case_id}", "INBOX"]["generation"] += 1
    return it, opened.case_id, digest


def trusted(it: Stand, case_id: str) -> list[str]:
    return [e["by"] for e in it.stored.entries(case_id) if e.kind is Kind.TRUSTED]


def test_it_goes_on_and_the_log_says_who_and_why(stand: Make) -> None:
    it, case_id, digest = forgotten(stand)
    take_turn(it.ports, case_id, 1, given="")
    assert "BodyRefused" in it.counted
    turn = take_turn(it.ports, case_id, 1, given=digest, trusted=WORD)
    again = take_turn(it.ports, case_id, 1, given=digest, attempt=1, trusted=WORD)
    assert turn.body != digest
    assert trusted(it, case_id) == [WORD["by"]], "once, though the turn was tried again"
    it.runs.bodies[case_id, 1] = again.body
    it.click("alice", "cancel", case_id)
    assert it.run(case_id, until=lambda case: case.is_closed).outcome is Outcome.CANCELLED


def test_another_body_than_the_one_that_was_seen_is_refused(stand: Make) -> None:
    it, case_id, digest = forgotten(stand)
    it.stored._table.items[f"CASE#{case_id}", BODY]["attempt"] = 7
    take_turn(it.ports, case_id, 1, given=digest, trusted=WORD)
    assert "BodyRefused" in it.counted
    assert trusted(it, case_id) == []

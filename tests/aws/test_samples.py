"""Items as deployed versions wrote them: every one loads for ever, and its case goes on.

A new schema adds a file here; an old file is never changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.codec import text
from chalicelib.aws.store.migrations import SCHEMA
from chalicelib.domain.rules.trust import UNSEALED
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.flows.take_turn import take_turn
from sandbox.reliability.table import MemoryTable
from tests.flows.engine import Engine
from tests.flows.stand import INBOX_SEAL, Stand, key, world

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


def stored(sample: dict[str, Any]) -> DynamoCases:
    table = MemoryTable()
    for item in sample["items"]:
        table.put_item(Item={k: set(v) if k == "use_ids" else v for k, v in item.items()})
    return DynamoCases(table, INBOX_SEAL)


def test_there_is_a_sample_of_each_schema() -> None:
    assert {json.loads(path.read_text())["schema"] for path in SAMPLES} == set(range(1, SCHEMA + 1))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_it_loads_with_its_log_whole(path: Path) -> None:
    sample = json.loads(path.read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    assert case.attempts
    assert audit_log.flaws(cases.entries(case.case_id), head=case.log_head) == ()


def test_a_case_goes_on_after_a_redeploy_in_the_middle() -> None:
    sample = json.loads((SAMPLES[0].parent / "schema-1-retiring.json").read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    assert case.plan is not None
    assert [c.by for c in case.approved] == ["alice", "bob"]
    went = max(call.at for call in case.calls)
    pending = (key(1, KeyState.PENDING_DELETION), key(2, KeyState.PENDING_DELETION))
    it = Stand(world(*pending), store=cases)
    it.clock.now = went
    engine = Engine(it)
    it.runs.start(case.case_id, case.generation)
    it.runs.bodies[case.case_id, case.generation] = None
    it.click("alice", "cancel", case.case_id)
    engine.go(until=lambda: it.case(case.case_id).is_closed)
    assert it.case(case.case_id).outcome is Outcome.CANCELLED
    assert {k.key_id: k.state for k in it.aws.model.world.keys} == {
        "key-1": KeyState.ENABLED,
        "key-2": KeyState.DISABLED,
    }
    kinds = [entry.kind for entry in cases.entries(case.case_id)]
    assert kinds.count(Kind.TAKEN_IN) == 1
    assert (f"CASE#{case.case_id}", "CASE") not in cases._table.items
    assert audit_log.flaws(cases.entries(case.case_id), head=it.case(case.case_id).log_head) == ()


def test_an_old_case_whose_run_is_over_is_taken_in_by_the_next_run() -> None:
    """Whoever takes it up again does not know what a run remembers; the old run says that it does not."""
    sample = json.loads((SAMPLES[0].parent / "schema-1-retiring.json").read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    it = Stand(world(key(1), key(2)), store=cases)
    it.clock.now = max(call.at for call in case.calls)
    it.runs.start(case.case_id, case.generation)
    it.runs.bodies[case.case_id, case.generation] = UNSEALED
    generation = cases.next_generation(case)
    taken = take_turn(it.ports, case.case_id, generation, given="")
    assert taken.finished
    assert it.runs.started[-1] == (case.case_id, generation + 1)
    assert it.turn(case.case_id).body != UNSEALED


def test_an_old_case_is_not_taken_in_twice() -> None:
    """Once it is sealed, a run of the old version that is left over does nothing with it."""
    sample = json.loads((SAMPLES[0].parent / "schema-1-retiring.json").read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    it = Stand(world(key(1), key(2)), store=cases)
    assert take_turn(it.ports, case.case_id, case.generation, given=None).finished
    before = it.case(case.case_id)
    assert take_turn(it.ports, case.case_id, case.generation, given=None).finished
    assert it.case(case.case_id) == before


def test_what_is_written_says_its_schema() -> None:
    """The next version tells by it how to read the body."""
    assert json.loads(text({"phase": "waiting"})) == {"schema": SCHEMA, "phase": "waiting"}

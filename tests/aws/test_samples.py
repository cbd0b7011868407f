"""Items as deployed versions wrote them: every one loads for ever, and its case goes on.

A new schema adds a file here; an old file is never changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.migrations import SCHEMA
from chalicelib.domain import log
from chalicelib.domain.case import Outcome
from chalicelib.domain.snapshot import KeyState
from sandbox.reliability.table import MemoryTable
from tests.flows.bench import Bench, key, world
from tests.flows.engine import Engine

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


def stored(sample: dict[str, Any]) -> DynamoCases:
    table = MemoryTable()
    for item in sample["items"]:
        table.put_item(Item={k: set(v) if k == "use_ids" else v for k, v in item.items()})
    return DynamoCases(table)


def test_there_is_a_sample_of_each_schema() -> None:
    assert {json.loads(path.read_text())["schema"] for path in SAMPLES} == set(range(1, SCHEMA + 1))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_it_loads_with_its_log_whole(path: Path) -> None:
    sample = json.loads(path.read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    assert case.attempts
    assert log.flaws(cases.entries(case.case_id), head=case.log_head) == ()


def test_a_case_goes_on_after_a_redeploy_in_the_middle() -> None:
    sample = json.loads((SAMPLES[0].parent / "schema-1-retiring.json").read_text())
    cases = stored(sample)
    case = cases.load(sample["case_id"])
    assert case.plan is not None
    assert [c.by for c in case.approved] == ["alice", "bob"]
    went = max(call.at for call in case.calls)
    pending = (key(1, KeyState.PENDING_DELETION), key(2, KeyState.PENDING_DELETION))
    it = Bench(world(*pending), store=cases)
    it.clock.now = went
    engine = Engine(it)
    it.runs.start(case.case_id, case.generation)
    it.click("alice", "cancel", case.case_id)
    engine.go(until=lambda: it.case(case.case_id).is_closed)
    assert it.case(case.case_id).outcome is Outcome.CANCELLED
    assert {k.key_id: k.state for k in it.aws.model.world.keys} == {
        "key-1": KeyState.ENABLED,
        "key-2": KeyState.DISABLED,
    }

"""A transition that takes far longer than usual is told once, counted once, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.simulation import Durations
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome
from chalicelib.flows.open_case import open_case
from tests.flows.stand import Stand, world

Make = Callable[..., Stand]


def test_a_disconnect_of_hours_is_told_once_and_waited_for(stand: Make) -> None:
    it = stand(world())
    counted: list[tuple[str, int]] = []
    it.ports = replace(it.ports, count=lambda name, number: counted.append((name, number)))
    it.aws.model.durations = Durations(disconnect=timedelta(hours=6))
    made = open_case(it.ports, it.failed())
    assert made
    it.run(made.case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", made.case_id)
    it.approve("bob", "retire", made.case_id)
    case = it.run(made.case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    told = [e for e in it.stored.entries(made.case_id) if e.kind is Kind.OVERDUE]
    assert [(e["operation"], e["usual_minutes"]) for e in told] == [
        ("kms:DisconnectCustomKeyStore", "4")
    ]
    assert sum(number for name, number in counted if name == "StepsOverdue") == 1

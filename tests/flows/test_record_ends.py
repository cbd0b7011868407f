"""KEEP_CLOSED_DAYS: the turn that ends a case sets the end of its record, and never of one that may go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.state.case import Outcome
from chalicelib.flows.open_case import open_case
from chalicelib.ports import Opened
from tests.flows.stand import Stand, key, world


def ends(stand: Stand, case_id: str) -> list[int | None]:
    items = stand.stored._table.items
    return [item.get("ttl") for (pk, _), item in items.items() if pk == f"CASE#{case_id}"]


def opened(stand: Stand) -> str:
    made = open_case(stand.ports, stand.failed())
    assert made
    stand.run(made.case_id, until=lambda case: bool(case.message.ts))
    return made.case_id


def test_a_rejected_cases_record_ends_so_many_days_after_it(stand: Callable[..., Stand]) -> None:
    made = stand(world(key(1)), keep_closed_days=90)
    case_id = opened(made)
    assert not any(ends(made, case_id)), "it is open"
    made.click("alice", "reject", case_id)
    case = made.run(case_id, until=lambda case: False)
    assert case.outcome is Outcome.REJECTED
    assert case.closed_at
    last = int((case.closed_at + timedelta(days=90)).timestamp())
    assert set(ends(made, case_id)) == {last, last + 24 * 3600}


def test_a_turn_that_dies_before_it_has_set_the_end_is_repeated(
    stand: Callable[..., Stand], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stand(world(key(1)), keep_closed_days=90)
    case_id = opened(made)
    made.click("alice", "reject", case_id)
    for_turn = made.ports.for_turn

    def dying(*given: Any) -> Any:
        cases = for_turn(*given)
        monkeypatch.setattr(cases, "expire", _dies)
        return cases

    with monkeypatch.context() as patch:
        patch.setattr(made, "ports", replace(made.ports, for_turn=dying))
        with pytest.raises(ConnectionError):
            made.run(case_id, until=lambda case: False)
    assert made.case(case_id).is_over
    assert not any(ends(made, case_id))
    made.run(case_id, until=lambda case: False)
    assert all(ends(made, case_id))


@pytest.mark.parametrize("days", [0, 90])
def test_one_that_can_be_undone_is_kept_and_without_the_setting_all_are(
    stand: Callable[..., Stand], days: int
) -> None:
    made = stand(world(key(1)), keep_closed_days=days)
    case_id = opened(made)
    if days:
        made.approve("alice", "park", case_id)
    else:
        made.click("alice", "reject", case_id)
    case = made.run(case_id, until=lambda case: False)
    assert case.outcome is (Outcome.PARKED if days else Outcome.REJECTED)
    assert not any(ends(made, case_id))


def test_an_event_of_a_case_that_is_gone_starts_no_run(stand: Callable[..., Stand]) -> None:
    made = stand(world(key(1)), keep_closed_days=90)
    case_id = opened(made)
    items = made.stored._table.items
    for place in [place for place in items if place[0] == f"CASE#{case_id}"]:
        del items[place]
    made.stored._heard.clear()
    made.runs.started.clear()
    again = open_case(made.ports, made.failed())
    assert again == Opened(case_id, 0, is_new=False, is_gone=True)
    assert made.runs.started == []


def _dies(*_: object) -> None:
    raise ConnectionError

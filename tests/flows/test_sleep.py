"""A run goes to sleep, or back to its turn; an inbox that nobody can write makes it wait and not turn on the spot."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.flows.open_case import open_case
from chalicelib.flows.sleep import sleep
from chalicelib.ports import UNFENCED
from tests.domain.worlds import key, world
from tests.flows.stand import Stand

Make = Callable[..., Stand]


def test_a_case_that_moved_on_sends_its_run_back_at_once(stand: Make) -> None:
    it = stand(world(key(1)))
    opened = open_case(it.ports, it.failed())
    assert opened
    version = it.stored.load(opened.case_id).version
    assert not sleep(it.ports, opened.case_id, version=version + 1, token="early")  # a task token
    assert sleep(it.ports, opened.case_id, version=version, token="kept")  # same
    assert it.runs.woken == ["early"]


def test_a_spoilt_inbox_is_waited_for(stand: Make) -> None:
    it = stand(world(key(1)))
    opened = open_case(it.ports, it.failed())
    assert opened
    assert sleep(it.ports, opened.case_id, version=UNFENCED, token="token")  # same
    assert it.runs.woken == []

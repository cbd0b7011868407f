"""A scenario tells each way out of each trigger: the ways are asked of the domain, not written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.diagnosis import ways_out
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.states import KEYS, SUBNETS, opened
from tests.domain.worlds import cluster, sibling, situation, store, world
from tests.sandbox.scenario.test_scenarios_played import SCENARIOS
from tests.sandbox.scenario.ways import WAYS

WHOLE = cluster("1a", "1b", subnets=SUBNETS)


def worlds(trigger: Trigger) -> Iterator[Snapshot]:
    """In which such a case begins, with a sibling that could take the store."""
    siblings = (sibling(),)
    match trigger:
        case Trigger.STORE_DOWN:
            failed = store(StoreState.FAILED, error="NETWORK_ERRORS")
            for held in (failed, store(StoreState.DISCONNECTED)):
                yield world(*KEYS, held=held, cluster=WHOLE, siblings=siblings)
        case Trigger.CLUSTER_LOST:
            yield world(*KEYS, cluster=replace(WHOLE, hsms=()), siblings=siblings)
            yield world(*KEYS, cluster=None, backups=WHOLE.backups, siblings=siblings)
        case _:
            yield world(*KEYS, siblings=siblings)
            yield world(siblings=siblings)


def offered(trigger: Trigger) -> set[Remedy]:
    return {
        way.remedy
        for snapshot in worlds(trigger)
        for way in ways_out(situation(snapshot, case=opened(trigger)))
        if way.is_open
    }


@pytest.mark.parametrize("trigger", Trigger)
def test_each_way_that_is_offered_has_a_scenario(trigger: Trigger) -> None:
    assert set(WAYS[trigger]) == offered(trigger)
    shipped = {path.stem for path in SCENARIOS}
    assert {name for name in WAYS[trigger].values() if name not in shipped} == set()

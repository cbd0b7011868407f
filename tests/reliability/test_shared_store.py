"""Two cases want the same key store: the one moves it to the cluster that the other would delete."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import SimulatedAws
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.snapshot import Key, Snapshot
from chalicelib.failures import TemporaryError
from chalicelib.ports import CaseTrigger, Receipt
from sandbox.reliability.table import MemoryTable
from tests.flows.cloud import Clock
from tests.flows.engine import Engine
from tests.flows.stand import CLUSTER, INBOX_SEAL, STORE, Stand, key, world
from tests.reliability.profiles import THOROUGH
from tests.reliability.stories import QUICK, RULES

OTHER = "cluster-7z7z7z7z7z7"


class Account:
    """Both clusters in one account, and the one key store, which hangs on one of them."""

    def __init__(self, clock: Clock) -> None:
        other = world(cluster_id=OTHER, store=None)
        self.clock = clock
        self.models = {
            CLUSTER: SimulatedAws(world(key(1)), QUICK),
            OTHER: SimulatedAws(other, QUICK),
        }
        self.landed: list[str] = []

    def look_again(self, case: Case, seen: Snapshot) -> Snapshot:
        return self.snapshot(case, now=seen.at)

    def snapshot(self, case: Case, *, now: object) -> Snapshot:
        seen = {name: model.at(self.clock.now) for name, model in self.models.items()}
        mine, first = seen[case.cluster_id], seen[CLUSTER]
        planned = (case.plan or case.last_plan) and (case.plan or case.last_plan).key_store_id  # type: ignore[union-attr]  # checked before
        stores = tuple(
            s
            for s in first.key_stores
            if s.cluster_id == case.cluster_id or s.key_store_id == planned
        )
        siblings = tuple(
            w.cluster for name, w in seen.items() if name != case.cluster_id and w.cluster
        )
        keys = first.keys if stores else ()
        return replace(mine, key_stores=stores, keys=keys, siblings=siblings)

    def reread(self, case: Case, key_id: str) -> Key:
        keys = self.models[CLUSTER].at(self.clock.now).keys
        return next(k for k in keys if k.key_id == key_id)

    def perform(self, step: Call, target: str, *, case: Case) -> Receipt:
        """KMS refuses a cluster that is not fit; CloudHSM one that a store still hangs on."""
        is_kms = step.operation.startswith("kms:")
        model = self.models[CLUSTER if is_kms else case.cluster_id]
        store = self.models[CLUSTER].at(self.clock.now).key_store(STORE)
        if step.to_cluster and not self._is_fit(step.to_cluster):
            raise TemporaryError("AWS says CloudHsmClusterInvalidConfigurationException")
        hangs = store is not None and store.cluster_id == case.cluster_id
        name = step.operation.split(":")[1]
        assert not (hangs and name == "DeleteCluster"), "AWS would refuse"
        assert not (hangs and name == "DeleteHsm" and store and store.state == "CONNECTED")
        model.call(step, target, self.clock.now)
        self.landed.append(f"{name} {case.cluster_id}")
        return Receipt("request-1")

    def _is_fit(self, cluster_id: str) -> bool:
        cluster = self.models[cluster_id].at(self.clock.now).cluster
        return cluster is not None and cluster.can_take_keys


@pytest.mark.parametrize("seed", range(12 if THOROUGH else 4))
def test_one_of_them_gets_its_way_and_the_other_is_asked_again(seed: int) -> None:
    chance = Random(seed)
    it = Stand(
        world(key(1)), store=DynamoCases(MemoryTable(), INBOX_SEAL), durations=QUICK, **RULES
    )
    account = Account(it.clock)
    seen: Any = account
    it.ports = replace(it.ports, inventory=seen, actions=account)
    engine = Engine(it)
    first = it.failed("event-1")
    engine.deliver(first)
    engine.deliver(CaseTrigger(first.account, first.region, OTHER, it.failed("event-2").attempt))
    ids = {it.case(case_id).cluster_id: case_id for case_id, _ in it.runs.started}
    engine.go(until=lambda: all(it.case(one).message.ts for one in ids.values()))
    clicks = [(by, CLUSTER, "repoint") for by in ("alice", "bob")]
    clicks += [(by, OTHER, "retire") for by in ("alice", "bob")]
    chance.shuffle(clicks)
    for by, cluster_id, remedy in clicks:
        it.submit(by, remedy, ids[cluster_id])
        for _ in range(chance.randrange(4)):
            engine.step()
    engine.go(until=lambda: all(it.case(one).is_closed for one in ids.values()))
    moved, gone = it.case(ids[CLUSTER]), it.case(ids[OTHER])
    winners = {moved.outcome: Outcome.REPOINTED, gone.outcome: Outcome.RETIRED}
    assert not (moved.outcome is Outcome.REPOINTED and gone.outcome is Outcome.RETIRED), winners
    assert moved.outcome is Outcome.REPOINTED or gone.outcome is Outcome.RETIRED
    loser = gone if moved.outcome is Outcome.REPOINTED else moved
    assert loser.phase is Phase.CLOSED
    assert loser.reason

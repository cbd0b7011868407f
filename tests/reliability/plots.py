"""What the fast crash matrix tells: a world, what opens the case, what people do, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.state.caller import Tool, caller_of
from chalicelib.domain.state.case import Attempt, Case, Outcome
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Cluster, Hsm, KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.flows.stand import CI, CLUSTER, NOW, REGION, STORE, key, world


@dataclass(frozen=True)
class Click:
    """What a person does once this holds of the case; a remedy's dialog is looked at, then sent."""

    by: str
    button: str
    when: Callable[[Case], bool] = lambda case: bool(case.message.ts)
    sends: bool = False


def approval(by: str, remedy: str) -> tuple[Click, Click]:
    return (
        Click(by, remedy),
        Click(by, remedy, lambda case: bool(case.offer(Remedy(remedy))), sends=True),
    )


def repointable() -> Snapshot:
    hsms = tuple(Hsm(f"hsm-9{z}", HsmState.ACTIVE, f"{REGION}{z}") for z in "ab")
    sibling = Cluster("cluster-9z9z9z9z9z9", ClusterState.ACTIVE, hsms, "lineage-a")
    return replace(world(key(1)), siblings=(sibling,))


def is_closed(case: Case) -> bool:
    """For good: also the last click was heard."""
    return case.is_closed and not case.new_clicks


def both(remedy: Remedy) -> tuple[Click, ...]:
    return (*approval("alice", remedy), *approval("bob", remedy))


@dataclass(frozen=True)
class Story:
    """A world, what people do in it, and what comes of it; `heard` opens the case, else a refused DeleteCluster."""

    make: Callable[[], Snapshot]
    clicks: tuple[Click, ...]
    outcome: Outcome
    heard: Attempt | None = None


RETIRE = both(Remedy.RETIRE)
STORIES: Mapping[str, Story] = {
    "retire an empty store": Story(world, RETIRE, Outcome.RETIRED),
    "retire live keys": Story(
        lambda: world(key(1), key(2, KeyState.DISABLED)),
        RETIRE,
        Outcome.RETIRED,
    ),
    "park": Story(lambda: world(key(1)), approval("alice", "park"), Outcome.PARKED),
    "repoint": Story(
        repointable,
        both(Remedy.REPOINT),
        Outcome.REPOINTED,
    ),
    "cancel in the key wait": Story(
        lambda: world(key(1), key(2, KeyState.DISABLED)),
        (*RETIRE, Click("alice", "cancel", lambda case: "KMS deletes" in case.waiting_for)),
        Outcome.CANCELLED,
    ),
    "undo of park": Story(
        lambda: world(key(1)),
        (*approval("alice", "park"), Click("bob", "undo", is_closed)),
        Outcome.CANCELLED,
    ),
}


SUBNETS = tuple((f"{REGION}{zone}", f"subnet-0{zone}") for zone in "ab")


def call(trigger: Trigger, operation: str, code: str = "", **more: Any) -> Attempt:
    """What opens the case, and what AWS said to it."""
    caller = caller_of(arn=CI, kind="AssumedRole", tool=Tool.TERRAFORM)
    return Attempt("event-1", NOW, code, caller, trigger, operation, **more)


def down() -> Snapshot:
    """A store that went off by itself; its HSMs are there."""
    broken = world(store=StoreState.FAILED).key_stores
    stores = tuple(replace(store, error="NETWORK_ERRORS") for store in broken)
    return replace(repointable(), key_stores=stores)


def lost() -> Snapshot:
    """Somebody deleted the last HSM under live keys; KMS has not noticed."""
    whole = repointable()
    assert whole.cluster, "the sample's"
    return replace(whole, cluster=replace(whole.cluster, hsms=(), subnets=SUBNETS))


def gone() -> Snapshot:
    """Somebody deleted the cluster."""
    whole = lost()
    assert whole.cluster, "the sample's"
    return replace(whole, cluster=None, backups=whole.cluster.backups)


ENDS = {
    Remedy.RETIRE: Outcome.RETIRED,
    Remedy.RELEASE: Outcome.RELEASED,
    Remedy.PARK: Outcome.PARKED,
    Remedy.REPOINT: Outcome.REPOINTED,
    Remedy.RESCUE: Outcome.RESCUED,
}
FREEING = (Remedy.RETIRE, Remedy.RELEASE, Remedy.PARK)
TRIGGERS: Mapping[str, tuple[Callable[[], Snapshot], Attempt, tuple[Remedy, ...]]] = {
    "a store that can’t be deleted": (
        repointable,
        call(
            Trigger.STORE_DELETE_BLOCKED,
            "DeleteCustomKeyStore",
            "CustomKeyStoreHasCMKsException",
            key_store_id=STORE,
        ),
        (*FREEING, Remedy.REPOINT),
    ),
    "a cluster that is taken": (
        repointable,
        call(
            Trigger.CLUSTER_TAKEN,
            "CreateCustomKeyStore",
            "CloudHsmClusterInUseException",
            name="new",
            asked=CLUSTER,
        ),
        FREEING,
    ),
    "a store that is down": (
        down,
        call(
            Trigger.STORE_DOWN,
            "ConnectCustomKeyStore",
            "CloudHsmClusterNotActiveException",
            key_store_id=STORE,
        ),
        (*FREEING, Remedy.REPOINT, Remedy.RESCUE),
    ),
    "the last HSM lost": (
        lost,
        call(Trigger.CLUSTER_LOST, "DeleteHsm", key_store_id=STORE, subnets=SUBNETS),
        (Remedy.REPOINT, Remedy.RESCUE),
    ),
    "the cluster lost": (
        gone,
        call(Trigger.CLUSTER_LOST, "DeleteCluster", key_store_id=STORE, subnets=SUBNETS),
        (Remedy.RESCUE,),
    ),
    "a find of the scan": (repointable, call(Trigger.SCAN, ""), (*FREEING, Remedy.REPOINT)),
}
"""What each trigger but the first offers in a world with a copy of the cluster. Keep is no plan."""
BY_TRIGGER: Mapping[str, Story] = {
    f"{remedy} of {name}": Story(make, both(remedy), ENDS[remedy], heard)
    for name, (make, heard, remedies) in TRIGGERS.items()
    for remedy in remedies
}


ALL = {**STORIES, **BY_TRIGGER}

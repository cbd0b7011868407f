"""The cases that the tamper matrix tells: each remedy in its world, to the end, cancelled, and undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from chalicelib.domain.rules.clicks import not_possible
from chalicelib.domain.state.case import Attempt, Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.domain.state.trigger import Trigger
from sandbox import sample
from sandbox.reliability.fast_case import CI, Deed, FastCase
from sandbox.reliability.stand import NOW, small_world

WAYS = ("to the end", "cancelled", "undone")
BLOCKED = (Remedy.PARK, Remedy.REPOINT, Remedy.RELEASE, Remedy.RETIRE)
ZONES = ("us-east-1a", "us-east-1b")
SUBNETS = tuple((zone, f"subnet-0{zone[-1]}") for zone in ZONES)


def _posted(remedy: Remedy, case: Case) -> bool:
    return bool(case.message.ts) and case.offer(remedy) is not None


def _undoable(case: Case) -> bool:
    return case.is_closed and not not_possible(case, Act.UNDO, None, by="alice")


def _half_way(case: Case) -> bool:
    """A plan that makes a cluster has made it."""
    calls = {call.operation for call in case.calls}
    plan = case.current_plan
    makes = plan is not None and plan.backup_id
    return case.plan_has_begun and (not makes or Operation.CREATE_CLUSTER in calls)


def deeds(remedy: Remedy, way: str) -> Sequence[Deed]:
    yes = [Deed(by, remedy, partial(_posted, remedy)) for by in ("alice", "bob")]
    ends = {
        "cancelled": [Deed("bob", "cancel", _half_way)],
        "undone": [Deed("bob", "undo", _undoable)],
    }
    return [*yes, *ends.get(way, [])]


def whole_world() -> Snapshot:
    """It offers every way out that a cluster which nobody can delete may have."""
    return replace(small_world(), siblings=(sample.sibling(sample.OTHER_CLUSTER, *ZONES),))


def _without_hsms() -> Snapshot:
    whole = whole_world()
    assert whole.cluster is not None, "the sample's"
    return replace(whole, cluster=replace(whole.cluster, hsms=(), subnets=SUBNETS))


def _without_cluster() -> Snapshot:
    whole = whole_world()
    assert whole.cluster is not None, "the sample's"
    return replace(whole, cluster=None, backups=whole.cluster.backups)


def _lost(operation: str) -> Attempt:
    """Somebody deleted the cluster, or its last HSM, under its keys."""
    known = (Trigger.CLUSTER_LOST, operation, sample.STORE)
    return Attempt("event-lost", NOW, "", CI, *known, subnets=SUBNETS)


WORLDS: Mapping[str, tuple[Remedy, Callable[[], Snapshot], Attempt | None]] = {
    **{remedy: (remedy, whole_world, None) for remedy in BLOCKED},
    "rescue of its HSMs": (Remedy.RESCUE, _without_hsms, _lost("DeleteHsm")),
    "rescue of the cluster": (Remedy.RESCUE, _without_cluster, _lost("DeleteCluster")),
}
"""Where each remedy can be told, and which call opens the case if it is not a refused DeleteCluster."""


def _fast_case(name: str, way: str) -> FastCase:
    remedy, world, heard = WORLDS[name]
    return FastCase(world(), deeds(remedy, way), heard)


STORIES: Mapping[str, Callable[[], FastCase]] = {
    f"{name}, {way}": partial(_fast_case, name, way) for name in WORLDS for way in WAYS
}
"""Some can't be told: a key store that is deleted does not come back. See `told`."""

"""Which scenario tells which way out of which trigger: each way that a case offers has one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.trigger import Trigger

WAYS: Mapping[Trigger, Mapping[Remedy, str]] = MappingProxyType(
    {
        Trigger.DELETE_BLOCKED: {
            Remedy.KEEP: "kept",
            Remedy.PARK: "parked",
            Remedy.REPOINT: "repointed",
            Remedy.RELEASE: "released",
            Remedy.RETIRE: "flagship",
        },
        Trigger.STORE_DELETE_BLOCKED: {
            Remedy.KEEP: "store-delete-kept",
            Remedy.PARK: "store-delete-parked",
            Remedy.REPOINT: "store-delete-repointed",
            Remedy.RELEASE: "store-delete-released",
            Remedy.RETIRE: "store-delete-connected",
        },
        Trigger.CLUSTER_TAKEN: {
            Remedy.KEEP: "cluster-taken-kept",
            Remedy.PARK: "cluster-taken-parked",
            Remedy.REPOINT: "cluster-taken-by-sibling",
            Remedy.RELEASE: "cluster-taken-released",
            Remedy.RETIRE: "cluster-taken-retired",
        },
        Trigger.STORE_DOWN: {
            Remedy.RESCUE: "store-down-rescued",
            Remedy.KEEP: "store-down-kept",
            Remedy.PARK: "store-down-parked",
            Remedy.REPOINT: "store-down-repointed",
            Remedy.RELEASE: "store-down-released",
            Remedy.RETIRE: "store-down-retired",
        },
        Trigger.CLUSTER_LOST: {
            Remedy.RESCUE: "cluster-lost-rescued",
            Remedy.KEEP: "last-hsm-kept",
            Remedy.REPOINT: "last-hsm-repointed",
        },
        Trigger.SCAN: {
            Remedy.KEEP: "idle-kept",
            Remedy.PARK: "weekly-digest",
            Remedy.REPOINT: "idle-repointed",
            Remedy.RELEASE: "idle-released",
            Remedy.RETIRE: "idle-retired",
        },
    }
)
TOLD: Mapping[str, tuple[Trigger, Remedy]] = {
    name: (trigger, remedy) for trigger, ways in WAYS.items() for remedy, name in ways.items()
}
"""By the scenario: what the case says that opened it, and which way it took, when it is played."""

"""The stories of the matrices: a world, what happens to it, and what people do about it. Plays nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.scenario.model import DEFAULT_NOW, HUB, Item, Scenario, complete_world
from sandbox.scenario.references import CI

CLUSTER, SIBLING, STORE = "cluster-2a3b4c5d6e7", "cluster-3b4c5d6e7f2", "cks-1234567890abcdef0"
SLOW_CALLS = ("disconnect", "connect", "create_hsm", "delete_hsm", "delete_cluster")
QUICK = dict.fromkeys(SLOW_CALLS, "20s")
APPROVERS = ("alice", "bob")

Json = dict[str, Any]
Case = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """What a person does once this holds of the case, and this call has changed AWS."""

    by: str
    button: str
    when: Callable[[Case], bool]
    after: str = ""


def begin(*items: tuple[str, Any]) -> tuple[Item, ...]:
    return tuple(Item(step, 0, act, value) for step, (act, value) in enumerate(items))


DELETE_CLUSTER = begin(("delete_cluster", {"cluster": CLUSTER, "by": CI}))
DELETE_STORE = begin(("delete_key_store", {"store": STORE, "by": CI}))
LOSE_HSM = begin(("outside", {"delete_hsm": {"cluster": CLUSTER}}), ("advance", "1m"))
LOSE_CLUSTER = (
    *LOSE_HSM,
    *begin(("outside", {"delete_cluster": {"cluster": CLUSTER}}), ("advance", "20m")),
)
"""Whoever is woken decides on what the message says then, not on the cluster that was still there."""


@dataclass(frozen=True)
class Story:
    """A world, what begins its case, and what people do in it."""

    title: str
    acts: tuple[Act, ...]
    keys: tuple[Json, ...] = ()
    siblings: tuple[Json, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    begins: tuple[Item, ...] = DELETE_CLUSTER
    hsms: int = 2

    def scenario(self) -> Scenario:
        own = {"id": CLUSTER, "certificate": "lineage-a", "hsms": self.hsms}
        given = {
            "clusters": [own, *self.siblings],
            "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER}],
            "keys": [{"store": STORE, **one} for one in self.keys],
            "other_keys": 3,
            "durations": QUICK,
        }
        config = {"quiet_minutes": "1", "pending_window_days": "7", "repoint_soak_days": "0"}
        people = {name: {"approver": True} for name in APPROVERS}
        # AWS lets people delete a cluster under its store; else nobody could.
        blocked_by = "hsms" if self.begins is LOSE_CLUSTER else "key_store"
        return Scenario(
            Path("matrix"),
            self.title,
            DEFAULT_NOW,
            blocked_by,
            {**config, **self.config},
            (HUB,),
            complete_world(given, (HUB,)),
            people,
            (),
        )


def shown(case: Case) -> bool:
    return bool(case["message_ts"]) and case["phase"] == "waiting"


def closed(case: Case) -> bool:
    return bool(case["phase"] == "closed")


def running(case: Case) -> bool:
    return bool(case["phase"] == "running")


KEYS = ({"aliases": ["alias/payments"], "last_used": "94d"}, {"state": "Disabled"})
TWO = (Act("alice", "retire", shown), Act("bob", "retire", shown))
MOVE = (Act("alice", "repoint", shown), Act("bob", "repoint", shown))
FREE = (Act("alice", "release", shown), Act("bob", "release", shown))
COPY = ({"id": SIBLING, "certificate": "lineage-a"},)
PARK, CANCEL, UNDO, RESCUE = (
    Act("alice", "park", shown),
    Act("alice", "cancel", running),
    Act("bob", "undo", closed),
    Act("alice", "rescue", shown),
)
STOP_RESCUE = Act("bob", "cancel", running, after="CreateHsm")
STORIES = {
    "empty store": Story("Retire an empty store", TWO),
    "live keys": Story("Retire live keys", TWO, KEYS),
    "park": Story("Park", (PARK,), KEYS[:1]),
    "repoint": Story("Repoint", MOVE, KEYS[:1], COPY),
    "release": Story("Release live keys", FREE, KEYS, begins=DELETE_STORE),
    "rescue HSMs": Story(
        "Rescue of a store without HSMs", (RESCUE,), KEYS, begins=LOSE_HSM, hsms=1
    ),
    "rescue cluster": Story(
        "Rescue of a lost cluster", (RESCUE,), KEYS, begins=LOSE_CLUSTER, hsms=1
    ),
    "cancel": Story("Cancel in the key wait", (*TWO, CANCEL), KEYS),
    "undo": Story("Undo of park", (PARK, UNDO), KEYS[:1]),
}
WAYS_BACK = {
    "cancel empty": Story("Cancel while the empty store disconnects", (*TWO, CANCEL)),
    "cancel park": Story("Cancel of a park half way", (PARK, CANCEL), KEYS[:1]),
    "cancel repoint": Story(
        "Cancel while the keys soak", (*MOVE, CANCEL), KEYS[:1], COPY, {"repoint_soak_days": "1"}
    ),
    "cancel release": Story(
        "Cancel of a release in the key wait", (*FREE, CANCEL), KEYS, begins=DELETE_STORE
    ),
    "cancel HSMs": Story(
        "Cancel of a rescue that has made an HSM",
        (RESCUE, STOP_RESCUE),
        KEYS,
        begins=LOSE_HSM,
        hsms=1,
    ),
    "cancel cluster": Story(
        "Cancel of a rescue that has made a cluster with an HSM",
        (RESCUE, STOP_RESCUE),
        KEYS,
        begins=LOSE_CLUSTER,
        hsms=1,
    ),
}
"""The rest of them: a reading error must not end a cancel either."""

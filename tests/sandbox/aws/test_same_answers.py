"""The simulation of forecasts and the sandbox give the same answers: after each call, and after its time.

Two things the simulation leaves out on purpose: the backups that CloudHSM makes by itself each day, as no plan
waits for one, and that keys of a store which is off show as Unavailable, as they come back as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.simulation import Durations, SimulatedAws
from chalicelib.domain.state.plan import NEWEST_BACKUP, Operation
from sandbox.sample import CLUSTER, STORE, key, world
from tests.sandbox.aws.aws_stand import Stand

O = Operation  # noqa: E741  # as the tests of the domain have it
KEYS = ("key-a", "key-b")
WORLD: dict[str, Any] = {
    "clusters": [{"id": CLUSTER, "hsms": 2, "certificate": "a", "backups": [{"age": "2h"}]}],
    "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER, "state": "CONNECTED"}],
    "keys": [{"store": STORE, "aliases": [f"alias/{name}"]} for name in "ab"],
}


@dataclass(frozen=True)
class Seen:
    """What both show: states by name."""

    store: str | None
    keys: tuple[str | None, ...]
    cluster: str | None
    hsms: tuple[str, ...]


def of_sandbox(stand: Stand) -> Seen:
    kms, hsms = stand.client("kms"), stand.client("cloudhsmv2")
    stores = kms.describe_custom_key_stores()["CustomKeyStores"]
    states = [_state_of(stand, kms, index) for index in range(len(KEYS))]
    (found,) = hsms.describe_clusters(Filters={"clusterIds": [CLUSTER]})["Clusters"] or [None]
    gone = found is None or found["State"] == "DELETED"
    return Seen(
        stores[0]["ConnectionState"] if stores else None,
        tuple(states),
        None if gone else found["State"],
        () if gone else tuple(sorted(hsm["State"] for hsm in found["Hsms"])),
    )


def _state_of(stand: Stand, kms: Any, index: int) -> str | None:
    try:
        return str(kms.describe_key(KeyId=stand.key(index))["KeyMetadata"]["KeyState"])
    except kms.exceptions.NotFoundException:
        return None


def of_simulation(aws: SimulatedAws, stand: Stand) -> Seen:
    now = aws.at(stand.clock.now())
    cluster, store = now.cluster, now.key_store(STORE)
    is_on = store is not None and store.state.value == "CONNECTED"
    states = {key.key_id: str(key.state.value) for key in now.keys}
    if not is_on:
        states = {k: "Unavailable" if s == "Enabled" else s for k, s in states.items()}
    return Seen(
        str(store.state.value) if store else None,
        tuple(states.get(name) for name in KEYS),
        str(cluster.state.value) if cluster else None,
        tuple(sorted(str(h.state.value) for h in cluster.hsms)) if cluster else (),
    )


def _delete_hsm(stand: Stand) -> Any:
    hsms = stand.client("cloudhsmv2")
    (found,) = hsms.describe_clusters(Filters={"clusterIds": [CLUSTER]})["Clusters"]
    living = [hsm["HsmId"] for hsm in found["Hsms"] if hsm["State"] == "ACTIVE"]
    return hsms.delete_hsm(ClusterId=CLUSTER, HsmId=living[0])


IN_AWS: Mapping[Operation, Callable[[Stand, int], Any]] = {
    O.SCHEDULE_KEY_DELETION: lambda s, i: s.client("kms").schedule_key_deletion(
        KeyId=s.key(i), PendingWindowInDays=7
    ),
    O.CANCEL_KEY_DELETION: lambda s, i: s.client("kms").cancel_key_deletion(KeyId=s.key(i)),
    O.DISABLE_KEY: lambda s, i: s.client("kms").disable_key(KeyId=s.key(i)),
    O.ENABLE_KEY: lambda s, i: s.client("kms").enable_key(KeyId=s.key(i)),
    O.DISCONNECT_KEY_STORE: lambda s, _: s.client("kms").disconnect_custom_key_store(
        CustomKeyStoreId=STORE
    ),
    O.CONNECT_KEY_STORE: lambda s, _: s.client("kms").connect_custom_key_store(
        CustomKeyStoreId=STORE
    ),
    O.DELETE_KEY_STORE: lambda s, _: s.client("kms").delete_custom_key_store(
        CustomKeyStoreId=STORE
    ),
    O.DELETE_HSM: lambda s, _: _delete_hsm(s),
    O.DELETE_CLUSTER: lambda s, _: s.client("cloudhsmv2").delete_cluster(ClusterId=CLUSTER),
}

STORIES: Mapping[str, Sequence[tuple[Operation, int] | float]] = {
    "keys are scheduled, and gone a week later": [(O.SCHEDULE_KEY_DELETION, 0), (O.SCHEDULE_KEY_DELETION, 1), 7.1],
    "a cancelled key is off until it is enabled": [(O.SCHEDULE_KEY_DELETION, 0), (O.CANCEL_KEY_DELETION, 0), (O.ENABLE_KEY, 0)],
    "a key is off and on again": [(O.DISABLE_KEY, 1), (O.ENABLE_KEY, 1)],
    "the store goes down and up again": [(O.DISCONNECT_KEY_STORE, 0), 0.1, (O.CONNECT_KEY_STORE, 0), 0.1],
    "to the very end": [
        (O.SCHEDULE_KEY_DELETION, 0), (O.SCHEDULE_KEY_DELETION, 1), 7.1, (O.DISCONNECT_KEY_STORE, 0), 0.1,
        (O.DELETE_KEY_STORE, 0), (O.DELETE_HSM, 0), 0.1, (O.DELETE_HSM, 1), 0.1, (O.DELETE_CLUSTER, 0), 0.1,
    ],
}  # fmt: skip
"""Calls with the index of their key or HSM; numbers are days that pass."""


@pytest.mark.parametrize("story", STORIES)
def test_they_show_the_same_after_each_call_and_after_its_time(stand: Stand, story: str) -> None:
    stand.seed(WORLD)
    aws = SimulatedAws(world(*map(key, "ab")), Durations())
    assert of_sandbox(stand) == of_simulation(aws, stand)
    for number, item in enumerate(STORIES[story]):
        if isinstance(item, float):
            stand.clock.move_to(stand.clock.now() + timedelta(days=item))
        else:
            operation, index = item
            IN_AWS[operation](stand, index)
            call = Call(operation, (_target(operation, index, aws),), "", window_days=7)
            aws.call(call, call.targets[0], stand.clock.now())
        assert of_sandbox(stand) == of_simulation(aws, stand), (number, item)


def _target(operation: Operation, index: int, aws: SimulatedAws) -> str:
    if operation is O.DELETE_HSM:
        cluster = aws.world.cluster
        assert cluster is not None
        return next(h.zone for h in cluster.hsms if h.state.value == "ACTIVE")
    by_operation = {O.DELETE_CLUSTER: CLUSTER, O.KEEP_BACKUP: NEWEST_BACKUP}
    on_a_key = operation.value.endswith(("Key", "KeyDeletion"))
    return KEYS[index] if on_a_key else by_operation.get(operation, STORE)

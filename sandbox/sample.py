"""A sample world as the domain sees it: one cluster, its key store, its keys. For tests and documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.snapshot import (
    NO_OTHERS,
    Backup,
    Cluster,
    Hsm,
    Key,
    KeyState,
    KeyStore,
    LastUse,
    Snapshot,
    StoreState,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "us-east-1"
CLUSTER, OTHER_CLUSTER = "cluster-2a3b4c5d6e7", "cluster-7e6d5c4b3a2"
STORE = "cks-1234567890abcdef0"
DAY = timedelta(days=1)


def key(name: object = "a", state: KeyState = KeyState.ENABLED, **values: object) -> Key:
    """A key a year old, watched by KMS all that time, and last used 90 days ago."""
    known: dict[str, object] = {
        "created_at": NOW - 365 * DAY,
        "aliases": (f"alias/{name}",),
        "last_use": LastUse(NOW - 90 * DAY, "Decrypt", NOW - 400 * DAY),
        "grants": 0,
    }
    if state is KeyState.PENDING_DELETION:
        known["deletion_date"] = NOW + 5 * DAY
    return Key(f"key-{name}", state, **known | values)  # type: ignore[arg-type]  # the caller's words


def hsms(*zones: str, state: HsmState = HsmState.ACTIVE) -> tuple[Hsm, ...]:
    return tuple(Hsm(f"hsm-{zone}-{i}", state, zone) for i, zone in enumerate(zones))


def cluster(*zones: str, **values: object) -> Cluster:
    known: dict[str, object] = {
        "cluster_id": CLUSTER,
        "state": ClusterState.ACTIVE,
        "hsms": hsms(*zones),
        "certificate": "lineage-a",
        "backups": (Backup("backup-1", BackupState.READY, NOW - timedelta(hours=2)),),
    }
    return Cluster(**known | values)  # type: ignore[arg-type]


def sibling(name: str = OTHER_CLUSTER, *zones: str) -> Cluster:
    return Cluster(name, ClusterState.ACTIVE, hsms(*zones or ("1a", "1b")), "lineage-a")


def store(state: StoreState = StoreState.CONNECTED, **values: object) -> KeyStore:
    known: dict[str, object] = {"key_store_id": STORE, "name": "payments", "cluster_id": CLUSTER}
    return KeyStore(state=state, **known | values)  # type: ignore[arg-type]


def world(
    *keys: Key,
    held: KeyStore | None = None,
    zones: Sequence[str] = ("1a", "1b"),
    free: bool = False,
    **values: object,
) -> Snapshot:
    """A cluster with two HSMs and a connected store with these keys; `free`: no store."""
    stores = () if free else (held or store(),)
    known: dict[str, object] = {
        "cluster_id": CLUSTER,
        "cluster": cluster(*zones),
        "key_stores": stores,
        "keys": keys,
        "other_use": NO_OTHERS,
    }
    return Snapshot(NOW, ACCOUNT, REGION, **known | values)  # type: ignore[arg-type]

"""What AWS says now about one cluster and what hangs on it, as plain values. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.room import Room


class StoreState(StrEnum):
    """ConnectionState of a custom key store, as KMS spells it."""

    CONNECTED = "CONNECTED"
    CONNECTING = "CONNECTING"
    DISCONNECTED = "DISCONNECTED"
    DISCONNECTING = "DISCONNECTING"
    FAILED = "FAILED"


ATTACHED = (StoreState.CONNECTED, StoreState.CONNECTING)


class KeyState(StrEnum):
    """KeyState of a KMS key; states that no custom key store knows are read as UNKNOWN."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    UNAVAILABLE = "Unavailable"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class LastUse:
    """What KMS knows of a key's last cryptographic use (GetKeyLastUsage).

    `tracked_since` is when KMS began to keep track; None if it could not be read at all.
    """

    at: datetime | None = None
    operation: str = ""
    tracked_since: datetime | None = None


@dataclass(frozen=True)
class Key:
    """A KMS key of the key store. `unread` names the call that was refused, if one was.

    `grants` are counted of the keys that a message lists, and None if they were not or could not be.
    """

    key_id: str
    state: KeyState
    created_at: datetime | None
    aliases: tuple[str, ...] = ()
    deletion_date: datetime | None = None
    grants: int | None = None
    last_use: LastUse = field(default_factory=LastUse)
    unread: str = ""

    @property
    def name(self) -> str:
        return self.aliases[0] if self.aliases else f"{self.key_id[:8]}… (no alias)"

    @property
    def is_live(self) -> bool:
        return self.state is not KeyState.PENDING_DELETION

    def never_used(self) -> bool:
        """KMS watched this key all its life and saw no use."""
        use = self.last_use
        return (
            use.at is None
            and use.tracked_since is not None
            and self.created_at is not None
            and self.created_at >= use.tracked_since
        )

    def use_is_unknown(self, now: datetime, *, days: int) -> bool:
        """KMS can't tell whether the key was used within the last `days`."""
        use = self.last_use
        if use.at is not None or self.never_used():
            return False
        return use.tracked_since is None or now - use.tracked_since < timedelta(days=days)

    def used_within(self, now: datetime, *, days: int) -> bool:
        return self.last_use.at is not None and now - self.last_use.at < timedelta(days=days)


SHOWN_KEYS = 20
"""As many keys as a message lists."""


def most_used(keys: Iterable[Key], now: datetime, *, days: int) -> list[Key]:
    """Used within the last days, then of unknown use, then used long ago, then never."""

    def rank(key: Key) -> tuple[bool, bool, float]:
        recent = key.used_within(now, days=days)
        unknown = key.use_is_unknown(now, days=days)
        used = key.last_use.at
        return not recent, not unknown, -used.timestamp() if used else 0.0

    return sorted(keys, key=rank)


@dataclass(frozen=True)
class KeyStore:
    key_store_id: str
    name: str
    cluster_id: str
    state: StoreState
    error: str = ""


@dataclass(frozen=True)
class Hsm:
    hsm_id: str
    state: HsmState
    zone: str

    @property
    def is_live(self) -> bool:
        return self.state not in (HsmState.DELETE_IN_PROGRESS, HsmState.DELETED)


@dataclass(frozen=True)
class Backup:
    backup_id: str
    state: BackupState
    created_at: datetime
    never_expires: bool = False
    mode: str = ""

    @property
    def is_ready(self) -> bool:
        return self.state is BackupState.READY


@dataclass(frozen=True)
class Copy:
    """What is known of the backup that a cluster was made from: whose it is, and of when."""

    of: str
    at: datetime


@dataclass(frozen=True)
class Connects:
    """When the key store last connected, by CloudTrail's own memory; None: not in the last 90 days."""

    are_read: bool = False
    last: datetime | None = None


NEVER_ACTIVE = (ClusterState.UNINITIALIZED, ClusterState.INITIALIZED)


@dataclass(frozen=True)
class Cluster:
    cluster_id: str
    state: ClusterState
    hsms: tuple[Hsm, ...] = ()
    certificate: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    hsm_type: str = ""
    mode: str = ""
    subnets: tuple[tuple[str, str], ...] = ()
    security_group: str = ""
    interfaces: tuple[str, ...] = ()
    backups: tuple[Backup, ...] = ()
    source_backup: str = ""
    copy: Copy | None = None

    @property
    def live_hsms(self) -> tuple[Hsm, ...]:
        return tuple(hsm for hsm in self.hsms if hsm.is_live)

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones of the live HSMs, sorted; a zone stands as often as it has HSMs."""
        return tuple(sorted(hsm.zone for hsm in self.live_hsms))

    @property
    def newest_backup(self) -> Backup | None:
        ready = [backup for backup in self.backups if backup.is_ready]
        return max(ready, key=lambda backup: backup.created_at, default=None)

    @property
    def was_never_activated(self) -> bool:
        """It has no users yet: nobody can have logged in, and it holds no key.

        One that was made from a backup has its users and keys as soon as it has an HSM.
        """
        return self.state in NEVER_ACTIVE and not self.source_backup

    @property
    def can_take_keys(self) -> bool:
        """A store may be pointed here: ACTIVE, two active HSMs in two zones (UpdateCustomKeyStore)."""
        active = {hsm.zone for hsm in self.hsms if hsm.state is HsmState.ACTIVE}
        return self.state is ClusterState.ACTIVE and len(active) >= 2


@dataclass(frozen=True)
class Sessions:
    """Connections to one HSM: the least and the most of any minute of the look.

    `missing` counts the minutes that CloudWatch has no data of.
    """

    hsm_id: str
    least: int = 0
    most: int = 0
    missing: int = 0


@dataclass(frozen=True)
class OtherUse:
    """What tells of programs other than KMS on the HSMs; sessions.py judges it.

    `hsms` has every live HSM and all connections to it, KMS's and AWS's own included, over so many
    `minutes` up to `late` minutes before the look. Up to `own` of them an HSM may be AWS's health
    checks. `interfaces` are foreign network interfaces in the cluster's security group; None if
    they could not be read.
    """

    hsms: tuple[Sessions, ...] = ()
    interfaces: tuple[str, ...] | None = ()
    minutes: int = 5
    late: int = 0
    own: int = 2


NO_OTHERS = OtherUse((Sessions("every HSM"),))
"""If no HSM is left, or if other programs are judged at another time."""


@dataclass(frozen=True)
class Snapshot:
    """One look at the world. `unread` lists, in words, what AWS refused to tell."""

    at: datetime
    account: str
    region: str
    cluster_id: str
    cluster: Cluster | None
    key_stores: tuple[KeyStore, ...] = ()
    keys: tuple[Key, ...] = ()
    siblings: tuple[Cluster, ...] = ()
    other_use: OtherUse = field(default_factory=OtherUse)
    unread: tuple[str, ...] = ()
    keys_seen: int = 0
    connects: Connects = field(default_factory=Connects)
    backups: tuple[Backup, ...] = ()
    """Of a cluster that is gone; one that is there has its own."""
    room: Room | None = None
    """Read only while keys are cut off, for what a rescue has to make."""

    @property
    def known_backups(self) -> tuple[Backup, ...]:
        """Of the cluster, whether it is there or gone."""
        return self.cluster.backups if self.cluster else self.backups

    @property
    def holder(self) -> KeyStore | None:
        """The key store that holds the cluster (KMS allows one a cluster)."""
        return next((s for s in self.key_stores if s.cluster_id == self.cluster_id), None)

    def key_store(self, key_store_id: str | None) -> KeyStore | None:
        return next((s for s in self.key_stores if s.key_store_id == key_store_id), None)

    @property
    def live_keys(self) -> tuple[Key, ...]:
        return tuple(key for key in self.keys if key.is_live)

    @property
    def pending_keys(self) -> tuple[Key, ...]:
        return tuple(key for key in self.keys if not key.is_live)

    @property
    def live_hsms(self) -> tuple[Hsm, ...]:
        return self.cluster.live_hsms if self.cluster else ()

    @property
    def is_complete(self) -> bool:
        return not self.unread and not any(key.unread for key in self.keys)


@dataclass(frozen=True)
class Seen:
    """What the last look showed of store, HSMs and cluster, so that a sweep sees what others change."""

    store_state: StoreState | None = None
    store_cluster: str = ""
    zones: tuple[str, ...] = ()
    cluster_state: ClusterState | None = None

"""What exists in each account and Region, and states that turn into others as time passes.

Never moves time: whatever is due is worked out from the clock when somebody looks.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock

HEX = "0123456789abcdef"
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Durations:
    """How long the slow transitions take."""

    disconnect: timedelta = timedelta(minutes=4)
    connect: timedelta = timedelta(minutes=10)
    create_hsm: timedelta = timedelta(minutes=10)
    delete_hsm: timedelta = timedelta(minutes=6)
    delete_cluster: timedelta = timedelta(minutes=3)


@dataclass(frozen=True)
class Phase:
    """A state that may turn into another by itself at a moment."""

    state: str
    until: datetime | None = None
    then: str = ""

    def at(self, now: datetime) -> str:
        return self.then if self.until is not None and now >= self.until else self.state


@dataclass
class Hsm:
    id: str
    zone: str
    eni: str
    ip: str
    phase: Phase
    since: datetime  # when it serves its first session
    gone_at: datetime | None = None

    def state(self, now: datetime) -> str:
        return self.phase.at(now)

    def serves(self, now: datetime) -> bool:
        """Whether it answers at this moment, which may lie in the past."""
        return self.since <= now and (self.gone_at is None or now < self.gone_at)


@dataclass
class Backup:
    id: str
    cluster_id: str
    created: datetime
    phase: Phase
    never_expires: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    def state(self, now: datetime) -> str:
        return self.phase.at(now)


@dataclass
class Cluster:
    """`clients`: sessions of programs other than KMS; None where nobody measures them."""

    id: str
    account: str
    region: str
    certificate: str
    phase: Phase
    created: datetime
    zones: dict[str, str]  # Availability Zone → subnet
    vpc: str
    security_group: str
    clients: int | None = 0
    hsms: list[Hsm] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    backed_up_until: datetime | None = None

    def state(self, now: datetime) -> str:
        return self.phase.at(now)

    def live_hsms(self, now: datetime) -> list[Hsm]:
        return [hsm for hsm in self.hsms if hsm.state(now) != "DELETED"]

    def active_zones(self, now: datetime) -> set[str]:
        return {hsm.zone for hsm in self.hsms if hsm.state(now) == "ACTIVE"}


@dataclass
class KeyStore:
    """`flaw`: the error that each connection ends with; `lineage`: its cluster's certificate."""

    id: str
    name: str
    cluster_id: str
    lineage: str
    phase: Phase
    created: datetime
    trust_anchor: str = ""
    error: str | None = None
    flaw: str | None = None


@dataclass
class KeyFacts:
    """What KMS knows of a key beyond moto. `lineage` or `cluster_id` tells where its material is."""

    created: datetime
    tracked_from: datetime
    store_id: str | None = None
    lineage: str | None = None
    cluster_id: str | None = None
    last_use: dict[str, Any] = field(default_factory=dict)
    rotation_days: int = 365
    rotates_from: datetime | None = None


@dataclass
class Login:
    """KMS was logged in to a cluster from one moment to another."""

    store_id: str
    cluster_id: str
    start: datetime
    end: datetime | None = None


@dataclass
class Region:
    """One account's Region."""

    account: str
    name: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    stores: dict[str, KeyStore] = field(default_factory=dict)
    keys: dict[str, KeyFacts] = field(default_factory=dict)
    doomed: dict[str, datetime] = field(default_factory=dict)  # key → moment of its deletion
    logins: list[Login] = field(default_factory=list)

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.name}:{self.account}:{rest}"


class Regions:
    """All accounts and Regions. Hold `lock` while reading or changing them, never while calling."""

    def __init__(self, clock: Clock, *, blocked_by: str) -> None:
        if blocked_by not in ("key_store", "hsms"):
            raise ValueError(f"blocked_by is key_store or hsms, not {blocked_by!r}")
        self.clock = clock
        self.blocked_by = blocked_by
        self.durations = Durations()
        self.lock = threading.RLock()
        self._by_place: dict[tuple[str, str], Region] = {}

    def at(self, account: str, region: str) -> Region:
        with self.lock:
            return self._by_place.setdefault((account, region), Region(account, region))

    def __iter__(self) -> Iterator[Region]:
        with self.lock:
            return iter(list(self._by_place.values()))


def new_id(prefix: str, length: int, *, alphabet: str = HEX) -> str:
    return prefix + "".join(random.choices(alphabet, k=length))

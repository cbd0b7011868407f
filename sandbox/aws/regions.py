"""What exists in each account and Region, and states that turn into others as time passes.

Never moves time: whatever is due is worked out from the clock when somebody looks.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sandbox.aws.contents import FIRST, Contents
from sandbox.clock import Clock

HEALTH_SESSIONS = 2  # AWS's own connections to each HSM, unless a world says otherwise
HSM_TYPE, MODE = "hsm2m.medium", "FIPS"
TRUST_ANCHOR = "-----BEGIN CERTIFICATE-----\ntrust anchor\n-----END CERTIFICATE-----\n"
"""The customerCA.crt of every cluster of the sandbox."""
NEVER_ACTIVATED = frozenset({
    "CREATE_IN_PROGRESS", "UNINITIALIZED", "INITIALIZE_IN_PROGRESS", "INITIALIZED",
})  # fmt: skip
HSMS_STAY = frozenset({"MODIFY_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
"""While a cluster's HSMs change their type, none is added or removed and nothing in them changes."""
OF_WAITS = ("disconnect", "connect", "create_hsm", "delete_hsm", "delete_cluster")
HEX = "0123456789abcdef"
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Durations:
    """How long the slow transitions take."""

    disconnect: timedelta = timedelta(minutes=4)
    connect: timedelta = timedelta(minutes=10)
    create_cluster: timedelta = timedelta(minutes=5)
    create_hsm: timedelta = timedelta(minutes=10)
    delete_hsm: timedelta = timedelta(minutes=6)
    delete_cluster: timedelta = timedelta(minutes=3)
    modify_hsm: timedelta = timedelta(minutes=30)

    def slower(self, *names: str) -> Durations:
        """The same, but these take far longer."""
        return replace(self, **{name: getattr(self, name) * 6 for name in names})


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
    contents: Contents
    certificate: str
    hsm_type: str = HSM_TYPE
    mode: str = MODE
    never_expires: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    def state(self, now: datetime) -> str:
        return self.phase.at(now)


@dataclass(frozen=True)
class Interface:
    """A network interface in a cluster's security group that is neither KMS's nor an HSM's."""

    id: str
    description: str
    requester: str | None = None
    requester_managed: bool = False


@dataclass
class Cluster:
    """`clients`: sessions of programs other than KMS; None if nobody measures them.

    `health_sessions`: AWS's own connections to each HSM. `source`: the id of the backup that it was
    made from.
    """

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
    health_sessions: int = HEALTH_SESSIONS
    hsm_type: str = HSM_TYPE
    mode: str = MODE
    source: str | None = None
    contents: Contents = field(default_factory=Contents)
    wrong_passwords: int = 0
    interfaces: list[Interface] = field(default_factory=list)
    hsms: list[Hsm] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    backed_up_until: datetime | None = None
    retention_days: int = 90
    next_type: str | None = None  # what a modification that is under way makes of its HSMs
    rollback_until: datetime | None = None

    def state(self, now: datetime) -> str:
        return self.phase.at(now)

    def was_activated(self, now: datetime) -> bool:
        """Only then it has users and keys, and backups are made of it."""
        return self.state(now) not in NEVER_ACTIVATED

    def live_hsms(self, now: datetime) -> list[Hsm]:
        return [hsm for hsm in self.hsms if hsm.state(now) != "DELETED"]

    def active_zones(self, now: datetime) -> set[str]:
        return {hsm.zone for hsm in self.hsms if hsm.state(now) == "ACTIVE"}


@dataclass
class KeyStore:
    """`flaw`: the error that each connection ends with; `lineage`: its cluster's certificate.

    `password`: the one of kmsuser that KMS knows, as Contents has them.
    """

    id: str
    name: str
    cluster_id: str
    lineage: str
    phase: Phase
    created: datetime
    trust_anchor: str = ""
    password: datetime = FIRST
    error: str | None = None
    flaw: str | None = None


@dataclass
class KeyFacts:
    """What KMS knows of a key beyond moto."""

    created: datetime
    tracked_from: datetime
    store_id: str | None = None
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
    differs: set[str] = field(default_factory=set)  # assumptions that don't hold here
    clusters: dict[str, Cluster] = field(default_factory=dict)
    deleted: dict[str, Cluster] = field(default_factory=dict)  # clusters that nobody describes
    backups: dict[str, Backup] = field(default_factory=dict)
    stores: dict[str, KeyStore] = field(default_factory=dict)
    keys: dict[str, KeyFacts] = field(default_factory=dict)
    doomed: dict[str, datetime] = field(default_factory=dict)  # key → moment of its deletion
    gone_subnets: set[str] = field(default_factory=set)
    free_addresses: dict[str, int] = field(default_factory=dict)  # in subnets that somebody filled
    logins: list[Login] = field(default_factory=list)
    material_left: list[str] = field(default_factory=list)
    """Ids of deleted keys whose material KMS could not delete."""

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.name}:{self.account}:{rest}"


class Regions:
    """All accounts and Regions. Hold `lock` while reading or changing them, never while calling.

    `differs`: ids of docs/aws-reality.md's assumptions that this AWS does not obey; anybody may
    change it at any time.
    """

    def __init__(self, clock: Clock, *, blocked_by: str) -> None:
        if blocked_by not in ("key_store", "hsms"):
            raise ValueError(f"blocked_by is key_store or hsms, not {blocked_by!r}")
        self.clock = clock
        self.blocked_by = blocked_by
        self.usual_durations = Durations()
        self.differs: set[str] = set()
        self.lock = threading.RLock()
        self._by_place: dict[tuple[str, str], Region] = {}

    @property
    def durations(self) -> Durations:
        taken = self.usual_durations
        if "A-DURATIONS" in self.differs:
            taken = taken.slower(*OF_WAITS)
        return taken.slower("create_cluster") if "A-MODIFY-DURATION" in self.differs else taken

    def at(self, account: str, region: str) -> Region:
        with self.lock:
            made = Region(account, region, self.differs)
            return self._by_place.setdefault((account, region), made)

    def __iter__(self) -> Iterator[Region]:
        with self.lock:
            return iter(list(self._by_place.values()))

    def forget(self) -> None:
        with self.lock:
            self._by_place.clear()


def new_id(prefix: str, length: int, *, alphabet: str = HEX) -> str:
    return prefix + "".join(random.choices(alphabet, k=length))

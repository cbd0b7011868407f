"""The state of one sandbox's AWS, and what happens in it by itself. Listens to nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.aws import cloudhsm, event_patterns, kms
from sandbox.aws.calls import Call, RequestContext
from sandbox.aws.cloudhsm import CloudHsm
from sandbox.aws.cloudtrail import Trail
from sandbox.aws.ec2 import Ec2
from sandbox.aws.faults import Faults
from sandbox.aws.iam.guard import Guard
from sandbox.aws.identity import Identities, Identity
from sandbox.aws.kms import Kms
from sandbox.aws.kms_keys import DeletedKey
from sandbox.aws.metrics import Metrics
from sandbox.aws.quotas import Quotas
from sandbox.aws.regions import Regions
from sandbox.aws.sts import Sts
from sandbox.clock import Clock

HUB = "111122223333"
Answer = Callable[[RequestContext], dict[str, Any] | None]
Deny = Callable[[Identity, str, str, dict[str, Any]], str | None]


@dataclass(frozen=True)
class Place:
    account: str
    region: str


@dataclass(frozen=True)
class SeededKey:
    place: Place
    key_id: str


@dataclass(frozen=True)
class Seeded:
    """What the world held at first: `keys` in the order of world.keys; `others` with their look."""

    home: Place
    keys: Sequence[SeededKey]
    others: Mapping[str, tuple[Any, ...]]


class Cloud:
    """A process can have one at a time, since moto's state is the process's."""

    guard: Guard | None = None  # without one, IAM lets everybody do everything

    def __init__(
        self, clock: Clock, *, blocked_by: str, is_bot: Callable[[str], bool], hub: str = HUB
    ) -> None:
        """`is_bot` is asked with a caller's role ARN, or its own ARN if it has no role."""
        self.clock = clock
        self.is_bot = is_bot
        self.calls: list[Call] = []
        self.faults = Faults(clock)
        self.identity = Identities(clock, hub=hub)
        self.regions = Regions(clock, blocked_by=blocked_by)
        self.trail = Trail()
        self.kms = Kms(self.regions)
        self.kill: Callable[[int], None] = lambda _: None
        self.deny: Deny | None = None
        self.services: dict[str, Answer] = {
            "kms": self.kms.answer,
            "cloudhsm": CloudHsm(self.regions).answer,
            "cloudwatch": Metrics(self.regions).answer,
            "ec2": Ec2(self.regions).answer,
            "sts": Sts(self.identity).answer,
            "events": event_patterns.answer,
            "servicequotas": Quotas(self.regions).answer,
            "cloudtrail": self._cloudtrail,
        }
        self.seeded: Seeded | None = None
        self._deleted: list[DeletedKey] = []
        self._timed: set[datetime] = set()

    @property
    def on_record(self) -> list[Callable[[dict[str, Any]], None]]:
        """Called with each EventBridge event of a write, a failed call or a key's deletion."""
        return self.trail.listeners

    def forget(self) -> None:
        """Begin anew with an empty world and no records."""
        self.regions.forget()
        self.trail.forget()

    def settle(self, account: str, region: str) -> None:
        """Bring a Region up to now. Hold the regions' lock, and call tell_deletions after it."""
        place, now = self.regions.at(account, region), self.clock.now()
        self._deleted += kms.settle(place, now)
        cloudhsm.settle(place, now)

    def await_deletions(self, account: str, region: str) -> None:
        """Have the clock call when keys of a Region go, so that their events come in time."""
        for when in set(self.regions.at(account, region).doomed.values()) - self._timed:
            self._timed.add(when)
            self.clock.call_at(when, self.catch_up, name="kms: keys whose window ends")

    def catch_up(self) -> None:
        """Bring all Regions up to now, and tell what KMS deleted."""
        with self.regions.lock:
            for place in self.regions:
                self.settle(place.account, place.name)
        self.tell_deletions()

    def tell_deletions(self) -> None:
        with self.regions.lock:
            gone, self._deleted = self._deleted, []
        for key in gone:
            self.trail.add_key_deletion(key)

    def _cloudtrail(self, visit: RequestContext) -> dict[str, Any] | None:
        return self.trail.lookup(visit) if visit.request.operation == "LookupEvents" else None

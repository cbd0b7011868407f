"""A case: one cluster and its key store, from the first trigger to its end, as an immutable value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from chalicelib.domain.state.caller import Caller
from chalicelib.domain.state.click import LETS_BEGIN, Click
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Cluster, KeyState, KeyStore, Seen, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger


class Phase(StrEnum):
    """Where a case stands: for people to decide, under way, or over."""

    WAITING = "waiting"
    RUNNING = "running"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a case ended."""

    RETIRED = "retired"
    RELEASED = "released"
    RESCUED = "rescued"
    PARKED = "parked"
    REPOINTED = "repointed"
    KEPT = "kept"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RESOLVED = "resolved"
    EXPLAINED = "explained"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Attempt:
    """One call by somebody other than Unlatch that AWS refused, or that cut keys off.

    `key_store_id` is the store that it was about. Of a store that could not be created: its `name`,
    and the cluster that was `asked` for, which may be a copy of the case's. `operation` is the call, and
    `subnets` those of a cluster that was deleted, by zone. `channel` is where in Slack somebody asked by hand.
    """

    event_id: str
    at: datetime
    error_code: str
    caller: Caller
    trigger: Trigger = Trigger.DELETE_BLOCKED
    operation: str = "DeleteCluster"
    key_store_id: str = ""
    name: str = ""
    asked: str = ""
    subnets: tuple[tuple[str, str], ...] = ()
    channel: str = ""


class CallStatus(StrEnum):
    """What became of a mutating call. INTENT: logged, the answer was never seen."""

    INTENT = "intent"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class CallRecord:
    """A mutating call of ours: the last one per operation and target. Of one that AWS took, the log alone
    has the request: thousands would double the case."""

    operation: Operation
    target: str
    at: datetime
    status: CallStatus
    plan_hash: str
    request_id: str = ""
    error: str = ""
    tries: int = 1
    denied: bool = False  # by a policy, which says nothing of the target


@dataclass(frozen=True)
class KeyBefore:
    key_id: str
    state: KeyState


@dataclass(frozen=True)
class Before:
    """The states that cancel and undo may restore: as they were before our first mutation."""

    at: datetime
    store_state: StoreState | None
    keys: tuple[KeyBefore, ...]
    zones: tuple[str, ...]
    cluster_id: str
    store_name: str = ""


@dataclass(frozen=True)
class Difference:
    """What differs from the approved plan, in words for the message's table."""

    what: str
    before: str
    now: str


@dataclass(frozen=True)
class KeyUse:
    """A failed use of a key that is scheduled for deletion or disabled, or whose key store is down."""

    event_id: str
    at: datetime
    key_id: str
    who: str
    operation: str
    key_store_id: str = ""


@dataclass(frozen=True)
class Keep:
    """A decision to leave things as they are for a while."""

    by: str
    owner: str
    until: datetime
    reason: str


@dataclass(frozen=True)
class Case:
    case_id: str
    account: str
    region: str
    cluster_id: str
    opened_at: datetime
    trigger: Trigger = Trigger.DELETE_BLOCKED
    attempts: tuple[Attempt, ...] = ()
    clicks: tuple[Click, ...] = ()
    version: int = 0
    generation: int = 0
    turns: int = 0
    phase: Phase = Phase.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    advice: tuple[str, ...] = ()
    closed_at: datetime | None = None
    expires_at: datetime | None = None
    snapshot: Snapshot | None = None
    last_cluster: Cluster | None = None
    requester_id: str = ""
    offers: tuple[Plan, ...] = ()
    plan: Plan | None = None
    last_plan: Plan | None = None
    quorums: tuple[tuple[Remedy, int], ...] = ()
    approved: tuple[Click, ...] = ()
    confirmed: tuple[Click, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    before: Before | None = None
    ending: Click | None = None
    differences: tuple[Difference, ...] = ()
    keep: Keep | None = None
    key_uses: tuple[KeyUse, ...] = ()
    missing: str = ""
    missing_since: datetime | None = None
    quiet_since: datetime | None = None
    soaking_since: datetime | None = None
    waiting_for: str = ""
    clicks_seen: int = 0
    uses_seen: int = 0
    attempts_seen: int = 1
    round: int = 1
    reset_at_click: int = 0
    reminded: bool = False
    called_until: datetime | None = None  # the last call is given for keys that go until then
    is_down: bool = False  # its key store is: it does not expire, and looks on, also if stopped
    watches: bool = False  # keys that it scheduled wait, or may: it looks on, also when closed
    seen: Seen | None = None
    overdue_told: datetime | None = None  # since when the transition runs that was told to be late
    message: SlackMessage = field(default_factory=SlackMessage)
    log_length: int = 0
    log_head: str = ""
    route_tags: tuple[tuple[str, str], ...] | None = None  # of its first look: for its route
    key_owners: KeyOwners | None = None  # asked once, for whom to tell; None: not known yet
    token: str = ""  # of its run’s sleep, as the inbox says; may be spent
    on_hold_since: str = ""  # since when turns refuse the stored body, as the inbox says

    @property
    def place(self) -> tuple[str, str, str]:
        """Account, Region and cluster that it is about."""
        return self.account, self.region, self.cluster_id

    @property
    def is_its_own(self) -> bool:
        """Its plans are about its cluster: no turn ever made another one."""
        return all(p.place == self.place for p in (self.plan, self.last_plan, *self.offers) if p)

    @property
    def is_closed(self) -> bool:
        return self.phase is Phase.CLOSED

    @property
    def is_over(self) -> bool:  # for good: the cluster is free for a new case
        waits_for_a_person = self.is_down and self.outcome is Outcome.STOPPED
        lives_on = self.outcome is Outcome.KEPT or self.watches or waits_for_a_person
        return self.is_closed and not lives_on

    @property
    def has_begun(self) -> bool:
        """Our first mutation was at least intended."""
        return self.before is not None

    @property
    def plan_has_begun(self) -> bool:
        """Its first mutation was intended, and not refused by AWS. Until then it can be taken back."""
        done = (c.plan_hash for c in self.calls if c.status is not CallStatus.REFUSED)
        return self.plan is not None and self.plan.plan_hash in done

    @property
    def plan_is_under_way(self) -> bool:
        """It has begun, be it with the wait for keys that were going already: the approvers saw the date."""
        return self.plan is not None and (self.plan_has_begun or self.plan.waits_first)

    @property
    def is_rescue(self) -> bool:
        """A rescue is under way, or being taken back: its cluster may be gone."""
        return self.current_plan is not None and self.current_plan.remedy is Remedy.RESCUE

    @property
    def current_plan(self) -> Plan | None:
        """The plan in force; once there is none any more, the last that was."""
        return self.plan or self.last_plan

    @property
    def store(self) -> KeyStore | None:
        """As last seen: the key store that the plan names, else the holder; None once it is gone."""
        if self.snapshot is None:
            return None
        plan = self.current_plan
        named = self.snapshot.key_store(plan.key_store_id) if plan else None
        return named or self.snapshot.holder

    @property
    def new_clicks(self) -> tuple[Click, ...]:
        return self.clicks[self.clicks_seen :]

    @property
    def current_clicks(self) -> tuple[Click, ...]:
        """Those of the round that is open. What would let a plan begin counts in its own round alone."""
        return tuple(
            click
            for click in self.clicks[self.reset_at_click :]
            if click.act not in LETS_BEGIN or click.round == self.round
        )

    @property
    def requester(self) -> Caller | None:
        return self.attempts[0].caller if self.attempts else None

    def offer(self, remedy: Remedy | None) -> Plan | None:
        return next((plan for plan in self.offers if plan.remedy is remedy), None)

    @cached_property
    def _call_on(self) -> Mapping[tuple[Operation, str], CallRecord]:
        return {(c.operation, c.target): c for c in reversed(self.calls)}

    def call(self, operation: Operation, target: str) -> CallRecord | None:
        """The first that is remembered. Looked up, as a plan may have thousands."""
        return self._call_on.get((operation, target))

    def did(self, operation: Operation, target: str) -> bool:
        """We called, and AWS said yes."""
        return bool((call := self.call(operation, target)) and call.status is CallStatus.DONE)

    def tried(self, operation: Operation, target: str) -> bool:
        """We may have changed this: AWS said yes, or the answer was never seen."""
        call = self.call(operation, target)
        return call is not None and call.status is not CallStatus.REFUSED

    def with_calls(self, records: Iterable[CallRecord]) -> Case:
        """Remembers these calls in place of earlier ones on the same targets."""
        made = [replace(c, request_id="") if c.status is CallStatus.DONE else c for c in records]
        spots = {(c.operation, c.target) for c in made}
        kept = [c for c in self.calls if (c.operation, c.target) not in spots]
        return replace(self, calls=(*kept, *made))

    def with_call(self, record: CallRecord) -> Case:
        return self.with_calls((record,))

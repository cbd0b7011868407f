"""What the flows need from the outside, as Protocols, and the values that go in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.aside import Aside, in_turn
from chalicelib.domain.rules.hearing import Heard, KnownOutage
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.routes import Route
from chalicelib.domain.rules.step import Call
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state.audit_log import Entry
from chalicelib.domain.state.caller import Caller
from chalicelib.domain.state.case import Attempt, Case, KeyUse
from chalicelib.domain.state.click import Click
from chalicelib.domain.state.key_owners import KeyOwners
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.slack_message import SlackMessage
from chalicelib.domain.state.snapshot import Key, Snapshot


@dataclass(frozen=True)
class CaseTrigger:
    """What opens a case at a cluster, or folds into its open one. `heard_at` is when Unlatch opened a case for it."""

    account: str
    region: str
    cluster_id: str
    attempt: Attempt
    heard_at: datetime | None = None


@dataclass(frozen=True)
class Opened:
    """The case that now holds the trigger. `token` wakes its sleeping run, if there is one.

    `is_gone`: the call was heard before, and the record of its case has been removed since.
    """

    case_id: str
    generation: int
    is_new: bool
    token: str = ""
    is_gone: bool = False


@dataclass(frozen=True)
class Pointer:
    """An open (or kept) case and the cluster that it is about."""

    case_id: str
    account: str
    region: str
    cluster_id: str


@dataclass(frozen=True)
class SweepCursor:
    """How far the sweep has come in looking at every key that is off, a few at a time.

    `since`: when the last whole round began. `after`: the last key of this round, "" before the
    first. A round with keys that could not be read is not whole: the next one looks further back.
    """

    since: datetime | None = None
    began: datetime | None = None
    after: str = ""
    is_whole: bool = True


@dataclass(frozen=True)
class Woken:
    """A recorded click: the token of the sleeping run, and the generation that must run."""

    token: str
    generation: int


@dataclass(frozen=True)
class Receipt:
    """AWS's answer to a mutating call that it accepted."""

    request_id: str


@dataclass(frozen=True)
class Interaction:
    """A button, a submitted dialog, or a slash command. Nothing in it is trusted but who clicked.

    `team_id` is the clicker's own workspace; the payload's `team` says nothing about the person.
    `response_url` is where Slack takes a private answer; only its own addresses are used.
    """

    kind: str
    user_id: str
    team_id: str
    channel: str = ""
    action: str = ""
    case_id: str = ""
    version: int = -1
    remedy: str = ""
    plan_hash: str = ""
    trigger_id: str = ""
    view_id: str = ""
    text: str = ""
    response_url: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedRequest:
    """A GetCallerIdentity request that somebody signed for one meaning, but did not send.

    Nothing in it is trusted before STS has confirmed the signature.
    """

    case_id: str
    url: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class SignedPlan(SignedRequest):
    plan_hash: str


@dataclass(frozen=True)
class SignedCancel(SignedRequest):
    reason: str


Signed = SignedPlan | SignedCancel


UNFENCED = -1
"""The version of an inbox that nobody can write: its run sleeps until its deadline, and no click wakes it."""


@dataclass(frozen=True)
class Held:
    """Of a case whose body is not believed: the version to sleep on, and the case by its sealed trigger."""

    version: int
    since: datetime
    begun: Case | None


class Cases(Protocol):
    def open_or_fold(self, trigger: CaseTrigger, *, now: datetime) -> Opened: ...
    def load(self, case_id: str) -> Case: ...
    def seal_ahead(self, case: Case, click: Click) -> None: ...
    def record_click(self, case: Case, click: Click, *, reopen: bool) -> Woken: ...
    def record_use(self, case_id: str, use: KeyUse) -> str: ...
    def touch(self, case_id: str) -> str: ...
    def sleep(self, case_id: str, *, version: int, token: str) -> bool: ...
    def next_generation(self, case: Case) -> int: ...
    def pointers(self, where: tuple[str, str] | None = None) -> Sequence[Pointer]: ...
    def looked_until(self, account: str, region: str) -> datetime | None: ...
    def set_looked(self, account: str, region: str, until: datetime) -> None: ...
    def watch_round(self) -> SweepCursor: ...
    def set_watch_round(self, now: SweepCursor) -> None: ...
    def outages(self, account: str, region: str) -> Mapping[str, KnownOutage]: ...
    def set_outages(self, account: str, region: str, known: Mapping[str, KnownOutage]) -> None: ...
    def entries(self, case_id: str) -> Sequence[Entry]: ...


class TurnCases(Cases, Protocol):
    """The same for one turn, which alone writes bodies. `load` and `save` raise UnbelievedError and SupersededError.

    `digest` is that of the body which the run has to remember; `unsealed` says whose the inbox entries
    claim to be whose seal does not hold: they are not counted, and the next save removes them.
    `has_saved` says whether this try did, which shuts out those before it.
    """

    @property
    def digest(self) -> str: ...
    @property
    def unsealed(self) -> tuple[str, ...]: ...
    @property
    def is_old(self) -> bool: ...
    @property
    def has_saved(self) -> bool: ...
    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case: ...
    def refuse(self, case_id: str, *, now: datetime) -> Held: ...
    def keep_look(self, case_id: str, seen: Snapshot) -> None: ...
    def last_look(self, case_id: str) -> Snapshot | None: ...
    def expire(self, case: Case, at: datetime) -> None: ...


class Inventory(Protocol):
    def look_again(self, case: Case, seen: Snapshot) -> Snapshot: ...
    def reread(self, case: Case, key_id: str) -> Key: ...
    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot: ...
    def snapshot(self, case: Case, *, now: datetime) -> Snapshot: ...


class Actions(Protocol):
    def perform(self, step: Call, target: str, *, case: Case) -> Receipt: ...


class Runs(Protocol):
    """`start`: False if the name is taken. `remembered`: a digest; "" if none was saved, None for no run."""

    def start(self, case_id: str, generation: int, *, body: str = "") -> bool: ...
    def wake(self, token: str) -> None: ...
    def is_alive(self, case_id: str, generation: int) -> bool: ...
    def remembered(self, case_id: str, generation: int) -> str | None: ...


class People(Protocol):
    """`among` judges who approves by another list."""

    def among(self, approvers: Sequence[str]) -> People: ...
    def fetch(self, user_ids: Sequence[str]) -> Mapping[str, Person]: ...
    def find(self, caller: Caller) -> str: ...


class Brake(Protocol):
    def why(self) -> str:
        """Who stopped all changes and why, in words; "" if nobody did. Unreadable is a reason, too."""
        ...


class Seal(Protocol):
    def make(self, text: str) -> str: ...
    def holds(self, text: str, seal: str) -> bool: ...


class Gateway(Protocol):
    """Slack. Showing never raises for its failures: the message catches up. `at`: in another channel."""

    def at(self, channel: str, policy: Policy) -> Gateway: ...
    def show(
        self, case: Case, entries: Sequence[Entry], *, now: datetime, may_exist: bool
    ) -> SlackMessage: ...
    def prepare(self, case: Case) -> None: ...
    def hold(
        self, case: Case, world: Snapshot | None, *, since: datetime, remembered: str
    ) -> None: ...
    def tell_askers(self, case: Case) -> None: ...
    def fill(self, case: Case, click: Click, *, now: datetime) -> None: ...
    def open(self, case: Case, remedy: Remedy, *, trigger_id: str) -> str: ...


class Trail(Protocol):
    """CloudTrail's own memory of calls that open cases and of failed uses of keys, for the sweep.

    `names` are those of the calls to look for. `failed_uses` looks key by key, from the time given for each, and yields what it found.
    """

    def calls(
        self, account: str, region: str, *, since: datetime, names: Sequence[str]
    ) -> Sequence[CaseTrigger | Heard]: ...
    def failed_uses(
        self, account: str, region: str, *, keys: Mapping[str, datetime]
    ) -> Iterator[tuple[str, Sequence[KeyUse]]]: ...


def _nothing(*_: object, **__: object) -> None:
    """Stands in if nobody listens to metrics or logs."""


@dataclass(frozen=True)
class Ports:
    """Everything that the flows are given. Each is made on first use (wiring.py).

    `channel` is where cases are to be shown now; `aside` asks two things at once. `repeats`: see record_use.
    """

    cases: Cases
    for_turn: Callable[[Anchor, int], TurnCases]
    inventory: Inventory
    actions: Actions
    runs: Runs
    people: People
    brake: Brake
    gateway: Gateway
    trail: Trail
    policy: Policy
    clock: Callable[[], datetime]
    places: tuple[tuple[str, str], ...] = ()
    channel: str = ""
    routes: tuple[Route, ...] = ()
    changed: Callable[[], None] = _nothing
    key_owners: Callable[[Case], KeyOwners] = lambda _: KeyOwners()  # if no tag names them
    count: Callable[[str, int], None] = _nothing
    log: Callable[..., None] = _nothing
    aside: Aside = in_turn
    repeats: dict[tuple[str, ...], tuple[datetime, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def accounts(self) -> frozenset[str]:
        """Accounts whose events are accepted: the hub and those listed."""
        return frozenset(account for account, _ in self.places)

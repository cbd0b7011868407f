"""What the flows need from the outside, as Protocols; and the two words for failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.approval import Person
from chalicelib.domain.case import Attempt, Case, Click, KeyUse, SlackMessage
from chalicelib.domain.log import Entry
from chalicelib.domain.snapshot import Snapshot
from chalicelib.domain.step import Call


class TryLater(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """AWS or Slack can't now. `after` is in seconds; the reason is fit for Slack."""

    def __init__(self, reason: str, after: int = 15) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class GiveUp(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """Only a person can mend this. Reason and advice are sentences fit for Slack."""

    def __init__(self, reason: str, *advice: str, request_id: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.request_id = request_id


class Conflict(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """Somebody else wrote the case meanwhile; read it again and decide afresh."""


@dataclass(frozen=True)
class FailedDelete:
    """A failed DeleteCluster, as CloudTrail told it."""

    account: str
    region: str
    cluster_id: str
    attempt: Attempt


@dataclass(frozen=True)
class Opened:
    """The case that now holds the failed call. `token` wakes its parked run, where there is one."""

    case_id: str
    generation: int
    is_new: bool
    token: str = ""


@dataclass(frozen=True)
class Pointer:
    """An open (or kept) case and the cluster that it is about."""

    case_id: str
    account: str
    region: str
    cluster_id: str


@dataclass(frozen=True)
class Woken:
    """A recorded click: the token of the parked run, and the generation that must run."""

    token: str
    generation: int


@dataclass(frozen=True)
class Receipt:
    """AWS's answer to a mutating call that it accepted."""

    request_id: str


class Cases(Protocol):
    def open_or_fold(self, failed: FailedDelete, *, now: datetime) -> Opened: ...
    def load(self, case_id: str) -> Case: ...
    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case: ...
    def append(self, case: Case, entry: Entry, *, fenced: bool) -> Case: ...
    def record_click(self, case: Case, click: Click, *, reopen: bool) -> Woken: ...
    def record_use(self, case_id: str, use: KeyUse) -> str: ...
    def park(self, case_id: str, *, version: int, token: str) -> bool: ...
    def next_generation(self, case: Case) -> int: ...
    def pointers(self) -> Sequence[Pointer]: ...
    def entries(self, case_id: str) -> Sequence[Entry]: ...


class Inventory(Protocol):
    def snapshot(self, case: Case, *, now: datetime) -> Snapshot: ...


class Actions(Protocol):
    def perform(self, step: Call, target: str, *, case: Case) -> Receipt: ...


class Runs(Protocol):
    def start(self, case_id: str, generation: int) -> None: ...
    def wake(self, token: str) -> None: ...
    def is_alive(self, case_id: str, generation: int) -> bool: ...


class People(Protocol):
    def fetch(self, user_ids: Sequence[str]) -> Mapping[str, Person]: ...


class Seal(Protocol):
    def make(self, text: str) -> str: ...
    def holds(self, text: str, seal: str) -> bool: ...


class Gateway(Protocol):
    """Shows a case in Slack; never raises for Slack's own failures."""

    def show(self, case: Case, entries: Sequence[Entry], *, now: datetime) -> SlackMessage: ...
    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> str: ...
    def update_view(self, view_id: str, view: Mapping[str, Any]) -> None: ...
    def tell(self, user_id: str, text: str, *, channel: str) -> None: ...


class Trail(Protocol):
    """CloudTrail's own memory of failed deletes, for the sweep."""

    def failed_deletes(
        self, account: str, region: str, *, since: datetime
    ) -> Sequence[FailedDelete]: ...

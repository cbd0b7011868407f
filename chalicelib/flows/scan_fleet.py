"""The weekly look at all accounts: kept for App Home and `/unlatch scan`, told in Slack if something changed.

Reads AWS and opens no case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.fleet import Survey
from chalicelib.domain.scan import Changes, Scan, changes, scan_of
from chalicelib.domain.state.case import Case
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Pointer, Ports

AT_A_TIME = 8


class ScanMemory(Protocol):
    """The last scan, the one that the last message told of, and the open cases."""

    def scan(self) -> Scan | None: ...
    def set_scan(self, scan: Scan) -> None: ...
    def told_scan(self) -> Scan | None: ...
    def set_told_scan(self, scan: Scan) -> None: ...
    def pointers(self) -> Sequence[Pointer]: ...
    def load(self, case_id: str) -> Case: ...


@dataclass(frozen=True)
class ScanPorts:
    """`survey` looks at an account's Region; `tell` posts, and raises nothing of Slack's: False if it failed."""

    ports: Ports
    memory: ScanMemory
    survey: Callable[[str, str], Survey]
    tell: Callable[[Scan, Scan | None, Changes, Sequence[Case]], bool]
    is_told: bool


def scan_fleet(scanning: ScanPorts) -> Changes:
    """What changed since the last message. Safe to repeat: what was told is not told again."""
    ports, now = scanning.ports, scanning.ports.clock()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        surveys = list(pool.map(lambda place: _surveyed(scanning, place, now), ports.places))
    scan = scan_of(surveys, policy=ports.policy, now=now)
    scanning.memory.set_scan(scan)
    ports.count("FleetScans", 1)
    if not scanning.is_told:
        return Changes()
    before = scanning.memory.told_scan()
    differs = changes(before, scan)
    if before is not None and not differs.number:
        return differs
    cases = tuple(_open_cases(scanning.memory, {finding.place for finding in differs.new}))
    if not differs.number or scanning.tell(scan, before, differs, cases):
        scanning.memory.set_told_scan(scan)
    return differs


def _open_cases(memory: ScanMemory, places: set[tuple[str, str, str]]) -> Iterator[Case]:
    """Those of clusters that the message speaks of, so that it can link to them."""
    for one in memory.pointers():
        if (one.account, one.region, one.cluster_id) in places:
            yield memory.load(one.case_id)


def _surveyed(scanning: ScanPorts, place: tuple[str, str], now: datetime) -> Survey:
    """Trouble with one place leaves the others."""
    try:
        return scanning.survey(*place)
    except (TemporaryError, PermanentError) as trouble:
        scanning.ports.log("not scanned", account=place[0], region=place[1], why=trouble.reason)
        return Survey(*place, now, unread=(trouble.reason,))

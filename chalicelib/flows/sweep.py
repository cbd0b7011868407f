"""The schedule: what was never delivered, stores that broke in silence, and cases whose run has died."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.domain.rules.switched_off import off_since
from chalicelib.domain.state.case import Case, Phase
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.flows.missed import find_missed
from chalicelib.flows.moved import wake_if_moved
from chalicelib.flows.outlines import Outlines
from chalicelib.flows.remembering import MOST_RUNS
from chalicelib.flows.routing import for_case
from chalicelib.flows.side_by_side import Place, side_by_side
from chalicelib.flows.watch_keys import KeyRef, watch_keys
from chalicelib.ports import Pointer, Ports

LONGEST_LOOK = 100
"""Seconds, for all places together: the sweep has 300, and 150 of them are for keys that are off."""
NO_ANSWER = "AWS has not answered for so long that the sweep went on without it"
STUCK_AFTER = timedelta(hours=1)
UNHEARD_AFTER = timedelta(minutes=5)
"""A click wakes its case at once. After this long the wake was lost, or AWS can't be read."""


@dataclass(frozen=True)
class Swept:
    """What a sweep found: events opened or folded, runs started again, places that it could not read,

    and failed uses of keys that are off.
    """

    found: int = 0
    restarted: int = 0
    unread: tuple[str, ...] = ()
    used: int = 0


def sweep(ports: Ports) -> Swept:
    """Safe to repeat and to run beside everything else."""
    outlines = Outlines(ports)
    look = partial(_look, ports, outlines)
    said = side_by_side(ports.places, look, within_seconds=LONGEST_LOOK)
    found = sum(number for number in said.values() if isinstance(number, int))
    silent = {place: why for place, why in said.items() if not isinstance(why, int)}
    unread = [_unread(ports, *place, why or NO_ANSWER) for place, why in silent.items()]
    pointers, restarted = ports.cases.pointers(), 0
    off: list[tuple[KeyRef, datetime]] = []
    woken = 0
    for case in _cases(ports, pointers):
        restarted += _revive(ports, case)
        woken += wake_if_moved(ports, outlines, case)
        off += (((case.account, case.region, key), since) for key, since in off_since(case).items())
    ports.changed()
    ports.count("SweepsDone", 1)
    ports.count("OpenCases", len(pointers))
    ports.count("EventsFoundBySweep", found)
    ports.count("RunsRestarted", restarted)
    ports.count("CasesWokenBySweep", woken)
    used = 0
    try:
        used = watch_keys(ports, off)
    except (TemporaryError, PermanentError, ConflictError) as trouble:
        unread.append(f"uses of keys: {trouble}")
    ports.count("KeyUsesFoundBySweep", used)
    return Swept(found, restarted, tuple(unread), used)


def _look(ports: Ports, outlines: Outlines, place: Place) -> int | str:
    """How many cases are new there; or why it could not be read."""
    try:
        return find_missed(ports, outlines, *place)
    except (TemporaryError, PermanentError, ConflictError) as trouble:
        return str(trouble)


def _unread(ports: Ports, account: str, region: str, why: str) -> str:
    ports.log("sweep could not read", account=account, region=region, why=why)
    return f"{account} {region}: {why}"


def _cases(ports: Ports, pointers: Sequence[Pointer]) -> Iterator[Case]:
    """One after the other: each may know of thousands of keys."""
    for pointer in pointers:
        try:
            yield ports.cases.load(pointer.case_id)
        except (KeyError, TemporaryError, PermanentError) as trouble:
            ports.log("case not read", case_id=pointer.case_id, why=str(trouble))


def _revive(ports: Ports, case: Case) -> bool:
    """A case without a living run, or with one that sleeps through a click or a move to another

    channel, gets the next run.

    The run of the old generation ends by itself when it wakes.
    """
    try:
        is_alive = ports.runs.is_alive(case.case_id, case.generation)
        if is_alive and not _is_deaf(case, ports.clock()) and not _is_elsewhere(ports, case):
            _watch(ports, case)
            return False
        if not is_alive and ports.runs.start(case.case_id, case.generation):
            ports.log("run started at last", case_id=case.case_id)
            return True
        is_new = _next_run(ports, case)
    except (ConflictError, TemporaryError, PermanentError) as trouble:
        ports.log("case not revived", case_id=case.case_id, why=str(trouble))
        return False
    ports.log("run started again" if is_new else "no run could be started", case_id=case.case_id)
    return is_new


def _next_run(ports: Ports, case: Case) -> bool:
    """Of the first generation whose run was never started: the inbox may have been put back to an old one."""
    for _ in range(MOST_RUNS):
        case = replace(case, generation=ports.cases.next_generation(case))
        if ports.runs.start(case.case_id, case.generation):
            return True
    return False


def _is_deaf(case: Case, now: datetime) -> bool:
    if case.on_hold_since:
        return False  # nothing is heard before its body is believed
    unheard = [click.at for click in case.new_clicks]
    unheard += [use.at for use in case.key_uses[case.uses_seen :]]
    unheard += [attempt.at for attempt in case.attempts[case.attempts_seen :]]
    return bool(unheard) and now - max(unheard) > UNHEARD_AFTER


def _is_elsewhere(ports: Ports, case: Case) -> bool:
    """Shown in a channel of before, by a run that sleeps; one that Slack refuses tries by itself."""
    shown = case.message
    channel = for_case(ports, case).channel
    has_moved = bool(shown.ts) and channel not in ("", shown.channel)
    return has_moved and not shown.is_behind


def _watch(ports: Ports, case: Case) -> None:
    """Approved, but its first call is still to come after an hour: somebody should look."""
    plan = case.plan
    if plan is None or not case.approved or case.plan_is_under_way:
        return
    last = max(click.at for click in case.approved)
    if case.phase is Phase.RUNNING and ports.clock() - last > STUCK_AFTER:
        ports.count("ApprovedNotMoving", 1)

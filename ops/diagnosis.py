"""A diagnosis for an operator: as lines, or as JSON. Says what the domain found, and adds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from chalicelib.domain.diagnosis import Cause, WayOut, daily_cost
from chalicelib.domain.forecast import Forecast, Foreseen
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Key, Snapshot
from ops.console import DIM, GREEN, RED, YELLOW, Console, count, moment
from ops.words import for_a_shell

MOST_KEYS = 20
MOST_NAMES = 3


@dataclass(frozen=True)
class Diagnosis:
    """Everything that one look told."""

    snapshot: Snapshot
    cause: Cause
    ways: tuple[WayOut, ...]
    timelines: Mapping[Remedy, Forecast]
    policy: Policy


def show(diagnosis: Diagnosis, screen: Console, note: str) -> None:
    snapshot = diagnosis.snapshot
    where = f"{snapshot.account}, {snapshot.region}"
    if diagnosis.cause is Cause.NO_CLUSTER:
        screen.line(f"AWS knows no {snapshot.cluster_id} in {where}.", colour=YELLOW)
        screen.line("Is it another account (--account) or Region (--region)?")
        return
    screen.title(f"{snapshot.cluster_id} in {where}")
    screen.line(f"Why it can’t be deleted: {diagnosis.cause}.")
    if note:
        screen.line(note, colour=YELLOW)
    for line in _world(diagnosis):
        screen.line(f"  {line}")
    for refused in snapshot.unread:
        screen.line(f"  could not be read: {refused}", colour=RED)
    if snapshot.keys:
        screen.title(f"Keys ({len(snapshot.keys)} of {snapshot.keys_seen} looked at)")
        for line in _keys(snapshot):
            screen.line(f"  {line}")
    for way in diagnosis.ways:
        _show_way(way, diagnosis, screen)


def _world(diagnosis: Diagnosis) -> Iterator[str]:
    snapshot = diagnosis.snapshot
    if cluster := snapshot.cluster:
        cost = f"${daily_cost(snapshot, diagnosis.policy):.2f} a day"
        zones = ", ".join(cluster.zones) or "no zone"
        yield f"cluster    {cluster.state}, {count(len(cluster.live_hsms), 'HSM')} in {zones}, {cost}"
        newest = cluster.newest_backup
        yield f"backup     {f'{newest.backup_id} of {moment(newest.created_at)}' if newest else 'none is ready'}"
    for store in snapshot.key_stores:
        error = f" ({store.error})" if store.error else ""
        yield f"key store  {store.key_store_id} {store.name}, {store.state}{error}"
    for sibling in snapshot.siblings:
        fit = "could take the keys" if sibling.can_take_keys else "can’t take the keys now"
        yield f"sibling    {sibling.cluster_id}, {sibling.state}, {fit}"


def _keys(snapshot: Snapshot) -> Iterator[str]:
    for key in snapshot.keys[:MOST_KEYS]:
        grants = f", {count(key.grants, 'grant')}" if key.grants else ""
        gone = f", deleted {moment(key.deletion_date)}" if key.deletion_date else ""
        yield f"{key.key_id}  {key.name}  {key.state}, {_use(key)}{grants}{gone}{key.unread and f' ({key.unread})'}"
    if len(snapshot.keys) > MOST_KEYS:
        yield f"… and {len(snapshot.keys) - MOST_KEYS} more (--json lists all)"


def _use(key: Key) -> str:
    if key.last_use.at:
        return f"last used {moment(key.last_use.at)}"
    return "never used" if key.never_used() else "last use unknown"


def _show_way(way: WayOut, diagnosis: Diagnosis, screen: Console) -> None:
    screen.line()
    if way.plan is None:
        why = way.impossible.removeprefix(f"{way.remedy.capitalize()} is ")
        screen.line(f"{way.remedy.upper()}  {why}", colour=DIM)
        return
    terms = way.plan.terms
    people = "1 person" if terms.people == 1 else f"{terms.people} people"
    needs = f"{people}, {', '.join(terms.reasons)}" if terms.reasons else people
    override = ", override to tick" if terms.override else ""
    if way.is_open:
        screen.line(f"{way.remedy.upper()}  needs {needs}{override}", colour=GREEN)
    else:
        screen.line(f"{way.remedy.upper()}  not possible yet", colour=YELLOW)
    for gate in way.gates:
        screen.line(
            f"  check failed: {gate.check}. Found: {gate.found}. {for_a_shell(gate.helps)}."
        )
    timeline = diagnosis.timelines.get(way.remedy)
    for line in _timeline(timeline, diagnosis.snapshot) if timeline else ():
        screen.line(f"  {line}")


def _timeline(timeline: Forecast, snapshot: Snapshot) -> Iterator[str]:
    """Calls of one kind in a row stand on one line."""
    names = {key.key_id: key.name for key in snapshot.keys}
    for operation, group in groupby(timeline.calls, key=lambda call: call.operation):
        calls = list(group)
        yield f"{moment(calls[0].at)}  {operation}  {_targets(calls, names)}"
    yield f"{moment(timeline.end)}  {timeline.why}" if timeline.end else f"then: {timeline.why}"


def _targets(calls: list[Foreseen], names: Mapping[str, str]) -> str:
    shown = [names.get(call.target, call.target) for call in calls[:MOST_NAMES]]
    more = f" and {len(calls) - MOST_NAMES} more" if len(calls) > MOST_NAMES else ""
    return ", ".join(shown) + more


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    snapshot = diagnosis.snapshot
    return {
        "account": snapshot.account,
        "region": snapshot.region,
        "cluster_id": snapshot.cluster_id,
        "read_at": snapshot.at,
        "cause": diagnosis.cause.name.lower(),
        "sentence": diagnosis.cause,
        "cluster": _cluster(diagnosis),
        "key_stores": [
            {"id": s.key_store_id, "name": s.name, "state": s.state, "error": s.error}
            for s in snapshot.key_stores
        ],
        "keys": [_key(key) for key in snapshot.keys],
        "keys_seen": snapshot.keys_seen,
        "other_use": {
            "hsms": [asdict(hsm) for hsm in snapshot.other_use.hsms],
            "interfaces": snapshot.other_use.interfaces,
        },
        "siblings": [c.cluster_id for c in snapshot.siblings],
        "unread": snapshot.unread,
        "ways_out": [_way(way, diagnosis.timelines.get(way.remedy)) for way in diagnosis.ways],
    }


def _cluster(diagnosis: Diagnosis) -> dict[str, Any] | None:
    cluster = diagnosis.snapshot.cluster
    if cluster is None:
        return None
    newest = cluster.newest_backup
    return {
        "state": cluster.state,
        "hsms": [{"id": h.hsm_id, "state": h.state, "zone": h.zone} for h in cluster.hsms],
        "newest_backup": newest.backup_id if newest else None,
        "daily_cost": round(daily_cost(diagnosis.snapshot, diagnosis.policy), 2),
        "tags": dict(cluster.tags),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "aliases": key.aliases,
        "state": key.state,
        "created_at": key.created_at,
        "last_used_at": key.last_use.at,
        "last_use": _use(key),
        "grants": key.grants,
        "deletion_date": key.deletion_date,
        "unread": key.unread,
    }


def _way(way: WayOut, timeline: Forecast | None) -> dict[str, Any]:
    terms = way.plan.terms if way.plan else None
    return {
        "remedy": way.remedy,
        "is_open": way.is_open,
        "impossible": way.impossible,
        "gates": [
            {
                "check": g.check,
                "found": g.found,
                "helps": for_a_shell(g.helps),
                "can_override": g.can_override,
            }
            for g in way.gates
        ],
        "people": terms.people if terms else None,
        "reasons": terms.reasons if terms else (),
        "override": terms.override if terms else None,
        "forecast": {
            "calls": [
                {"at": c.at, "operation": c.operation, "target": c.target} for c in timeline.calls
            ],
            "end": timeline.end,
            "why": timeline.why,
        }
        if timeline
        else None,
    }

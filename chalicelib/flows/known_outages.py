"""What is remembered of key stores that are down, so that each outage has one case, whoever told of it first.

A case that somebody closed while the store is down stays the one that told of it.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.rules.hearing import KnownOutage, broken
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Ports

ENDED = frozenset({Outcome.RESOLVED, Outcome.RESCUED})
"""The case saw its store serve again: what is down now is another outage."""


def remember(ports: Ports, seen: Snapshot, key_store_id: str, case_id: str) -> None:
    """An event told of it: the sweep need not. If it can't be noted now, the next sweep finds the case open."""
    why = next(
        (w for s, w in broken(seen.key_stores, seen.siblings) if s.key_store_id == key_store_id),
        None,
    )
    if why is None:
        return
    where = (seen.account, seen.region)
    try:
        known = ports.cases.outages(*where)
        outage = known.get(key_store_id)
        if outage is None or not outage.goes_on(why) or has_ended(ports, outage):
            outage = KnownOutage(ports.clock(), why)
        told = replace(outage, why=why, case_id=case_id)
        if told != known.get(key_store_id):
            ports.cases.set_outages(*where, {**known, key_store_id: told})
    except (TemporaryError, PermanentError) as trouble:
        ports.log("outage not remembered", case_id=case_id, why=trouble.reason)


def has_ended(ports: Ports, outage: KnownOutage) -> bool:
    """The case that told of it saw its end. One that nobody can read any more saw none."""
    if not outage.case_id:
        return False
    try:
        return ports.cases.load(outage.case_id).outcome in ENDED
    except (KeyError, PermanentError):
        return False

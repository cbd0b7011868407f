"""What the sweep finds that no event told: calls that were never delivered, and stores that broke in silence.

AWS sends no event when the connection of a key store fails later. Reads two lists and CloudTrail's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.hearing import Heard, KnownOutage, broken, trigger_of
from chalicelib.domain.rules.outage import Outage
from chalicelib.domain.state.caller import Caller
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.snapshot import KeyStore, Snapshot
from chalicelib.domain.state.trigger import Trigger
from chalicelib.failures import TemporaryError
from chalicelib.flows.hear import hear
from chalicelib.flows.known_outages import has_ended
from chalicelib.flows.open_case import open_case
from chalicelib.flows.outlines import Outlines
from chalicelib.ports import CaseTrigger, Opened, Ports

FIRST_LOOK = timedelta(hours=24)
MEMORY = timedelta(days=89)
OVERLAP = timedelta(minutes=30)
"""CloudTrail delivers late and out of order; an event that is found twice changes nothing."""
ON_STORES = ("CreateCustomKeyStore", "DeleteCustomKeyStore", "ConnectCustomKeyStore")
SWEEP = "Sweep"
"""Kind of the caller of what the sweep found by itself: nobody is known to have made it."""
Down = tuple[KeyStore, Outage]
NOBODY = Caller("", "nobody known", SWEEP)


def find_missed(ports: Ports, outlines: Outlines, account: str, region: str) -> int:
    """How many cases are new. A call that can't be placed now is looked for again by the next sweep."""
    now = ports.clock()
    last = ports.cases.looked_until(account, region) or _first_look(ports, account, region, now)
    since = max(last - OVERLAP, now - MEMORY)
    seen = outlines.look(account, region)
    down = broken(seen.key_stores, seen.siblings) if seen else ()
    calls = ports.trail.calls(account, region, since=since, names=_names(seen, down))
    opened: list[Opened | str | TemporaryError | None]
    opened = [_opened(ports, call, seen) for call in calls]
    if seen is not None:
        opened += _silent(ports, seen, down, now)
    if not any(isinstance(one, TemporaryError) for one in opened):
        ports.cases.set_looked(account, region, now)
    return sum(1 for one in opened if isinstance(one, Opened) and one.is_new)


def _first_look(ports: Ports, account: str, region: str, now: datetime) -> datetime:
    """Noted before it is made: however often it fails, the one that succeeds looks as far back."""
    since = now - FIRST_LOOK
    ports.cases.set_looked(account, region, since)
    return since


def _names(seen: Snapshot | None, down: tuple[Down, ...]) -> tuple[str, ...]:
    """CloudTrail takes one name a request, two requests a second: no store, nothing to ask of stores."""
    on_stores = ON_STORES if seen is None or seen.key_stores else ()
    is_lost = any(trigger_of(why) is Trigger.CLUSTER_LOST for _, why in down)
    return ("DeleteCluster", *on_stores, *(("DeleteHsm",) if is_lost else ()))


def _opened(
    ports: Ports, call: CaseTrigger | Heard, seen: Snapshot | None
) -> Opened | str | TemporaryError | None:
    if isinstance(call, CaseTrigger):
        return open_case(ports, call)
    try:
        return hear(ports, call, seen=seen)
    except TemporaryError as trouble:
        return trouble


def _silent(ports: Ports, seen: Snapshot, down: tuple[Down, ...], now: datetime) -> list[Opened]:
    """A case for each store that is down and that no case tells of."""
    where = (seen.account, seen.region)
    known = ports.cases.outages(*where)
    outages = _outages(ports, where, down, known, now) if down or known else {}
    if outages != known:
        ports.cases.set_outages(*where, outages)
    untold = [store for store, _ in down if not outages[store.key_store_id].case_id]
    found = []
    for store in untold:
        outage = outages[store.key_store_id]
        opened = open_case(ports, _trigger(where, store, outage, now))
        if opened:
            found.append(opened)
            outages[store.key_store_id] = replace(outage, case_id=opened.case_id)
    if found:
        ports.cases.set_outages(*where, outages)
    return found


def _outages(
    ports: Ports,
    where: tuple[str, str],
    down: tuple[Down, ...],
    known: Mapping[str, KnownOutage],
    now: datetime,
) -> dict[str, KnownOutage]:
    """What is known of them now. An open case tells of its store; one that saw the end tells of no other."""
    held = {
        p.cluster_id: p.case_id for p in ports.cases.pointers() if (p.account, p.region) == where
    }
    outages = {}
    for store, why in down:
        outage = known.get(store.key_store_id)
        if outage is None or not outage.goes_on(why) or has_ended(ports, outage):
            outage = KnownOutage(now, why)
        case_id = held.get(store.cluster_id, outage.case_id)
        outages[store.key_store_id] = replace(outage, why=why, case_id=case_id)
    return outages


def _trigger(
    where: tuple[str, str], store: KeyStore, outage: KnownOutage, now: datetime
) -> CaseTrigger:
    assert outage.why is not None, "it is down now"
    attempt = Attempt(
        f"sweep-{store.key_store_id}-{outage.since:%Y%m%dT%H%M%S}",
        now,
        store.error,
        NOBODY,
        trigger_of(outage.why),
        operation="",
        key_store_id=store.key_store_id,
    )
    return CaseTrigger(*where, store.cluster_id, attempt)

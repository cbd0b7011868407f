"""A call on a key store that AWS refused, or a loss: which cluster it is about, and its case. Reads two lists."""

from __future__ import annotations

from chalicelib.domain.rules.hearing import Heard, placed
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import TemporaryError
from chalicelib.flows.known_outages import remember
from chalicelib.flows.open_case import open_case
from chalicelib.ports import CaseTrigger, Opened, Ports

NOT_SERVED = "its account is not served"


def hear(ports: Ports, heard: Heard, *, seen: Snapshot | None = None) -> Opened | str:
    """The case that holds the call now, or why there is none. TemporaryError: AWS can't be read now.

    `seen` is a look at the place, if there is one already. Safe to repeat: see open_case.
    """
    if heard.account not in ports.accounts:
        return _refused(ports, heard, NOT_SERVED)
    if seen is None:
        seen = ports.inventory.outline(heard.account, heard.region, now=ports.clock())
    if seen.unread:
        raise TemporaryError(f"AWS does not tell what it is about: {seen.unread[0]}")
    found = placed(heard, stores=seen.key_stores, clusters=seen.siblings)
    if found.attempt is None:
        return _refused(ports, heard, found.why)
    trigger = CaseTrigger(heard.account, heard.region, found.cluster_id, found.attempt)
    opened = open_case(ports, trigger)
    if opened is None:
        return NOT_SERVED
    if found.attempt.trigger.is_outage:
        remember(ports, seen, found.attempt.key_store_id, opened.case_id)
    return opened


def _refused(ports: Ports, heard: Heard, why: str) -> str:
    where = {"account": heard.account, "region": heard.region}
    ports.log("event refused", reason=why, operation=heard.attempt.operation, **where)
    return why

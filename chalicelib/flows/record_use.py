"""A failed use of a key: the case that switched it off, or that its key store is down for, is told and wakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.domain.rules.switched_off import off_since
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.failures import PermanentError
from chalicelib.ports import Ports


def record_use(ports: Ports, use: KeyUse, *, account: str, region: str) -> tuple[str, ...]:
    """The cases that hear of it now. Each event is recorded and heard once, however often it comes."""
    told = []
    for case in cases_in(ports, account, region):
        if _concerns(case, use):
            _tell(ports, case, use)
            told.append(case.case_id)
    return tuple(told)


def cases_in(ports: Ports, account: str, region: str) -> Iterator[Case]:
    """The open and kept cases of a place; one that nobody can read keeps no other from being told."""
    for pointer in ports.cases.pointers():
        if (pointer.account, pointer.region) != (account, region):
            continue
        try:
            case = ports.cases.load(pointer.case_id)
        except (KeyError, PermanentError) as trouble:
            ports.log("case not read", case_id=pointer.case_id, why=str(trouble))
        else:
            yield case


def _concerns(case: Case, use: KeyUse) -> bool:
    """We switched the key off, or its store is down; and no turn has heard of this use yet."""
    stores = {a.key_store_id for a in case.attempts if a.trigger.is_outage} - {""}
    concerned = use.key_id in off_since(case) or use.key_store_id in stores
    return concerned and not _is_among(case.key_uses[: case.uses_seen], use)


def _is_among(known: Iterable[KeyUse], use: KeyUse) -> bool:
    """Of the same event and key: one event may name two keys."""
    return any((one.event_id, one.key_id) == (use.event_id, use.key_id) for one in known)


def _tell(ports: Ports, case: Case, use: KeyUse) -> None:
    """Also if it was recorded before: whoever did may have died before the wake."""
    is_new = not _is_among(case.key_uses, use)
    token = ports.cases.record_use(case.case_id, use)
    ports.log("key used", case_id=case.case_id, key=use.key_id, who=use.who)
    ports.count("KeysUsedWhileOff", int(is_new))
    if token:
        ports.runs.wake(token)

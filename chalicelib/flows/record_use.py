"""A failed use of a key: the case that switched it off, or that its key store is down for, is told and wakes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from chalicelib.domain.rules.key_uses import is_among, is_repeat, is_worth_keeping
from chalicelib.domain.rules.switched_off import off_since
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.failures import PermanentError
from chalicelib.ports import Ports

REMEMBERED = timedelta(minutes=5)
MOST_REMEMBERED = 10_000


def record_use(ports: Ports, use: KeyUse, *, account: str, region: str) -> tuple[str, ...]:
    """The cases that hear of it now. Each event is recorded and heard once, however often it comes.

    A storm of uses by callers that a case knows of is not read and written use by use: for some minutes a
    function remembers that a further one of this key by this caller tells nothing new.
    """
    now, spot = ports.clock(), (account, region, use.who, use.key_id)
    since, told = ports.repeats.get(spot, (now - REMEMBERED, ()))
    if now - since < REMEMBERED:
        return told
    concerned = [case for case in cases_in(ports, account, region) if _concerns(case, use)]
    for case in concerned:
        _tell(ports, case, use)
    told = tuple(case.case_id for case in concerned)
    if told and all(_is_repeat(case, use) for case in concerned):
        if len(ports.repeats) >= MOST_REMEMBERED:
            ports.repeats.clear()
        ports.repeats[spot] = now, told
    return told


def cases_in(ports: Ports, account: str, region: str) -> Iterator[Case]:
    """The open and kept cases of a place; one that nobody can read keeps no other from being told."""
    for pointer in ports.cases.pointers((account, region)):
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
    return concerned and not is_among(use, case.key_uses[: case.uses_seen])


def _is_repeat(case: Case, use: KeyUse) -> bool:
    return is_repeat(use, case.key_uses, waiting=_waiting(case))


def _waiting(case: Case) -> int:
    """Uses that no turn has heard yet: while there are, its run is awake, or woken by the sweep."""
    return len(case.key_uses) - case.uses_seen


def _tell(ports: Ports, case: Case, use: KeyUse) -> None:
    """Also if it was recorded before: whoever did may have died before the wake."""
    is_new = not is_among(use, case.key_uses)
    if is_new and not is_worth_keeping(use, case.key_uses, waiting=_waiting(case)):
        return
    token = ports.cases.record_use(case.case_id, use) if is_new else case.token
    ports.log("key used", case_id=case.case_id, key=use.key_id, who=use.who)
    ports.count("KeysUsedWhileOff", int(is_new))
    if token:
        ports.runs.wake(token)

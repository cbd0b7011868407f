"""A failed use of a key: if one of our cases switched it off, the case is told and wakes."""

from __future__ import annotations

from chalicelib.domain.case import KeyUse
from chalicelib.domain.plan import Operation
from chalicelib.ports import Ports

SWITCHES_OFF = (Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY)


def record_use(ports: Ports, use: KeyUse, *, account: str, region: str) -> tuple[str, ...]:
    """The cases that were told. Each event is recorded once, however often it comes."""
    told = []
    for pointer in ports.cases.pointers():
        if (pointer.account, pointer.region) != (account, region):
            continue
        case = ports.cases.load(pointer.case_id)
        if not any(case.tried(operation, use.key_id) for operation in SWITCHES_OFF):
            continue
        token = ports.cases.record_use(case.case_id, use)
        ports.log("key used", case_id=case.case_id, key=use.key_id, who=use.who)
        ports.count("KeysUsedWhileOff", 1)
        if token:
            ports.runs.wake(token)
        told.append(case.case_id)
    return tuple(told)

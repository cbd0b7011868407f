"""A failed use of a key that no case knows of: if its key store is really down, that is a case. One a store."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.rules.hearing import Heard
from chalicelib.domain.state.case import Case, KeyUse
from chalicelib.flows.hear import hear
from chalicelib.flows.record_use import cases_in, record_use
from chalicelib.ports import Opened, Ports


def hear_use(ports: Ports, heard: Heard, uses: Iterable[KeyUse]) -> Opened | None:
    """The case of its store, which then knows of the use; None if the store serves, or we have it off."""
    if _is_off_by_us(ports, heard):
        return None
    opened = hear(ports, heard)
    if isinstance(opened, str):
        return None
    for use in uses:
        record_use(ports, use, account=heard.account, region=heard.region)
    return opened


def _is_off_by_us(ports: Ports, heard: Heard) -> bool:
    """A plan of ours is at the store: whoever approved it knew what would fail."""
    cases = cases_in(ports, heard.account, heard.region)
    return any(_is_at(case, heard.attempt.key_store_id) for case in cases)


def _is_at(case: Case, key_store_id: str) -> bool:
    plan = case.plan or (case.last_plan if case.ending else None)
    return plan is not None and plan.key_store_id == key_store_id

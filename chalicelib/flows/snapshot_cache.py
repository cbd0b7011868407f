"""The last look at a store of many keys, which takes minutes to repeat. Nothing is ever done on it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.rules.polling import fresh_for
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.turn_ports import TurnPorts

SHOWS = frozenset({Act.LOOK, Act.APPROVE, Act.WITHDRAW, Act.CONFIRM})


def may_be_enough(case: Case) -> bool:
    """Nothing has happened since but that people looked and decided, and no plan is under way."""
    acts = {click.act for click in case.new_clicks}
    return bool(acts) and acts <= SHOWS and not case.is_closed and case.plan is None


def last_look(ports: TurnPorts, case: Case, now: datetime) -> Snapshot | None:
    """None if there is none, or if it is older than its number of keys allows."""
    try:
        seen = ports.cases.last_look(case.case_id)
    except (TemporaryError, PermanentError) as trouble:
        ports.log("last look not read", case_id=case.case_id, why=trouble.reason)
        return None
    if seen is None or now - seen.at > fresh_for(len(seen.keys)):
        return None
    return seen


def keep_look(ports: TurnPorts, case: Case, seen: Snapshot) -> None:
    """A convenience: if it can't be kept, dialogs wait for a new look."""
    if not seen.is_complete or not fresh_for(len(seen.keys)):
        return
    try:
        ports.cases.keep_look(case.case_id, seen)
    except (TemporaryError, PermanentError) as trouble:
        ports.log("look not kept", case_id=case.case_id, why=trouble.reason)

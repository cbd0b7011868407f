"""The end of a case that nobody but who asked for it by hand knows of, and whose place AWS never answers for."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.rules.endings import closed_by
from chalicelib.domain.rules.gone import was_never_read
from chalicelib.domain.rules.step import Close
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import Case, Outcome
from chalicelib.failures import TemporaryError
from chalicelib.flows.turn_ports import TurnPorts


def given_up(
    ports: TurnPorts, case: Case, entries: Sequence[Entry], trouble: TemporaryError
) -> Case | None:
    """The case closed and saved; None while AWS may only be away. A Region that is spelled wrong has no end."""
    now, hours = ports.clock(), ports.policy.expiry_hours
    if not was_never_read(case, now, hours=hours):
        return None
    why = trouble.reason.removesuffix(".")
    end = Close(Outcome.EXPLAINED, f"AWS did not answer there for {hours} hours ({why}).")
    told = entry(Kind.CLOSED, now, outcome=end.outcome, reason=end.reason)
    ports.count(f"CasesClosed_{end.outcome}", 1)
    return ports.cases.save(closed_by(case, end, now), [*entries, told])

"""A trigger becomes a case with a run, or raises the counter of the one that is open."""

from __future__ import annotations

from chalicelib.ports import CaseTrigger, Opened, Ports


def open_case(ports: Ports, trigger: CaseTrigger) -> Opened | None:
    """The case that holds the call now; None if its account is not served.

    Safe to repeat at any point: the event's id and the run's name are each used once.
    """
    if trigger.account not in ports.accounts:
        ports.log("event refused", reason="its account is not served", account=trigger.account)
        return None
    opened = ports.cases.open_or_fold(trigger, now=ports.clock())
    if opened.is_gone:
        ports.log("event heard before, its case is gone", case_id=opened.case_id)
        return opened
    ports.log("case opened" if opened.is_new else "attempt folded", case_id=opened.case_id)
    ports.runs.start(opened.case_id, opened.generation)
    if opened.token:
        ports.runs.wake(opened.token)
    if opened.is_new:
        ports.count("CasesOpened", 1)
    return opened

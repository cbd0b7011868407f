"""A click goes into the case's inbox, and the run hears of it. The one way in, from Slack and from a shell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chalicelib.domain.rules.clicks import is_asked_already, reopens
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Ports, Woken


def record_and_wake(ports: Ports, case: Case, click: Click) -> str:
    """Why the run could not be woken; "" if it was. Raises ConflictError if the case moved on.

    What was asked for already only wakes the run: whoever asked may have died before that. The run wakes
    while the click is written: a turn that looks too early can't save, or can't go to sleep, and looks again.
    """
    anew = reopens(case, click.act)
    waking = _waking(ports, "" if anew else case.token)
    if not anew and is_asked_already(case, click):
        woken = Woken(ports.cases.touch(case.case_id), case.generation)
    else:
        woken = ports.cases.record_click(case, click, reopen=anew)
        if click.act is Act.APPROVE:
            ports.count("Approvals", 1)
    ports.log("click", case_id=case.case_id, by=click.by, act=click.act)
    try:
        if woken.generation != case.generation:
            ports.runs.start(case.case_id, woken.generation)
        elif woken.token == case.token:
            waking()
        else:  # it slept again since it was read
            _waking(ports, woken.token)()
    except (TemporaryError, PermanentError) as trouble:
        # The click is in the case: the run hears it at its next look, or the sweep sees to it.
        ports.log("run not woken", case_id=case.case_id, why=trouble.reason)
        return trouble.reason.rstrip(".")
    return ""


def _waking(ports: Ports, token: str) -> Callable[[], None]:
    """Begins to wake the run that sleeps on this token, if there is one."""
    return ports.aside(partial(ports.runs.wake, token)) if token else _nobody


def _nobody() -> None:
    """No run sleeps."""

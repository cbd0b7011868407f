"""Which keys a case switched off: their failed uses are its concern. Knows what we called, not what AWS shows."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.state.case import CallStatus, Case
from chalicelib.domain.state.plan import Operation

SWITCHES_OFF = (Operation.SCHEDULE_KEY_DELETION, Operation.DISABLE_KEY)
BRINGS_BACK = (Operation.CANCEL_KEY_DELETION, Operation.ENABLE_KEY)


def off_since(case: Case) -> dict[str, datetime]:
    """The keys that we scheduled or disabled, or may have, and did not bring back later; and since when."""
    back = {
        call.target: call.at
        for call in case.calls
        if call.operation in BRINGS_BACK and call.status is CallStatus.DONE
    }
    off: dict[str, datetime] = {}
    for call in case.calls:
        is_off = call.operation in SWITCHES_OFF and call.status is not CallStatus.REFUSED
        if is_off and back.get(call.target, call.at) <= call.at:
            off[call.target] = min(call.at, off.get(call.target, call.at))
    return off

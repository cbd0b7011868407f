"""Open cases whose store, HSMs or cluster others have changed since the last look: the sweep wakes them.

Changes nothing in AWS.
"""

from __future__ import annotations

from chalicelib.domain.observe import seen_in
from chalicelib.domain.state.case import Case
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.flows.outlines import Outlines
from chalicelib.ports import Ports


def wake_if_moved(ports: Ports, outlines: Outlines, case: Case) -> bool:
    """True if the world is not as the case last saw it; its run then looks at once."""
    if case.is_over or case.seen is None:
        return False
    seen = outlines.look(case.account, case.region)
    if seen is None or seen_in(case, seen.siblings, seen.key_stores) == case.seen:
        return False
    try:
        token = ports.cases.touch(case.case_id)
        if token:
            ports.runs.wake(token)
    except (TemporaryError, PermanentError, ConflictError) as trouble:
        ports.log("case not woken", case_id=case.case_id, why=str(trouble))
        return False
    ports.log("others changed something", case_id=case.case_id)
    return True

"""Who looks after the keys is asked of AWS once a case. Trouble with it is never “nobody”, and holds up nothing."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.state.case import Case
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.ports import Ports


def with_owners(ports: Ports, case: Case) -> Case:
    """The case with what the tags of its keys say, once all its keys were seen; until then it is not known."""
    seen = case.snapshot
    if case.key_owners is not None or seen is None or seen.unread or not seen.keys:
        return case
    try:
        return replace(case, key_owners=ports.key_owners(case))
    except (TemporaryError, PermanentError) as trouble:
        ports.log("owners of keys not read", case_id=case.case_id, why=trouble.reason)
        return case

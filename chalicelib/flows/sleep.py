"""A run goes to sleep: its task token is kept with the case, unless something happened meanwhile."""

from __future__ import annotations

from chalicelib.ports import UNFENCED, Ports


def sleep(ports: Ports, case_id: str, *, version: int, token: str) -> bool:
    """True if the run sleeps. If the case moved on since the turn, the token goes back at once."""
    if version == UNFENCED:
        # Going back at once would turn on the spot, for as long as the inbox is spoilt.
        return True
    asleep = ports.cases.sleep(case_id, version=version, token=token)
    if not asleep:
        ports.runs.wake(token)
    return asleep

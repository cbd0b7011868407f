"""The ports as a turn has them: its cases are the ones that it alone may write."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.ports import Ports, TurnCases


@dataclass(frozen=True)
class TurnPorts(Ports):
    cases: TurnCases


def turn_ports(ports: Ports, cases: TurnCases) -> TurnPorts:
    """All others as they are."""
    return TurnPorts(**{**vars(ports), "cases": cases})

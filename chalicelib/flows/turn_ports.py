"""The ports as a turn has them: its cases are the ones that it alone may write."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.ports import Ports, TurnCases


@dataclass(frozen=True)
class TurnPorts(Ports):
    cases: TurnCases


def turn_ports(ports: Ports, cases: TurnCases) -> TurnPorts:
    return TurnPorts(
        cases=cases,
        for_turn=ports.for_turn,
        inventory=ports.inventory,
        actions=ports.actions,
        runs=ports.runs,
        people=ports.people,
        brake=ports.brake,
        gateway=ports.gateway,
        trail=ports.trail,
        policy=ports.policy,
        clock=ports.clock,
        places=ports.places,
        channel=ports.channel,
        routes=ports.routes,
        changed=ports.changed,
        count=ports.count,
        log=ports.log,
        aside=ports.aside,
    )

"""The ports as the route of a case has them: its channel, who approves there, and how many. Writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from chalicelib.domain.rules.routes import everybody, route_of, routed
from chalicelib.domain.state.case import Case
from chalicelib.failures import PermanentError
from chalicelib.ports import Gateway, Ports

P = TypeVar("P", bound=Ports)


def for_case(ports: P, case: Case) -> P:
    """The same ports if no rule fits."""
    route = route_of(ports.routes, case.account, case.region, case.route_tags or ())
    if route is None:
        return ports
    policy, channel = routed(ports.policy, route), route.channel or ports.channel
    return replace(
        ports,
        policy=policy,
        channel=channel,
        people=ports.people.among(policy.approvers),
        gateway=ports.gateway.at(channel, policy),
    )


def gateway_of(ports: Ports, case_id: str) -> Gateway:
    """Of the case’s route; the settings’ if there is no such case."""
    try:
        return for_case(ports, ports.cases.load(case_id)).gateway
    except KeyError:
        return ports.gateway


def for_anybody(ports: P) -> P:
    """If no case is meant yet: whoever may decide somewhere counts."""
    if not ports.routes:
        return ports
    approvers = everybody(ports.routes, ports.policy)
    policy = replace(ports.policy, approvers=approvers)
    return replace(ports, policy=policy, people=ports.people.among(approvers))


def tagged(ports: Ports, case: Case) -> Case:
    """The case with the tags that its cluster had at the first look, for good."""
    if case.route_tags is not None or not any(route.tags for route in ports.routes):
        return case
    if case.snapshot and case.snapshot.cluster:
        return replace(case, route_tags=case.snapshot.cluster.tags)
    try:
        seen = ports.inventory.outline(case.account, case.region, now=ports.clock())
    except PermanentError:  # said by the turn's own look; until then the settings decide
        return case
    ours = next((one for one in seen.siblings if one.cluster_id == case.cluster_id), None)
    return replace(case, route_tags=ours.tags if ours else ())

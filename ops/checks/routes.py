"""The routes of this checkout: does each channel take messages, and can enough people approve there? Posts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib import config
from chalicelib.config import BadSettingsError
from chalicelib.domain.rules.routes import Route, routed
from ops.checks import chat
from ops.checks.finding import Finding
from ops.hub import Hub

DO = "Correct routes.yaml, and deploy"


def all_of_them(hub: Hub) -> Iterator[Finding]:
    """That they are what is deployed is said of the code as a whole."""
    try:
        routes = config.routes()
    except BadSettingsError as error:
        yield Finding("routes", False, str(error), DO)
        return
    if not routes:
        yield Finding("routes", True, "none: all cases go by the settings")
    for route in routes:
        yield from _of(hub, route)


def _of(hub: Hub, route: Route) -> Iterator[Finding]:
    what = f"route {route.name}"
    if route.channel:
        yield from chat.channel_is_fit(hub, route.channel, what)
    policy = routed(hub.settings.policy(), route)
    strict = max(policy.quorum_irreversible, policy.quorum_reversible)
    if route.approvers or strict > hub.settings.quorum_irreversible:
        yield from chat.enough_can_approve(hub, policy, what)
    elif not route.channel:
        yield Finding(what, True, "fits the settings")

"""`routes.yaml`: which cases go to which channel and people. Checks it, and writes the copy that is deployed with the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from chalicelib.config import Settings
from chalicelib.domain.rules.routes import BadRoutesError, Route, route_of, routes_from
from chalicelib.domain.state.case import Case
from ops.console import YELLOW, Console
from ops.deployment.ids import ACCOUNT, OF_AWS, OF_SLACK
from ops.errors import OperatorError
from ops.hub import Hub

FILE, COPY = "routes.yaml", Path("chalicelib") / "routes.json"
IDS = {
    "accounts": (ACCOUNT, "12 digits, in quotes"),
    "regions": OF_AWS["REGIONS"],
    "channel": OF_SLACK["SLACK_CHANNEL"],
    "approvers": OF_SLACK["APPROVERS"],
    "mention": (rf"approvers|nobody|{OF_SLACK['APPROVERS'][0]}", "approvers, nobody, or ids"),
}


def prepared(project: Path) -> tuple[Route, ...]:
    """The rules of this project, written for the functions. Without a file there are none.

    Raises OperatorError, and leaves the copy as it is, if the file can’t be meant.
    """
    file, copy = project / FILE, project / COPY
    if not file.exists():
        copy.unlink(missing_ok=True)
        return ()
    told = _read(file)
    try:
        routes = routes_from(told)
    except BadRoutesError as error:
        raise OperatorError(f"{FILE} can’t be used: {error}.", _ADVICE) from error
    wrong = list(_wrong_ids(routes))
    if wrong:
        raise OperatorError(f"{FILE} can’t be used: {'; '.join(wrong)}.", _ADVICE)
    copy.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return routes


_ADVICE = "infra/example.routes.yaml shows each word"


def _read(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = str(error).replace("\n", " ")
        raise OperatorError(f"{FILE} is no YAML: {line}", _ADVICE) from error


def _wrong_ids(routes: tuple[Route, ...]) -> Iterator[str]:
    for route in routes:
        for name, (pattern, like) in IDS.items():
            value = getattr(route, name)
            for one in [value] if isinstance(value, str) else value:
                if one and not re.fullmatch(pattern, one):
                    yield f"{route.name}: {name}: {one} is not right: {like}"


def effects(hub: Hub, routes: tuple[Route, ...], settings: Settings) -> Iterator[str]:
    """A sentence for each open case that goes to another channel or other people."""
    for pointer in hub.cases.pointers():
        case = hub.cases.load(pointer.case_id)
        said = list(_effects(case, routes, settings))
        if said:
            yield f"{case.case_id} ({case.cluster_id}): {', '.join(said)}"


def _effects(case: Case, routes: tuple[Route, ...], settings: Settings) -> Iterator[str]:
    tags = case.route_tags
    if tags is None:  # no rule asked for tags until now: its next turn remembers those that it saw
        tags = case.snapshot.cluster.tags if case.snapshot and case.snapshot.cluster else ()
    route = route_of(routes, case.account, case.region, tags)
    channel = (route.channel if route else "") or settings.slack_channel
    if case.message.channel and channel and channel != case.message.channel:
        yield f"moves from {case.message.channel} to {channel}"
    plans = [plan for plan in (case.plan, *case.offers) if plan]
    before = {plan.terms.route for plan in plans}
    after = route.name if route else ""
    if plans and before != {after}:
        asks = "; its approvals no longer count, and it asks again" if case.approved else ""
        yield f"goes by {after or 'the settings'}, not {', '.join(sorted(before)) or 'the settings'}{asks}"


def show(said: list[str], screen: Console) -> None:
    if said:
        screen.line("Open cases that the routes change:", colour=YELLOW)
        for line in said:
            screen.line(f"  {line}")

"""From a file to a scenario that can be played, or to sentences about why it can't be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib.config import value_of
from chalicelib.domain.rules.routes import BadRoutesError, routes_from
from sandbox.scenario.document import Document, Place, Problem, UnusableError, read_document
from sandbox.scenario.model import (
    DEFAULT_NOW,
    HUB,
    TEAM,
    Item,
    Scenario,
    complete_world,
    parse_moment,
    settings_text,
)
from sandbox.scenario.references import find_loose_ends
from sandbox.scenario.schema import find_problems

ROUTES = "routes"
NOTHING = {"advance": "0s"}  # a play that is none


def load(path: Path) -> Scenario:
    """Raises UnusableError, with every line at fault, if the file can't be played."""
    return _checked(path, read_document(path))


def load_world(path: Path) -> Scenario:
    """The same of a file that may also hold a world alone, as `world:` or as the parts of one."""
    document = read_document(path)
    if isinstance(document.value, dict) and "play" not in document.value:
        document = document if "world" in document.value else document.within("world")
        document = Document({**document.value, "play": [NOTHING]}, document.root)
    return _checked(path, document)


def _checked(path: Path, document: Document) -> Scenario:
    problems = find_problems(document) or [
        *_wrong_moment(document),
        *_wrong_settings(document),
        *_wrong_routes(document),
        *_teams_twice(document),
        *find_loose_ends(document, accounts_of(document.value), path.parent),
    ]
    if problems:
        raise UnusableError(path, problems)
    return _scenario(path, document)


def accounts_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that the file lists, else those that its clusters name, else one."""
    if "accounts" in raw:
        return tuple(raw["accounts"])
    clusters = raw.get("world", {}).get("clusters", [])
    named = dict.fromkeys(str(c["account"]) for c in clusters if "account" in c)
    return tuple(named) or (HUB,)


def _wrong_moment(document: Document) -> Iterator[Problem]:
    text = document.value.get("now")
    try:
        if text is not None:
            parse_moment(text)
    except ValueError:
        reason = f"now: {text!r} is no moment such as 2026-03-02T09:00:00Z"
        yield Problem(document.line(["now"]), reason)


def _wrong_settings(document: Document) -> Iterator[Problem]:
    """Values that the bot would refuse to start with."""
    for name, value in _settings(document.value).items():
        text = settings_text(value)
        try:
            if text:
                value_of(name, text)
        except ValueError as error:
            yield Problem(document.line(["config", name]), f"config.{name}: {error}")


def _settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What `config` says of settings; routes are none: they are deployed beside the code."""
    return {name: value for name, value in raw.get("config", {}).items() if name != ROUTES}


def _wrong_routes(document: Document) -> Iterator[Problem]:
    """Rules that `unlatch deploy` would refuse."""
    given: list[tuple[Place, Any]] = [
        (["config", ROUTES], document.value.get("config", {}).get(ROUTES))
    ]
    for step, item in enumerate(document.value["play"]):
        given.append((["play", step, "deploy", ROUTES], item.get("deploy", {}).get(ROUTES)))
    for place, rules in given:
        try:
            routes_from({ROUTES: rules or []})
        except BadRoutesError as error:
            yield Problem(document.line(place), f"routes: {error}")


def _teams_twice(document: Document) -> Iterator[Problem]:
    raw = document.value
    if "team_ids" in raw.get("slack", {}) and "slack_team_ids" in raw.get("config", {}):
        line = document.line(["slack", "team_ids"])
        yield Problem(line, "slack.team_ids: config.slack_team_ids says it as well; keep one")


def _scenario(path: Path, document: Document) -> Scenario:
    raw = document.value
    accounts = accounts_of(raw)
    return Scenario(
        path=path,
        title=raw.get("title", path.stem),
        now=parse_moment(raw["now"]) if "now" in raw else DEFAULT_NOW,
        blocked_by=raw.get("blocked_by", "key_store"),
        config={name: settings_text(value) for name, value in _settings(raw).items()},
        routes=tuple(raw.get("config", {}).get(ROUTES, ())),
        accounts=accounts,
        world=complete_world(raw.get("world", {}), accounts),
        people={name: person or {} for name, person in raw.get("people", {}).items()},
        play=tuple(_items(document)),
        faults=tuple(raw.get("faults", ())),
        expect=raw.get("expect", {}),
        team_ids=tuple(raw.get("slack", {}).get("team_ids", (TEAM,))),
    )


def _items(document: Document) -> Iterator[Item]:
    for step, item in enumerate(document.value["play"]):
        ((act, value),) = item.items()
        yield Item(step, document.line(["play", step]), act, value)

"""A scenario as plain values, every optional part filled in. Knows nothing of how it is played."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

HUB = "111122223333"
TEAM = "T0UNLATCH"
DEFAULT_REGION = "us-east-1"
DEFAULT_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DURATIONS = {"disconnect": "4m", "connect": "10m", "delete_hsm": "6m", "delete_cluster": "3m"}
CLUSTER = {"state": "ACTIVE", "hsms": 2, "tags": {}, "clients": 0, "backups": [{"age": "2h"}]}
KEY = {"aliases": [], "state": "Enabled", "last_used": "never", "grants": 0, "age": "365d"}
NEVER_ACTIVATED = ("UNINITIALIZED", "INITIALIZE_IN_PROGRESS", "INITIALIZED")


@dataclass(frozen=True)
class Item:
    """One thing that happens. `step` is its place in `play`, from 0."""

    step: int
    line: int
    act: str
    value: Any


@dataclass(frozen=True)
class Home:
    """The account and Region that something lives in."""

    account: str
    region: str


@dataclass(frozen=True)
class By:
    """Whoever calls AWS: `name` is ci, a person's, or an ARN."""

    name: str
    source_identity: str | None = None

    @classmethod
    def read(cls, given: str | Mapping[str, str]) -> By:
        if isinstance(given, str):
            return cls(given)
        return cls(given["arn"], given.get("source_identity"))


@dataclass(frozen=True)
class Scenario:
    path: Path
    title: str
    now: datetime
    blocked_by: str
    config: Mapping[str, str]
    accounts: tuple[str, ...]
    world: Mapping[str, Any]
    people: Mapping[str, Mapping[str, Any]]
    play: tuple[Item, ...]
    faults: tuple[Mapping[str, Any], ...] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)
    team_ids: tuple[str, ...] = (TEAM,)
    routes: tuple[Mapping[str, Any], ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """All that its settings, routes and later deployments name."""
        later = [item.value for item in self.play if item.act == "deploy"]
        rules = [*self.routes, *(rule for told in later for rule in told.get("routes", ()))]
        named = [self.config, *later]
        found = [rule.get("channel") for rule in rules]
        found += [one.get("slack_channel") for one in named]
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def regions(self) -> tuple[str, ...]:
        """Those of the clusters, in order."""
        named = dict.fromkeys(str(cluster["region"]) for cluster in self.world["clusters"])
        return tuple(named) or (DEFAULT_REGION,)

    @property
    def approvers(self) -> tuple[str, ...]:
        return tuple(name for name, person in self.people.items() if person.get("approver"))

    @cached_property
    def home_of_cluster(self) -> Mapping[str, Home]:
        return {
            cluster["id"]: Home(cluster["account"], cluster["region"])
            for cluster in self.world["clusters"]
        }

    @cached_property
    def home_of_store(self) -> Mapping[str, Home]:
        return {
            store["id"]: self.home_of_cluster[store["cluster"]]
            for store in self.world["key_stores"]
        }


def parse_moment(text: str) -> datetime:
    """A moment as YAML or ISO 8601 writes it; UTC if it has no offset. Raises ValueError."""
    if re.fullmatch(yaml.constructor.SafeConstructor.timestamp_regexp, text):
        node = yaml.ScalarNode("tag:yaml.org,2002:timestamp", text)
        read = yaml.constructor.SafeConstructor().construct_yaml_timestamp(node)
        moment = read if isinstance(read, datetime) else datetime.combine(read, time(), UTC)
    else:
        moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def complete_world(given: Mapping[str, Any], accounts: tuple[str, ...]) -> dict[str, Any]:
    """The world of a valid scenario with its defaults; the given one stays as it is."""
    world = deepcopy(dict(given))
    for cluster in world.setdefault("clusters", []):
        if cluster.get("state") in NEVER_ACTIVATED:
            cluster.setdefault("backups", [])
        _fill(cluster, CLUSTER | {"account": accounts[0], "region": DEFAULT_REGION})
        _fill(cluster, {"certificate": f"certificate of {cluster['id']}"})
    for store in world.setdefault("key_stores", []):
        _fill(store, {"name": store["id"], "state": "CONNECTED"})
    for key in world.setdefault("keys", []):
        _fill(key, KEY | ({"deletes_in": "30d"} if key.get("state") == "PendingDeletion" else {}))
    world.setdefault("interfaces", [])
    world.setdefault("other_keys", 0)
    world["durations"] = DURATIONS | world.get("durations", {})
    return world


def settings_text(value: Any) -> str:
    """A setting as an environment variable holds it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _fill(part: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for name, value in defaults.items():
        part.setdefault(name, deepcopy(value))


def moment(at: datetime) -> str:
    """UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

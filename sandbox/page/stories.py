"""The stories to choose from: worlds of scenarios, with one cast. Plays none of their acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sandbox.scenario.load import load
from sandbox.scenario.model import Scenario

HERE = Path(__file__).parent
SCENARIOS = HERE.parent / "scenarios"
CAST: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "alice": {"approver": True},
        "bob": {"approver": True},
        "dave": {"approver": True},
        "carol": {},
        "mallory": {"external": True},
    }
)
PLACES = ("approver", "2nd approver", "3rd approver")


@dataclass(frozen=True)
class Story:
    name: str
    title: str
    path: Path

    def scenario(self) -> Scenario:
        """Its world and settings; people whom the scenario lacks come from the cast."""
        found = load(self.path)
        return replace(found, people={**CAST, **found.people})


SHIPPED = (
    Story("keys-in-use", "Keys in use", HERE / "stories" / "keys-in-use.yaml"),
    Story("empty-store", "Empty key store", SCENARIOS / "empty-store.yaml"),
    Story("unused-keys", "Unused keys", SCENARIOS / "flagship.yaml"),
    Story("cluster-taken", "Cluster taken", SCENARIOS / "cluster-taken-released.yaml"),
    Story("store-delete", "Store won’t delete", SCENARIOS / "store-delete-released.yaml"),
    Story(
        "cluster-lost", "Cluster deleted under live keys", HERE / "stories" / "cluster-lost.yaml"
    ),
)


def stories(extra: Path | None = None) -> tuple[Story, ...]:
    """Somebody's own scenario, if given, comes first. Raises UnusableError for a bad one."""
    if extra is None:
        return SHIPPED
    return (Story("own", load(extra).title, extra), *SHIPPED)


def roles(people: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What each person is, in a word or two; the third approver is for overrides."""
    told, approvers = {}, 0
    for name, person in people.items():
        told[name] = _role(person, approvers)
        approvers += bool(person.get("approver"))
    return told


def _role(person: Mapping[str, Any], approvers: int) -> str:
    if person.get("external"):
        return "other company"
    if person.get("deleted"):
        return "has left"
    kind = next((kind for kind in ("bot", "guest") if person.get(kind)), "bystander")
    if not person.get("approver"):
        return kind
    return PLACES[approvers] if approvers < len(PLACES) else "approver"

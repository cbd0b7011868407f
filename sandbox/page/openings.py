"""Step 1 of a story: what its scenario begins with, until somebody waits or decides. Plays nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sandbox.scenario.model import By, Item, Scenario
from sandbox.scenario.references import CI

ATTEMPTS = ("delete_cluster", "create_key_store", "delete_key_store", "connect_key_store")
BEGINS = frozenset(
    {*ATTEMPTS, "outside", "redeliver", "event", "lose_next_event", "sweep", "advance"}
)
OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        "delete_cluster": "DeleteCluster",
        "create_key_store": "CreateCustomKeyStore",
        "delete_key_store": "DeleteCustomKeyStore",
        "connect_key_store": "ConnectCustomKeyStore",
        "delete_hsm": "DeleteHsm",
    }
)


@dataclass(frozen=True)
class Opening:
    """`operation` is the call that it comes to, if it is one; names in `why` stand between stars."""

    items: tuple[Item, ...]
    heading: str
    button: str
    operation: str
    why: str


def opening_of(scenario: Scenario) -> Opening:
    """CI's failed delete of the first cluster, if the scenario begins with nothing that is told."""
    items = tuple(_beginning(scenario)) or _usual(scenario)
    item = next((item for item in items if item.act in ATTEMPTS), None)
    if item is None:
        return _by_others(scenario, items)
    who = "CI" if (by := By.read(item.value["by"]).name) == CI else by.title()
    words = {
        name: told.format(who=who, **_names(scenario)) for name, told in TOLD[item.act].items()
    }
    operation = OPERATIONS[item.act]
    return Opening(items, button=f"Call {operation}", operation=operation, **words)


def cluster_of(scenario: Scenario) -> str:
    """The one that the story is about; "" if there is none."""
    named = (
        item.value["cluster"]
        for item in scenario.play
        if item.act in ATTEMPTS and "cluster" in item.value
    )
    first = (cluster["id"] for cluster in scenario.world["clusters"])
    return str(next(named, next(first, "")))


def _beginning(scenario: Scenario) -> Iterator[Item]:
    """Nothing if no call is among it that opens a case."""
    items = []
    for item in scenario.play:
        if item.act not in BEGINS:
            break
        items.append(item)
    calls = [place for place, item in enumerate(items) if item.act in (*ATTEMPTS, "outside")]
    yield from items if calls else ()


def _usual(scenario: Scenario) -> tuple[Item, ...]:
    value = {"cluster": cluster_of(scenario), "by": CI}
    return (Item(step=0, line=0, act="delete_cluster", value=value),)


def _by_others(scenario: Scenario, items: tuple[Item, ...]) -> Opening:
    """What AWS does not refuse: no call fails, and the keys do."""
    whats = [next(iter(item.value)) for item in items if item.act == "outside"]
    names = _names(scenario)
    if "delete_cluster" in whats:
        heading, button = "Lose the cluster", "Delete HSMs and cluster"
    elif "delete_hsm" in whats:
        heading, button = "Lose the last HSM", "Call DeleteHsm"
    else:
        heading, button = "Let it happen", "Begin"
    why = (
        "Key store *{store}* keeps its keys in *{cluster}*. AWS lets anybody with the right "
        "delete that cluster, and nothing fails but the keys."
    )
    return Opening(items, heading, button, OPERATIONS.get(whats[-1], ""), why.format(**names))


def _names(scenario: Scenario) -> dict[str, str]:
    world = scenario.world
    return {
        "cluster": cluster_of(scenario),
        "store": world["key_stores"][0]["name"] if world["key_stores"] else "the key store",
        "while": "keys are in it" if world["keys"] else "it is connected",
    }


TOLD: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "delete_cluster": {
            "heading": "Make {who}’s delete fail",
            "why": "{who} can’t delete *{cluster}*, because a key store still holds it.",
        },
        "create_key_store": {
            "heading": "Make {who}’s create fail",
            "why": "{who} wants a new key store on *{cluster}*, which has one already: *{store}*.",
        },
        "delete_key_store": {
            "heading": "Make {who}’s delete fail",
            "why": "{who} can’t delete the key store *{store}*, while {while}.",
        },
        "connect_key_store": {
            "heading": "Make {who}’s connect fail",
            "why": "{who} can’t connect the key store *{store}*.",
        },
    }
)

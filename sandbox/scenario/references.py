"""Finds names in a scenario that point at nothing, and event files that hold none. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.ages import parse_age
from sandbox.scenario.document import Document, Place, Problem
from sandbox.scenario.model import By

CI = "ci"


def find_loose_ends(
    document: Document, accounts: tuple[str, ...], folder: Path
) -> Iterator[Problem]:
    """For a document that the schema accepts. `folder` is where event files are looked for."""
    raw: Mapping[str, Any] = document.value
    names = _Names(document, accounts)
    yield from names.world_problems()
    for step, item in enumerate(raw["play"]):
        ((act, value),) = item.items()
        place = ["play", step, act]
        match act:
            case "delete_cluster" | "create_key_store" | "delete_key_store" | "connect_key_store":
                yield from names.unknown_target(value, place)
                yield from names.unknown_caller(value["by"], [*place, "by"])
            case "click" | "submit" | "command" | "home":
                yield from names.unknown("person", value["by"], [*place, "by"])
            case "outside":
                ((what, on),) = value.items()
                yield from names.unknown_target(on, [*place, what])
            case "event":
                yield from _unusable_event(document, folder / value["file"], [*place, "file"])
            case "request" if "body" not in value and value["signature"] != "replay":
                yield Problem(document.line(place), "request: needs body, unless it is a replay")
    yield from _never_kept(document)
    for number, fault in enumerate(raw.get("faults", [])):
        yield from _unfit_fault(document, fault, number)


class _Names:
    """What a document names, by kind, and the sentences for what it doesn't."""

    def __init__(self, document: Document, accounts: tuple[str, ...]) -> None:
        self._document = document
        self._world: Mapping[str, Any] = document.value.get("world", {})
        self._accounts = accounts
        self._known = {
            "cluster": [one["id"] for one in self._world.get("clusters", [])],
            "key store": [one["id"] for one in self._world.get("key_stores", [])],
            "alias": [a for key in self._world.get("keys", []) for a in key.get("aliases", [])],
            "person": list(document.value.get("people", {})),
        }

    def world_problems(self) -> Iterator[Problem]:
        for number, cluster in enumerate(self._world.get("clusters", [])):
            place: list[str | int] = ["world", "clusters", number, "account"]
            account = cluster.get("account", self._accounts[0])
            if account not in self._accounts:
                reason = f"account {account!r} is not in accounts: {_list(self._accounts)}"
                yield Problem(self._document.line(place), reason)
        for number, store in enumerate(self._world.get("key_stores", [])):
            place = ["world", "key_stores", number]
            yield from self.unknown("cluster", store["cluster"], [*place, "cluster"])
            if "error" in store and store.get("state") != "FAILED":
                reason = "error: only a store whose state is FAILED has one"
                yield Problem(self._document.line([*place, "error"]), reason)
        for number, key in enumerate(self._world.get("keys", [])):
            place = ["world", "keys", number]
            yield from self.unknown("key store", key["store"], [*place, "store"])
            if "deletes_in" in key and key.get("state") != "PendingDeletion":
                reason = "deletes_in: only a key whose state is PendingDeletion has one"
                yield Problem(self._document.line([*place, "deletes_in"]), reason)
        for number, interface in enumerate(self._world.get("interfaces", [])):
            place = ["world", "interfaces", number, "cluster"]
            yield from self.unknown("cluster", interface["cluster"], place)
        yield from self._twice()

    def _twice(self) -> Iterator[Problem]:
        for kind, part in (("cluster", "clusters"), ("key store", "key_stores")):
            for name, count in Counter(self._known[kind]).items():
                if count > 1:
                    line = self._document.line(["world", part])
                    yield Problem(line, f"{kind} {name!r} stands here {count} times; once will do")

    def unknown(self, kind: str, name: str, place: Place) -> Iterator[Problem]:
        known = self._known[kind]
        if name not in known:
            line = self._document.line(place)
            yield Problem(line, f"no {kind} is called {name!r}; there are: {_list(known)}")

    def unknown_caller(self, by: str | Mapping[str, str], place: Place) -> Iterator[Problem]:
        name = By.read(by).name
        if name not in self._known["person"] and name != CI and not name.startswith("arn:"):
            people = _list(self._known["person"])
            reason = f"{name!r} is nobody; by is ci, an ARN, or one of people: {people}"
            yield Problem(self._document.line(place), reason)

    def unknown_target(self, on: Mapping[str, Any], place: Place) -> Iterator[Problem]:
        for name, kind in (("cluster", "cluster"), ("store", "key store"), ("alias", "alias")):
            if name in on:
                yield from self.unknown(kind, on[name], [*place, name])
        count = len(self._world.get("keys", []))
        if on.get("index", -1) >= count:
            reason = f"index {on['index']}: world.keys has {count}, counted from 0"
            yield Problem(self._document.line([*place, "index"]), reason)


def _never_kept(document: Document) -> Iterator[Problem]:
    kept: set[str] = set()
    for step, item in enumerate(document.value["play"]):
        acts = item.get("tamper", {})
        if "keep" in acts:
            kept.add(acts["keep"])
        name = acts.get("put_back")
        if name is not None and name not in kept:
            line = document.line(["play", step, "tamper", "put_back"])
            yield Problem(line, f"put_back: nothing was kept as {name!r} before")


def _unusable_event(document: Document, file: Path, place: Place) -> Iterator[Problem]:
    line = document.line(place)
    try:
        event = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"event file {str(file)!r} can't be read: {error.strerror}; its path is relative"
        yield Problem(line, f"{reason} to the scenario")
    except ValueError as error:
        yield Problem(line, f"event file {str(file)!r} is not JSON: {error}")
    else:
        if not isinstance(event, dict):
            yield Problem(line, f"event file {str(file)!r} holds no JSON object")


def _unfit_fault(document: Document, fault: Mapping[str, Any], number: int) -> Iterator[Problem]:
    for name, kind in (("code", "error"), ("seconds", "slow")):
        if name in fault and fault["kind"] != kind:
            line = document.line(["faults", number, name])
            yield Problem(line, f"{name}: only a fault of kind {kind} has it, not {fault['kind']}")
    window = [name for name in ("from", "until") if name in fault]
    if not window:
        return
    line = document.line(["faults", number, window[0]])
    if len(window) == 1:
        yield Problem(line, "from and until go together: a window has both ends")
    elif parse_age(fault["from"]) >= parse_age(fault["until"]):
        yield Problem(line, f"until {fault['until']} is not after from {fault['from']}")
    for name in ("nth", "times"):
        if name in fault:
            line = document.line(["faults", number, name])
            yield Problem(line, f"{name}: a fault with from and until has none")


def _list(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names)) or "none"

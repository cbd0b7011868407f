"""Which accounts, Regions and tags go to which channel and people. The first rule that fits counts; the settings are the last.

Pure. A case keeps the tags of its first look for this: who may tag a cluster can't choose who decides about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.rules.policy import Policy

MOST_RULES = 200
LISTS = ("accounts", "regions", "approvers", "mention")
WORDS = ("name", "channel")
NUMBERS = ("quorum_irreversible", "quorum_reversible")
KNOWN = (*WORDS, *LISTS, *NUMBERS, "tags")


@dataclass(frozen=True)
class Route:
    """What is left out fits everything, and stays as the settings have it."""

    name: str
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    channel: str = ""
    approvers: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    quorum_irreversible: int = 0
    quorum_reversible: int = 0

    def fits(self, account: str, region: str, tags: Sequence[tuple[str, str]]) -> bool:
        here = not self.accounts or account in self.accounts
        return here and (not self.regions or region in self.regions) and set(self.tags) <= set(tags)


def route_of(
    routes: Sequence[Route], account: str, region: str, tags: Sequence[tuple[str, str]]
) -> Route | None:
    """None: the settings as they are."""
    return next((route for route in routes if route.fits(account, region, tags)), None)


def routed(policy: Policy, route: Route | None) -> Policy:
    """The policy of this route; its name becomes a term of each plan."""
    if route is None:
        return policy
    return replace(
        policy,
        route=route.name,
        approvers=route.approvers or policy.approvers,
        mention=route.mention or policy.mention,
        quorum_irreversible=route.quorum_irreversible or policy.quorum_irreversible,
        quorum_reversible=route.quorum_reversible or policy.quorum_reversible,
    )


def everybody(routes: Sequence[Route], policy: Policy) -> tuple[str, ...]:
    """Who may decide anywhere."""
    named = (one for route in routes for one in route.approvers)
    return tuple(dict.fromkeys((*policy.approvers, *named)))


class BadRoutesError(ValueError):
    """Lists all that is wrong, each with its rule."""


def routes_from(told: Any) -> tuple[Route, ...]:
    """The rules of `routes.yaml`, as it is written: `{routes: [{name: …, …}, …]}`. Raises BadRoutesError."""
    rules = told.get("routes") if isinstance(told, Mapping) else None
    if not isinstance(rules, list) or set(told) != {"routes"}:
        raise BadRoutesError("the file must hold `routes:` with a list of rules, and nothing else")
    if len(rules) > MOST_RULES:
        raise BadRoutesError(f"{len(rules)} rules are more than {MOST_RULES}")
    wrong = [why for number, rule in enumerate(rules, start=1) for why in _wrong(rule, number)]
    names = [rule.get("name") for rule in rules if isinstance(rule, Mapping)]
    wrong += [f"two rules are named {name}" for name in _twice(names)]
    if wrong:
        raise BadRoutesError("; ".join(wrong))
    return tuple(_route(rule) for rule in rules)


def _twice(names: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(name for name in names if name and names.count(name) > 1))


def _route(rule: Mapping[str, Any]) -> Route:
    known: dict[str, Any] = {name: rule[name] for name in (*WORDS, *NUMBERS) if name in rule}
    known |= {name: tuple(rule[name]) for name in LISTS if name in rule}
    return Route(**known, tags=tuple(rule.get("tags", {}).items()))


def _wrong(rule: Any, number: int) -> list[str]:
    if not isinstance(rule, Mapping):
        return [f"rule {number} is no mapping"]
    where = f"rule {number}" + (f" ({rule['name']})" if isinstance(rule.get("name"), str) else "")
    found = [f"{where}: {word} is not known" for word in rule if word not in KNOWN]
    if not isinstance(rule.get("name"), str) or not rule["name"].strip():
        found.append(f"{where} has no name")
    if not isinstance(rule.get("channel", ""), str):
        found.append(f"{where}: channel must be a channel’s id")
    found += [
        f"{where}: {name} must be a list of words, in quotes if they are digits"
        for name in LISTS
        if name in rule and not _is_list(rule[name])
    ]
    found += [
        f"{where}: {name} must be a number from 1 to 20"
        for name in NUMBERS
        if name in rule and not _is_number(rule[name])
    ]
    tags = rule.get("tags", {})
    if not isinstance(tags, Mapping) or not all(
        isinstance(t, str) for tag in tags.items() for t in tag
    ):
        found.append(f"{where}: tags must be like {{env: prod}}")
    return found


def _is_list(value: Any) -> bool:
    """An empty list would fit everything, or leave nobody: it says what it can’t mean."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 20

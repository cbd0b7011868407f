"""docs/permissions.md: written from the rights and from what was seen, and read back by the tests. Plays nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby

from sandbox.permissions.reasons import reason
from sandbox.permissions.rights import ROOT, Key, Right, denials, rights

PAGE = ROOT / "docs/permissions.md"
TITLES = {
    "api_handler": "The function that serves Slack",
    "on_delete_blocked": "The function on_delete_blocked",
    "on_key_store_refused": "The function on_key_store_refused",
    "on_cluster_lost": "The function on_cluster_lost",
    "on_key_used": "The function on_key_used",
    "on_probe": "The function on_probe",
    "sleep": "The function sleep",
    "park": "The function park, as runs of before call sleep",
    "sweep": "The function sweep",
    "digest": "The function digest",
    "turn": "The function turn",
    "case": "The state machine",
    "reader": "The reader, in each account that is served",
    "executor": "The executor, in each account that is served",
    "restorer": "The restorer, in each account that is served",
    "prober": "The prober, in each account that is served",
    "forwarder": "EventBridge, in each account and Region other than the hub’s",
}
HEAD = """# Permissions
Every right that a role of Unlatch has, on what, under which conditions, and a scenario that needs it. `python -m sandbox permissions` plays all scenarios and writes this page. Tests hold it against the policies: a right without a row fails, and so does a row whose scenario does not use it.

The sandbox judges each call by these policies as IAM would (`sandbox/aws/iam`): role, trust, session policy, key policy and conditions. So a scenario fails if a role lacks a right. Names in capitals stand for what the deployment fills in.
"""
TABLE = "| action | on | only if | shown by |\n|---|---|---|---|"
ROW = re.compile(r"^\| `([\w:*]+)` <sub>(\w+)</sub> \| .* \| (.*) \|$", re.MULTILINE)
SCENARIO = re.compile(r"\[([\w-]+)\]\(\.\./sandbox/scenarios/")


def written(shown: Mapping[Key, str]) -> str:
    """The page. `shown`: the scenario that shows a right."""
    return "\n".join((HEAD, *_sections(shown), ""))


def _sections(shown: Mapping[Key, str]) -> Iterator[str]:
    denied = denials()
    for role, of_role in groupby(rights(), key=lambda right: right.key.role):
        yield f"## {TITLES[role]}"
        yield TABLE
        yield from (_row(right, shown.get(right.key)) for right in of_role)
        if role in denied:
            actions = ", ".join(f"`{action}`" for action in denied[role])
            yield f"\nDenied, whatever else is attached to the role: {actions}."
        yield ""


def _row(right: Right, scenario: str | None) -> str:
    link = f"[{scenario}](../sandbox/scenarios/{scenario}.yaml)"
    cells = (
        f"`{right.key.action}` <sub>{right.key.statement}</sub>",
        "<br>".join(f"`{resource}`" for resource in right.resources),
        "<br>".join(f"`{condition}`" for condition in right.conditions) or "always",
        link if scenario else reason(right.key) or "nothing yet",
    )
    return f"| {' | '.join(cells)} |"


def read(text: str) -> dict[Key, str]:
    """What the page says: the last cell of each right's row."""
    titles = {title: role for role, title in TITLES.items()}
    found = {}
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        for action, statement, cell in ROW.findall(body):
            found[Key(titles[title], statement, action)] = cell
    return found


def scenario_of(cell: str) -> str | None:
    matched = SCENARIO.match(cell)
    return matched[1] if matched else None

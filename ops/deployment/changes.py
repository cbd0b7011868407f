"""What a deployment would change, for people to read before it happens. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import code_of
from ops.console import DIM, YELLOW, Console
from ops.deployment.build import Built
from ops.deployment.stacks import Prepared
from ops.hub import FUNCTIONS, Hub

LONGEST = 100


@dataclass(frozen=True)
class Changes:
    """`settings` are name, value before, value after; `functions` a sentence each."""

    settings: tuple[tuple[str, str, str], ...]
    stacks: tuple[Prepared, ...]
    functions: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.settings or self.functions or any(one.changes for one in self.stacks))


def of_functions(hub: Hub, built: Built, existing: Mapping[str, Any]) -> Iterator[str]:
    """`existing` is what Chalice has made; a function that the code no longer has is taken away."""
    names = [hub.name, *(f"{hub.name}-{short}" for short in FUNCTIONS)]
    said = [(_of_function(hub, name, built), name) for name in names]
    for what, group in groupby(sorted(said), key=lambda pair: pair[0]):
        members = [name for _, name in group]
        if what:
            who = "all of them" if len(members) == len(names) else ", ".join(members)
            yield f"{who}: {what}"
    for resource in existing["resources"]:
        if resource["resource_type"] == "lambda_function":
            name = resource["lambda_arn"].rsplit(":", 1)[1]
            if name not in names:
                yield f"{name}: taken away"


def _of_function(hub: Hub, name: str, built: Built) -> str:
    """ "" if it stays as it is."""
    try:
        found = hub.client("lambda").get_function_configuration(FunctionName=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return f"made, with code {built.digest[:12]}"
    runtimes = {
        each["Properties"]["Runtime"]
        for each in built.template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    }
    said = [] if found["CodeSha256"] == built.code_sha256 else [f"code {built.digest[:12]}, new"]
    said += [f"{found['Runtime']} → {new}" for new in runtimes if new != found["Runtime"]]
    return ", ".join(said)


def show(changes: Changes, screen: Console) -> None:
    screen.title("What will change")
    for name, old, new in changes.settings:
        screen.line(f"  setting  {name}: {_short(old)} → {_short(new)}", colour=YELLOW)
    for stack in changes.stacks:
        for change in stack.changes:
            colour = YELLOW if "MADE ANEW" in change or change.startswith("Remove") else ""
            screen.line(f"  stack    {stack.name}: {_short(change)}", colour=colour)
        if not stack.changes:
            screen.line(f"  stack    {stack.name}: nothing", colour=DIM)
    for sentence in changes.functions:
        screen.line(f"  function {sentence}")
    if not changes.functions:
        screen.line("  function nothing", colour=DIM)


def as_plain(changes: Changes) -> dict[str, Any]:
    return {
        "settings": [{"name": n, "before": old, "after": new} for n, old, new in changes.settings],
        "stacks": {one.name: list(one.changes) for one in changes.stacks},
        "functions": list(changes.functions),
    }


def _short(value: str) -> str:
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return shown or "the default"

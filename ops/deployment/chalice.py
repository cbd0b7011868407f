"""Runs `chalice deploy` and `chalice delete` on what was built, with the operator’s own credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ops.command_context import CommandContext
from ops.deployment.build import project_folder, run_chalice
from ops.hub import Hub

Say = Callable[[str], None]


def deploy(hub: Hub, context: CommandContext, folder: Path, *, deployed: Mapping[str, Any]) -> str:
    """The URL of the API. `deployed` is what exists already; Chalice goes on from there."""
    _run(hub, folder, "deploy", deployed=deployed, say=context.say)
    made = json.loads(_record(folder, hub).read_text())
    return next(str(r["rest_api_url"]) for r in made["resources"] if "rest_api_url" in r)


def delete(hub: Hub, context: CommandContext, *, deployed: Mapping[str, Any]) -> None:
    folder = project_folder(context, hub.stage, environment={})
    _run(hub, folder, "delete", deployed=deployed, say=context.say)


def _run(hub: Hub, folder: Path, verb: str, *, deployed: Mapping[str, Any], say: Say) -> None:
    record = _record(folder, hub)
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(deployed))
    environ = {"AWS_DEFAULT_REGION": hub.region}
    if hub.session.profile_name != "default":
        environ["AWS_PROFILE"] = hub.session.profile_name
    run_chalice([verb, "--stage", hub.stage], folder, environ, say=say)


def _record(folder: Path, hub: Hub) -> Path:
    return folder / ".chalice/deployed" / f"{hub.stage}.json"

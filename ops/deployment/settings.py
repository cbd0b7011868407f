"""The settings to deploy with: config.json, a file, the environment. Reads only; invents no value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import BadSettings, Settings
from ops.trouble import Trouble

PREFIX = "UNLATCH_"
NOT_SETTINGS = frozenset({"STAGE"})
"""`UNLATCH_STAGE` is an option of these commands."""
NAMES = frozenset(item.name.upper() for item in fields(Settings))
ABOUT = {item.name.upper(): item.metadata["about"] for item in fields(Settings)}
NEEDED = ("SLACK_CHANNEL", "SLACK_TEAM_IDS", "APPROVERS")
"""Without these the bot runs and nobody can decide anything."""
HELP = (
    "Settings come from the stage’s environment_variables in .chalice/config.json; a --settings FILE "
    "of lines NAME=value goes before them, and environment variables UNLATCH_NAME before both."
)


def chalice_config(project: Path, stage: str) -> dict[str, Any]:
    """Chalice’s configuration, which has this stage."""
    found: dict[str, Any] = json.loads((project / ".chalice/config.json").read_text())
    if stage not in found["stages"]:
        stages = ", ".join(found["stages"])
        raise Trouble(f".chalice/config.json has no stage {stage}, only {stages}.")
    return found


def merged(
    project: Path, stage: str, *, file: Path | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The functions’ environment. Raises Trouble with all that is missing or wrong at once."""
    found = chalice_config(project, stage)
    variables = {**found.get("environment_variables", {})}
    variables |= found["stages"][stage].get("environment_variables", {})
    given = _from_file(file) if file else {}
    given |= {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in NOT_SETTINGS
    }
    variables |= given
    wrong = [f"{name} is no setting of Unlatch" for name in given if name not in NAMES]
    wrong += _wrong(variables)
    if wrong:
        raise Trouble("The settings are not complete.", *wrong, HELP)
    return variables


def _wrong(variables: Mapping[str, str]) -> list[str]:
    wrong = [
        f"{name} is missing: {ABOUT[name]}"
        for name in NEEDED
        if not variables.get(name, "").strip()
    ]
    try:
        config.read(variables)
    except BadSettings as error:
        wrong.append(str(error))
    return wrong


def _from_file(file: Path) -> dict[str, str]:
    """Lines NAME=value, in either case; empty lines and those that begin with # say nothing."""
    found: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, sign, value = text.partition("=")
        if not sign:
            raise Trouble(f"{file}, line {number}: not understood: {text}", "Write NAME=value")
        found[name.strip().upper()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value

"""The settings to deploy with: config.json, a file, the environment. Reads only; invents no value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from chalicelib import config
from chalicelib.config import BadSettingsError, Settings
from ops.deployment.ids import wrong_ids
from ops.errors import OperatorError

PREFIX = "UNLATCH_"
NOT_SETTINGS = frozenset({"STAGE"})
"""`UNLATCH_STAGE` is an option of these commands."""
NAMES = frozenset(item.name.upper() for item in fields(Settings))
ABOUT = {item.name.upper(): item.metadata["about"] for item in fields(Settings)}
NEEDED = ("SLACK_CHANNEL", "SLACK_TEAM_IDS", "APPROVERS")
"""Without these the bot runs and nobody can decide anything."""
HELP = (
    "A --settings FILE of lines NAME=value holds all settings of the stage; infra/example.env is one to "
    "copy. Environment variables UNLATCH_NAME go before it. Without a file, what was given last still "
    "holds. What nobody gives comes from the stage’s part of .chalice/config.json."
)


@dataclass(frozen=True)
class Chosen:
    """`variables` is the functions’ environment; `given` is what operators said of it."""

    variables: dict[str, str]
    given: dict[str, str]


def chalice_config(project: Path, stage: str) -> dict[str, Any]:
    """Chalice’s configuration, which has this stage."""
    found: dict[str, Any] = json.loads((project / ".chalice/config.json").read_text())
    if stage not in found["stages"]:
        stages = ", ".join(found["stages"])
        raise OperatorError(f".chalice/config.json has no stage {stage}, only {stages}.")
    return found


def chosen(
    project: Path,
    stage: str,
    *,
    file: Path | None,
    environ: Mapping[str, str],
    remembered: Mapping[str, str],
) -> Chosen:
    """Raises OperatorError with all that is missing or wrong at once."""
    variables = of_config(project, stage)
    given = _from_file(file) if file else dict(remembered)
    given |= {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in NOT_SETTINGS
    }
    variables |= given
    wrong = [f"{name} is not a setting of Unlatch" for name in given if name not in NAMES]
    wrong += [*_wrong(variables), *wrong_ids(variables)]
    if wrong:
        raise OperatorError("The settings can’t be used as they are.", *wrong, HELP)
    return Chosen(variables, given)


def of_config(project: Path, stage: str) -> dict[str, str]:
    """What .chalice/config.json says of this stage’s environment."""
    found = chalice_config(project, stage)
    variables: dict[str, str] = {**found.get("environment_variables", {})}
    variables |= found["stages"][stage].get("environment_variables", {})
    return variables


def differences(
    before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Name, value before, value after, of each that changes; "" is no value, and so the default."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield name, old, new


def _wrong(variables: Mapping[str, str]) -> list[str]:
    wrong = [
        f"{name} is missing: {ABOUT[name]}"
        for name in NEEDED
        if not variables.get(name, "").strip()
    ]
    try:
        config.read(variables)
    except BadSettingsError as error:
        wrong.append(str(error).removeprefix("Unlatch can’t start. "))
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
            raise OperatorError(
                f"{file}, line {number}: not understood: {text[:60]}", "Write NAME=value"
            )
        found[name.strip().upper()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value

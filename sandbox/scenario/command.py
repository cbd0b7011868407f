"""`play`: a file in, a story or one JSON object out, and an exit code. Knows no sandbox by itself."""

from __future__ import annotations

import io
import json
import os
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TextIO

from sandbox.scenario.cases import StoredCases
from sandbox.scenario.document import UnusableError
from sandbox.scenario.load import load
from sandbox.scenario.model import Scenario
from sandbox.scenario.narration import Narration
from sandbox.scenario.player import Player
from sandbox.scenario.report import Record, broken
from sandbox.scenario.scenario_sandbox import ScenarioSandbox

AS_EXPECTED, NOT_AS_EXPECTED, UNUSABLE = 0, 1, 2
OpenSandbox = AbstractContextManager[tuple[ScenarioSandbox, StoredCases]]


def play_file(
    path: Path,
    open_sandbox: Callable[[Scenario], OpenSandbox],
    *,
    out: TextIO,
    err: TextIO,
    as_json: bool = False,
    debug: bool = False,
) -> int:
    """The exit code: 0 if all came as expected, 1 if not, 2 for a file that can't be used."""
    try:
        scenario = load(path)
    except UnusableError as error:
        err.write(f"{error}\n")
        return UNUSABLE
    try:
        narration = io.StringIO() if as_json else out
        told = _play(scenario, open_sandbox, out=narration, err=err, debug=debug)
    except UnusableError as error:  # what only the deployed bot could tell
        err.write(f"{error}\n")
        return UNUSABLE
    if as_json:
        json.dump(told, out, ensure_ascii=False, default=str)
        out.write("\n")
        out.flush()
    return AS_EXPECTED if told["expect"]["passed"] else NOT_AS_EXPECTED


def _play(
    scenario: Scenario,
    open_sandbox: Callable[[Scenario], OpenSandbox],
    *,
    out: TextIO,
    err: TextIO,
    debug: bool,
) -> dict[str, Any]:
    """The report; if the sandbox itself breaks, one that says so."""
    record = Record(scenario.now)
    narration = Narration(out, colours=out.isatty() and "NO_COLOR" not in os.environ)
    try:
        with open_sandbox(scenario) as (sandbox, cases):
            told = Player(scenario, sandbox, cases, narration, record).play()
            if debug:
                err.writelines(f"{line.function}: {line.text}\n" for line in sandbox.log)
            return told
    except UnusableError:
        raise
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, whatever broke
        if debug:
            traceback.print_exception(error, file=err)
        said = str(error) or "no reason given"
        reason = f"the sandbox itself broke: {type(error).__name__}: {said}"
        err.write(f"{reason}\n")
        return broken(scenario, reason, record=record)

"""What a play used of the bot's rights, written to a file when it ends. Changes nothing in the play."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.aws.iam.guard import Guard
from sandbox.permissions.rights import Key, short
from sandbox.scenario.cases import StoredCases
from sandbox.scenario.model import Scenario
from sandbox.scenario.scenario_sandbox import ScenarioSandbox, open_sandbox


@contextmanager
def open_recorded(
    scenario: Scenario, file: Path | None
) -> Iterator[tuple[ScenarioSandbox, StoredCases]]:
    with open_sandbox(scenario) as (sandbox, cases):
        try:
            yield sandbox, cases
        finally:
            if file is not None:
                file.write_text(json.dumps(_told(sandbox.guard)))


def _told(guard: Guard) -> dict[str, Any]:
    rows = [[short(r.role), r.statement, r.action, times] for r, times in guard.used.items()]
    return {"judged": guard.judged, "seconds": guard.seconds, "used": sorted(rows)}


def recorded(file: Path) -> dict[Key, int]:
    """How often each right was used."""
    used = json.loads(file.read_text())["used"]
    return {Key(role, statement, action): times for role, statement, action, times in used}

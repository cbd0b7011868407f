"""`unlatch doctor --live` on the sandbox: as assumed, and with each assumption broken in turn."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.probing.assumptions import ASSUMPTIONS, Probe
from sandbox.stack import Sandbox
from tests.ops.office import HUB, REGION, Office, Said

pytestmark = pytest.mark.slow  # it deploys the whole bot

LIVE = [one.id for one in ASSUMPTIONS if Probe.LIVE in one.probes]


class Live:
    """Runs the doctor while the sandbox’s time passes in its pauses."""

    def __init__(self, sandbox: Sandbox, office: Office, folder: Path) -> None:
        self.sandbox, self.office, self.folder = sandbox, office, folder

    def doctor(self, *more: str) -> Said:
        return self.office.run("doctor", "--live", "--report", str(self.folder), *more)

    def report(self) -> dict[str, Any]:
        said = self.doctor("--json")
        assert said.out.startswith("{"), said.err
        told: dict[str, Any] = json.loads(Path(said.json["report"]).read_text())
        return told

    def verdicts(self) -> dict[str, str]:
        return {one["id"]: one["verdict"] for one in self.report()["observations"]}


@pytest.fixture
def live(sandbox: Sandbox, deployed: Office, tmp_path: Path) -> Live:
    deployed.pause = lambda seconds: sandbox.advance(timedelta(seconds=seconds))
    return Live(sandbox, deployed, tmp_path)


def test_all_is_well_and_as_assumed(live: Live) -> None:
    said = live.doctor()
    assert said.code == 0, said.out + said.err
    for word in ("event", "seal", "slack message", "pattern on_probe", f"reads {HUB} {REGION}"):
        assert f"ok      {word}" in said.out
    assert live.sandbox.slack.messages == [], "the message deleted itself"
    verdicts = live.verdicts()
    # No cluster that ever was activated has been deleted in this world.
    assert {name: verdicts[name] for name in LIVE} == {
        name: "not tried" if name == "A-BACKUPS-OUTLIVE" else "held" for name in LIVE
    }

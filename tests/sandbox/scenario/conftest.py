"""One scenario on disk, and what tests do with it: load it, play it on a fake sandbox."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenario.load import load
from sandbox.scenario.narration import Narration
from sandbox.scenario.player import Player
from sandbox.scenario.report import Record
from tests.sandbox.scenario.fake_sandbox import FakeCases, FakeSandbox

WORLD = """\
title: A store holds the cluster
now: 2026-03-02T09:00:00Z
accounts: ["111122223333"]
world:
  clusters: [{id: cluster-2a3b4c5d6e7}]
  key_stores: [{id: cks-1, cluster: cluster-2a3b4c5d6e7}]
  keys:
    - {store: cks-1, aliases: [alias/payments]}
    - {store: cks-1}
people:
  alice: {approver: true}
  bob: {approver: true}
  carol: {}
"""


@pytest.fixture
def sandbox() -> FakeSandbox:
    return FakeSandbox()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def _write(text: str, name: str = "scenario.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


@pytest.fixture
def play(sandbox: FakeSandbox, write: Callable[[str], Path]) -> Callable[[str], dict[str, Any]]:
    """Plays these items (and what follows) in the world above; `story` is what was told."""

    def _play(text: str) -> dict[str, Any]:
        scenario = load(write(f"{WORLD}{text}"))
        out = io.StringIO()
        played_on: Any = sandbox
        cases: Any = FakeCases(sandbox)
        told = Player(scenario, played_on, cases, Narration(out), Record(scenario.now)).play()
        return {**told, "story": out.getvalue()}

    return _play

"""What takes minutes is measured when asked for, and never invented."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.parts import recorded


def test_what_was_never_measured_has_no_row(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.json"
    assert recorded.rows(nothing) == []
    assert len(recorded.missing(nothing)) == len(recorded.COMMANDS)


def test_a_command_that_passed_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, quick = tmp_path / "recorded.json", [sys.executable, "-c", "pass"]
    monkeypatch.setattr(recorded, "COMMANDS", {"check": (quick, "quick", 60, "s")})
    [row] = recorded.measure("check", file)
    assert row.is_met
    assert "Measured by itself on 20" in row.how
    assert recorded.rows(file) == [row]
    assert recorded.missing(file) == []


def test_a_command_that_failed_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, bad = tmp_path / "recorded.json", [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(recorded, "COMMANDS", {"check": (bad, "bad", 60, "s")})
    with pytest.raises(RuntimeError, match="ended with 3"):
        recorded.measure("check", file)
    assert not file.exists()

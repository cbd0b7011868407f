"""Holds what is told against a file, as somebody last looked at it."""

from __future__ import annotations

import os
from pathlib import Path


def as_it_was(told: str, file: Path) -> None:
    """With WRITE_CATALOGUE=1 it writes the file anew: then its diff is to be read."""
    if os.environ.get("WRITE_CATALOGUE"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(told)
    assert told == file.read_text(), "if it is meant, write it anew: see the head of this test"

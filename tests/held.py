"""Holds what is told against a file, as somebody last looked at it."""

from __future__ import annotations

import os
from pathlib import Path


def is_written() -> bool:
    """Somebody asks for what is said to be written anew, instead of held against."""
    return bool(os.environ.get("WRITE_CATALOGUE"))


def as_it_was(told: str, file: Path) -> None:
    """With WRITE_CATALOGUE=1 it writes the file anew: then its diff is to be read."""
    if is_written():
        file.parent.mkdir(exist_ok=True)
        file.write_text(told)
    assert told == file.read_text(), "if it is meant, write it anew: see the head of this test"

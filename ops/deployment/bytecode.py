"""Compiles modules for a package: Lambda can't write beside the code, so each cold start would compile what it loads."""

from __future__ import annotations

import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import PurePosixPath

FOLDER = "__pycache__"
HASHED_UNCHECKED = 0b01
"""PEP 552: taken for what it is, whatever the time of the source. Nobody changes a package that is deployed."""
WITHOUT_REFERENCES = 2
"""marshal's last version whose bytes depend on the code alone; later ones depend on what else is loaded."""
ROOT = PurePosixPath("/var/task")


def compiled(name: str, source: bytes) -> tuple[str, bytes] | None:
    """Where Python looks for the bytecode of this file of a package, and its bytes; None if it is no module.

    It fits the Python that runs this, which is the one that the functions get.
    """
    path = PurePosixPath(name)
    if path.suffix != ".py":
        return None
    try:
        code = compile(source, str(ROOT / path), "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):  # a template, or for another Python; nothing imports it
        return None
    flags = HASHED_UNCHECKED.to_bytes(4, "little")
    body = marshal.dumps(code, WITHOUT_REFERENCES)
    there = path.parent / FOLDER / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
    return str(there), MAGIC_NUMBER + flags + source_hash(source) + body

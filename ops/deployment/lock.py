"""What the functions need besides this code: exactly the locked wheels, checked by hash. Never another version."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.errors import OperatorError

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
"""Of Lambda’s x86_64 functions, on every runtime that is offered."""
PINNED = re.compile(r"[A-Za-z0-9][\w.-]*==[^\s;]+")
MADE_HERE = ("bin", "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED")
"""They hold this machine’s paths, or say who installed: the package is to be the same everywhere."""
LAST_LINES = 8


def check(text: str) -> None:
    """Raises OperatorError unless each line of the lock names one version with its hashes."""
    entries = [e for e in text.replace("\\\n", " ").splitlines() if e.strip() and e[0] != "#"]
    loose = [e.split()[0] for e in entries if not PINNED.match(e) or "--hash=sha256:" not in e]
    if loose:
        raise OperatorError(
            f"requirements.txt does not lock {', '.join(loose)}: without version and hash nobody "
            "can build this version again.",
            "make lock",
        )


def install(lock: Path, vendor: Path, *, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Puts the locked wheels into `vendor`, and gives pip’s report on each. Done once for each lock."""
    text = lock.read_text()
    check(text)
    wanted = f"{hashlib.sha256(text.encode()).hexdigest()} {sys.version_info[:2]}"
    marker, report = vendor.with_suffix(".lock"), vendor.with_suffix(".json")
    if not (marker.exists() and marker.read_text() == wanted):
        marker.unlink(missing_ok=True)
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        report.write_text('{"install": []}')
        if "==" in text:
            say("installing what requirements.txt locks, each checked by its hash")
            _pip(lock, vendor, report)
        marker.write_text(wanted)
    installed: list[dict[str, Any]] = json.loads(report.read_text())["install"]
    return installed


def _pip(lock: Path, vendor: Path, report: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", f"{sys.version_info.major}.{sys.version_info.minor}"]
    command += [f"--platform={name}" for name in PLATFORMS]
    command += ["--target", str(vendor), "--report", str(report), "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise OperatorError(
            f"This version can’t be built from its lock, so it was not deployed:\n{said}",
            "Is the package index reachable? If a wheel was replaced or withdrawn: make lock",
        )
    for pattern in MADE_HERE:
        for path in vendor.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

"""The machine and the versions that a run's figures belong to."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "chalice",
    "botocore",
    "boto3",
    "slack-bolt",
    "slack-sdk",
    "cattrs",
    "aws-lambda-powertools",
    "pyperf",
)


def here() -> str:
    return f"{os.cpu_count()} × {_processor()}, {_memory_gb():.0f} GB, {platform.system()}"


def described() -> list[str]:
    """One line a fact."""
    load = os.getloadavg()[0]
    return [
        here(),
        f"Load when the run began: {load:.1f}",
        f"Python {platform.python_version()}",
        ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    ]


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", _read("/proc/cpuinfo"))
    return " ".join(found[1].split()) if found else platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""


def peak_mb() -> float:
    """Of this program alone: getrusage counts what the process was before it became Python, too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, "Linux says so"
    return int(found[1]) / 1024

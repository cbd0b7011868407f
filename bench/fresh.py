"""Runs programs in fresh processes, in turn, and takes their CPU time from the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


@dataclass(frozen=True)
class Program:
    """A module to run with `python -m`. `stdin` is made anew for each run, signatures being short-lived."""

    module: str
    stdin: Callable[[], str]
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """What one process took."""

    cpu_seconds: float
    output: str


def run(program: Program) -> Run:
    """Raises if the program fails: a figure of a wrong answer is none."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    process = subprocess.Popen(  # noqa: S603  # our own programs
        [sys.executable, "-m", program.module],
        cwd=ROOT,
        env={**environ, **program.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin, "it is a pipe"
    assert process.stdout, "it is a pipe"
    assert process.stderr, "it is a pipe"
    process.stdin.write(program.stdin().encode())
    process.stdin.close()
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{program.module} failed: {errors.decode()[-2000:]}")
    return Run(usage.ru_utime + usage.ru_stime, output.decode())


def last_line(done: Run) -> dict[str, Any]:
    """The JSON that a program writes last; functions write log lines and metrics before it."""
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found

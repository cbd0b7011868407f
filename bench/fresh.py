"""Runs programs in fresh processes, in turn, and takes their CPU time from the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
ANSWER = "answer: "


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
    began: float
    """By the monotonic clock, which all processes share."""


def run(program: Program, *, on_one_core: bool = False) -> Run:
    """Raises if the program fails: a figure of a wrong answer is none."""
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603  # our own programs
        [sys.executable, "-m", program.module],
        cwd=ROOT,
        env={**_kept(), **program.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if on_one_core:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
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
    return Run(usage.ru_utime + usage.ru_stime, output.decode(), began)


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


class Warm:
    """A program that stays: it answers each line of JSON with one, its own log lines before it."""

    def __init__(self, module: str, environ: Mapping[str, str]) -> None:
        self._module, self._errors = module, tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        self._process = subprocess.Popen(  # noqa: S603  # our own programs
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**_kept(), **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Raises if the program has ended: a figure of a wrong answer is none."""
        assert self._process.stdin, "it is a pipe"
        assert self._process.stdout, "it is a pipe"
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                found: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
                return found
        self._errors.seek(0)
        said = self._errors.read().decode()[-2000:]
        raise RuntimeError(f"{self._module} ended: {said}")


def answers(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The other end: a program that `Warm` runs answers until nobody asks any more."""
    for line in sys.stdin:
        sys.stdout.write(f"{ANSWER}{json.dumps(answer(json.loads(line)))}\n")
        sys.stdout.flush()


def last_line(done: Run) -> dict[str, Any]:
    """The JSON that a program writes last; functions write log lines and metrics before it."""
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found

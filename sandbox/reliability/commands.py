"""`fuzz` and the matrices: play, print, and write the figures into docs/reliability.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
COUNT = 20_000
SINGLE_FAULTS = 200
MATRICES = {
    "crash-matrix": "break every call of the bot in every way; people may help",
    "read-matrix": "break every read of the bot at each of its moments; nobody may help",
    "transient": "break one call once: what passes by itself needs no person",
}


def add_to(commands: Any) -> None:
    """All of them, for `python -m sandbox`."""
    fuzz = commands.add_parser("fuzz", help="feed odd events, requests and stored items")
    fuzz.add_argument("--count", type=int, default=COUNT)
    fuzz.add_argument("--seed", type=int, default=1, help="the same seed feeds the same")
    fuzz.add_argument("--no-write", action="store_true", help="leave docs/reliability.md alone")
    fuzz.set_defaults(run=_fuzz)
    for name, told in MATRICES.items():
        matrix = commands.add_parser(name, help=told)
        matrix.add_argument("--sample", type=int, metavar="N", help="only N plays")
        chosen = matrix.add_mutually_exclusive_group()
        chosen.add_argument("--offset", type=int, default=0, help="begin the sample elsewhere")
        chosen.add_argument(
            "--seed", type=int, help="draw the sample, instead of spreading it evenly"
        )
        matrix.add_argument(
            "--story", action="append", help="only this one, and no figures are written; repeatable"
        )
        matrix.add_argument("--together", type=int, help="faults in one play")
        matrix.add_argument("--minutes", type=int, default=0, help="begin no play after so long")
        matrix.add_argument(
            "--jobs", type=int, default=0, help="processes; all processors if not said"
        )
        matrix.add_argument(
            "--no-write", action="store_true", help="leave docs/reliability.md alone"
        )
        matrix.set_defaults(run=_matrix, matrix=name)
        if name == "transient":
            matrix.set_defaults(sample=SINGLE_FAULTS, seed=1)
    _add_tamper(commands)


def _add_tamper(commands: Any) -> None:
    tamper = commands.add_parser("tamper-matrix", help="edit a stored case in every way")
    tamper.add_argument("--sample", type=int, metavar="N", help="only N edits of each moment")
    tamper.add_argument("--offset", type=int, default=0, help="begin the sample elsewhere")
    tamper.add_argument("--no-plays", action="store_true", help="only on the fast stand")
    tamper.add_argument("--no-write", action="store_true", help="leave docs/reliability.md alone")
    tamper.set_defaults(run=_tamper)


def _fuzz(chosen: argparse.Namespace) -> int:
    # Each refused request would be a line of log; read when the logger is first made.
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
    from sandbox.reliability.fuzz import Fuzz  # loads the bot
    from sandbox.reliability.report import fuzz_lines, write

    began = time.monotonic()
    found = Fuzz(chosen.seed).feed(chosen.count)
    lines = fuzz_lines(found, seconds=time.monotonic() - began)
    _print(lines)
    for kind, what in found.broken.items():
        _print([f"BROKEN {kind}: {what}"])
    if not chosen.no_write and not found.broken:
        write(DOCUMENT, "fuzz", lines)
    return 1 if found.broken else 0


def _matrix(chosen: argparse.Namespace) -> int:
    from sandbox.reliability import matrix as designs  # loads the sandbox
    from sandbox.reliability.report import matrix_lines, write

    design = {
        "crash-matrix": designs.CRASHES,
        "read-matrix": designs.READS,
        "transient": designs.TRANSIENT,
    }[chosen.matrix]
    if chosen.together:
        design = replace(design, together=chosen.together)
    if strange := set(chosen.story or ()) - set(designs.ALL_STORIES):
        sys.stderr.write(f"No story {min(strange)}. There are: {', '.join(designs.ALL_STORIES)}.\n")
        return 2
    design = replace(design, stories=tuple(chosen.story or design.stories))
    began = time.monotonic()
    matrix = designs.Matrix(design, tell=lambda line: _print([line]))
    wanted = ("sample", "offset", "seed", "minutes", "jobs")
    plays = matrix.play(designs.Chosen(**{name: getattr(chosen, name) for name in wanted}))
    lines = matrix_lines(matrix, plays, seconds=time.monotonic() - began)
    given = {name: getattr(chosen, name) for name in ("sample", "offset", "seed", "minutes")}
    words = [chosen.matrix, *(f"--{name} {number}" for name, number in given.items() if number)]
    lines = [f"`python -m sandbox {' '.join(words)}`: {lines[0]}", *lines[1:]]
    _print(lines)
    if plays and not (chosen.no_write or chosen.story):
        write(DOCUMENT, chosen.matrix, lines)
    return 0 if all(play.holds for play in plays) else 1


def _tamper(chosen: argparse.Namespace) -> int:
    # Each refusal would be a line of log; read when the logger is first made.
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
    from sandbox.reliability.report import tamper_lines, write  # loads the bot
    from sandbox.reliability.tampered_plays import tampered_plays  # same
    from sandbox.reliability.tampering import Matrix  # same

    began = time.monotonic()
    matrix = Matrix(tell=lambda line: _print([line]))
    found = matrix.play(sample=chosen.sample, offset=chosen.offset)
    seconds = time.monotonic() - began
    plays = [] if chosen.no_plays else tampered_plays()
    lines = tamper_lines(found, plays, moments=matrix.moments, seconds=seconds)
    given = {"--sample": chosen.sample, "--offset": chosen.offset}
    words = ["tamper-matrix", *(f"{name} {number}" for name, number in given.items() if number)]
    lines[0] = f"`python -m sandbox {' '.join(words)}`: {lines[0]}"
    _print(lines)
    if not chosen.no_write:
        write(DOCUMENT, "tamper-matrix", lines)
    return 1 if any(one.why for one in found) or any(one.why for one in plays) else 0


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()

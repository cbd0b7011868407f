"""Changes single places of flows, aws and slack, or of others, drawn by a seed: do the tests notice?

Changes a copy alone. `make mutants` tries every place of the domain, which takes hours.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import libcst
import pytest
from coverage import CoverageData
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations, deep_replace

ROOT = Path(__file__).parents[1]
PACKAGES = ("chalicelib/flows", "chalicelib/aws", "chalicelib/slack")
TESTS = (
    *("tests/domain", "tests/aws", "tests/flows", "tests/slack", "tests/reliability"),
    *("tests/sandbox/aws", "tests/ops", "tests/test_*.py"),
)
ABOUT_TEXT = ("tests/test_architecture.py", "tests/test_docs.py", "tests/test_types.py")
"""They read the code and don't run it."""
WHOLE_SPACES = ("tests/domain/test_properties.py", "tests/domain/test_interference.py")
"""They walk through all states, which takes hours if each line is noted."""
LOADED_ONCE = ("boto3", "moto", "moto.core", "cattrs", "slack_sdk")
"""Of others; each mutant is tried in a fork that has them already."""
MOST_TESTS = 300
"""Of those that reach a place, the nearest: one that only a later one would notice counts as living."""
AT_LOADING = "tests/domain/test_shape.py::test_stored_cases_keep_their_meaning"
"""It sees what runs when modules are loaded, which no test is said to reach."""
TEST_SECONDS, MOST_SECONDS = 30, 120
"""Of CPU time, so that other work on the machine kills no mutant: for a test, which then comes to no end and
fails, as by its time limit in CI; and for all tests of a mutant, which then counts as living."""
Reach = Mapping[tuple[str, int], Sequence[str]]
"""By file and line (0: any of them): the tests that run it, those first that run little else."""


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    was: str
    now: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.was}  →  {self.now}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--of", nargs="+", default=PACKAGES, metavar="FOLDER", help="where to change"
    )
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # not secret
    parser.add_argument(
        "--reach", type=Path, help="a file of coverage.py with contexts, of this code"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = _copied(Path(folder))
        reach = _reach(chosen.reach or _measured(copy), copy)
        sample = _sample(copy, chosen.of, number=chosen.number, seed=chosen.seed)
        print(f"Seed {chosen.seed}: {len(sample)} places of {', '.join(chosen.of)}", flush=True)
        for name in LOADED_ONCE:
            importlib.import_module(name)
        living = [one for one in sample if not _is_killed(one, copy, reach)]
    killed = len(sample) - len(living)
    print(f"Killed {killed} of {len(sample)} ({killed / len(sample):.1%}); these live:")
    print("\n".join(f"  {one}" for one in living))
    return 0


def _copied(folder: Path) -> Path:
    """What git knows of this folder, as it is now."""
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    # By content: a change within the same second counts, too.
    compiled = ("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "chalicelib")
    subprocess.run((sys.executable, *compiled), cwd=folder, check=True)
    return folder


def _measured(copy: Path) -> Path:
    """Runs the tests once, noting which of them runs which line."""
    tests = [str(path.relative_to(copy)) for name in TESTS for path in sorted(copy.glob(name))]
    chosen = [name for name in tests if name not in ABOUT_TEXT]
    chosen += [f"--ignore={name}" for name in WHOLE_SPACES]
    measuring = ("--cov=chalicelib", "--cov-context=test", "--cov-report=", "-n", "2")
    subprocess.run((sys.executable, "-m", "pytest", *measuring, *chosen), cwd=copy, check=True)
    return copy / ".coverage"


def _reach(measured: Path, copy: Path) -> Reach:
    data = CoverageData(str(measured))
    data.read()
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    lines: dict[str, int] = defaultdict(int)
    for file in data.measured_files():
        name = file[file.index("chalicelib/") :]
        for line, contexts in data.contexts_by_lineno(file).items():
            tests = {context.rpartition("|")[0] for context in contexts if "|" in context}
            found[name, line] |= tests
            found[name, 0] |= tests
            for test in tests:
                lines[test] += 1
    there = {place: [t for t in tests if _is_there(t, copy)] for place, tests in found.items()}
    return {place: sorted(tests, key=lambda t: (lines[t], t)) for place, tests in there.items()}


def _is_there(test: str, copy: Path) -> bool:
    return (copy / test.partition("::")[0]).is_file()


def _sample(copy: Path, folders: Sequence[str], *, number: int, seed: int) -> list[Mutant]:
    os.chdir(copy)  # mutmut reads its settings where it stands
    files = [path for name in folders for path in sorted((copy / name).rglob("*.py"))]
    every = [make for path in files for make in _mutants(path, str(path.relative_to(copy)))]
    chance = random.Random(seed)  # noqa: S311  # not secret
    return [make() for make in chance.sample(every, min(number, len(every)))]


def _mutants(path: Path, name: str) -> Iterator[Callable[[], Mutant]]:
    module, mutations, _, _ = create_mutations(name, path.read_text())
    for one in mutations:
        if one.contained_by_top_level_function is not None:
            yield partial(_mutant, name, module, one)


def _mutant(name: str, module: libcst.Module, mutation: Mutation) -> Mutant:
    was, now = mutation.original_node, mutation.mutated_node
    places = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    changed = deep_replace(module, was, now)
    assert isinstance(changed, libcst.Module), "a module stays one"
    line = places[was].start.line
    return Mutant(name, line, _said(module, was), _said(module, now), changed.code)


def _said(module: libcst.Module, node: libcst.CSTNode) -> str:
    return " ".join(module.code_for_node(node).split())


def _is_killed(mutant: Mutant, copy: Path, reach: Reach) -> bool:
    # A line that runs when its module is loaded is everybody's who uses the module.
    reached = reach.get((mutant.file, mutant.line), ())
    tests = (reached or [AT_LOADING, *reach.get((mutant.file, 0), ())])[:MOST_TESTS]
    file, began = copy / mutant.file, time.monotonic()
    was = file.read_text()
    file.write_text(mutant.source)
    try:
        code = _tried(tests, copy) if tests else pytest.ExitCode.OK
    finally:
        file.write_text(was)
    if code == pytest.ExitCode.USAGE_ERROR:  # a test module that can't even be loaded with it
        assert _tried(tests, copy) == pytest.ExitCode.OK, f"these tests fail anyway: {tests}"
    killed = code != pytest.ExitCode.OK
    verdict = "killed" if killed else "LIVES " if tests else "LIVES, and no test reaches it"
    print(f"{verdict} {time.monotonic() - began:5.1f} s {mutant}", flush=True)
    return killed


def _tried(tests: Sequence[str], copy: Path) -> int:
    """What pytest says of them, in a process of its own."""
    child = os.fork()
    if child == 0:
        _run(tests, copy)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 1, 2, 4, -signal.SIGXCPU, -signal.SIGKILL), f"pytest gave {code} for {tests}"
    return max(0, code)  # out of time: nobody has noticed anything yet


class _Ended:
    """Ends a test, or the loading of a test module, that comes to no end."""

    def __init__(self) -> None:
        signal.signal(signal.SIGPROF, lambda *_: pytest.fail("comes to no end"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        return (yield from self._timed())

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, object, object]:
        return (yield from self._timed())

    def _timed(self) -> Generator[None, object, object]:
        signal.setitimer(signal.ITIMER_PROF, TEST_SECONDS)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def _run(tests: Sequence[str], copy: Path) -> None:
    """In the fork; never returns, so that nothing of the parent's is tidied up."""
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        sys.path.insert(0, str(copy))
        options = ("-x", "-p", "no:cacheprovider", "-p", "no:xdist")
        given = (
            "--rootdir",
            str(copy),
            "-o",
            "addopts=--import-mode=importlib",
            "-o",
            "timeout=900",
        )
        code = int(pytest.main([*options, *given, *tests], plugins=[_Ended()]))
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())

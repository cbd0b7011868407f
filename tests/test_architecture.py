"""What import-linter can't say of the layout (its contracts are in pyproject.toml): purity, size, breadth."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.each import each

ROOT = Path(__file__).parents[1]
TREES = ("chalicelib", "sandbox", "ops")
MODULES = [
    ROOT / "app.py",
    *sorted(path for tree in TREES for path in (ROOT / tree).rglob("*.py")),
]

PURE = {
    *("__future__", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib"),
    *("itertools", "json", "math", "typing"),
}
"""What the domain may import: no clock, no network, no environment, no chance."""
CLOCKS = {"now", "utcnow", "today"}
MOST_LINES, MOST_LINES_A_FUNCTION = 300, 30
BROAD = {
    "chalicelib.observability": 1,  # an invocation
    "ops.__main__": 1,  # the command
    "sandbox.clock": 1,  # a job of its own
    "sandbox.function_host": 3,  # the process of a function
    "sandbox.page.show": 1,  # the page
    "sandbox.reliability.fuzz": 7,  # what is fed with rubbish
    "sandbox.reliability.matrix": 1,  # one play of many
    "sandbox.reliability.fast_case": 1,  # a function that is fed with what somebody wrote
    "sandbox.scenario.command": 1,  # the command
}
"""Where a process, or what stands for one, ends: only there may an `except` take whatever comes."""
VAGUE = {"utils", "util", "helpers", "common", "manager", "misc"}


def dotted(path: Path) -> str:
    """`chalicelib/aws/actions.py` → `chalicelib.aws.actions`; a package goes by its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports_of(path: Path) -> Iterator[str]:
    """Every imported name, with dots; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


every_module = each(MODULES, dotted)


def test_the_entry_points_know_chalice_and_the_project_alone() -> None:
    """A single file is no package to import-linter. What it imports inside a function counts too."""
    standard = {"__future__", "collections", "contextlib", "datetime", "functools", "typing"}
    assert {name.split(".")[0] for name in imports_of(ROOT / "app.py")} <= {
        "chalice",
        "chalicelib",
    } | standard


@every_module
def test_nobody_imports_the_entry_points(path: Path) -> None:
    assert not any(name.split(".")[0] == "app" for name in imports_of(path))


@every_module
def test_it_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    if text:
        assert (ast.get_docstring(tree_of(path)) or "").splitlines()[:1], "no docstring"
        assert text.startswith('"""'), "the docstring is the first line"
    assert path.stem not in VAGUE, "a module is a noun or the function that it holds"


def raw_states(path: Path) -> list[int]:
    """Lines that compare a state with a text, which no check of types could tell from a slip."""
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "state":
            texts = (each for side in node.comparators for each in ast.walk(side))
            found += [node.lineno for t in texts if isinstance(getattr(t, "value", None), str)]
    return found


@each([path for path in MODULES if "chalicelib" in path.parts], dotted)
def test_states_are_values(path: Path) -> None:
    assert raw_states(path) == [], "name the value: HsmState.ACTIVE"


@every_module
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MOST_LINES_A_FUNCTION, f"{node.name} has {lines} lines"


@each([path for path in MODULES if "domain" in path.parts], dotted)
def test_the_domain_is_pure(path: Path) -> None:
    for name in imports_of(path):
        fine = name.split(".")[0] in PURE or name.startswith("chalicelib.domain")
        assert fine, f"{name} is not pure"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS, "take the time as an argument"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, "the domain has no I/O"


def broad_excepts(path: Path) -> Iterator[int]:
    """The lines of `except Exception`, `except BaseException` and the bare one."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            inside = ast.walk(node.type) if node.type else ()
            names = {name.id for name in inside if isinstance(name, ast.Name)}
            if node.type is None or names & {"Exception", "BaseException"}:
                yield node.lineno


@every_module
def test_only_the_end_of_a_process_takes_every_exception(path: Path) -> None:
    found = list(broad_excepts(path))
    assert len(found) == BROAD.get(dotted(path), 0), "name the errors: ClientError, or our own"
    lines = path.read_text().splitlines()
    for number in found:
        reason = lines[number - 1].rpartition("#")[2].strip()
        assert " " in reason.removeprefix("noqa: BLE001").strip(" -"), f"line {number}: say why"


def test_lint_is_told_to_ignore_no_more_than_the_best_do() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert len(lint["ignore"]) <= 14
    lazy = [files for files, rules in lint["per-file-ignores"].items() if "PLC0415" in rules]
    assert len(lazy) == 1, "one rule with its reason says where imports may be lazy"

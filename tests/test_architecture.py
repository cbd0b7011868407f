"""The layout is a promise: imports point down, I/O stays at the edge, files and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = ("chalicelib", "sandbox", "ops")
MODULES = [
    ROOT / "app.py",
    *sorted(path for tree in TREES for path in (ROOT / tree).rglob("*.py")),
]

LAYERS = [
    {"ops", "sandbox", "app"},
    {"wiring"},
    {"flows", "aws", "slack"},
    {"ports"},
    {"config", "observability"},
    {"traces", "failures", "event_patterns"},
    {"domain"},
]
"""Top to bottom: a module imports only from lower lines; neighbours on a line are strangers."""

OWNERS = {
    "boto3": {"wiring", "aws", "sandbox", "ops"},
    "botocore": {"wiring", "aws", "sandbox", "ops"},
    "slack_sdk": {"slack", "sandbox"},
    "chalice": {"app", "sandbox", "ops"},
    "moto": {"sandbox"},
    "time_machine": {"sandbox"},
    "subprocess": {"sandbox", "ops"},
    "aws_xray_sdk": {"traces"},
    "socket": {"sandbox", "ops"},
    "urllib": {"slack", "sandbox", "ops"},
    "os": {"config", "sandbox", "ops"},
}
"""The only layers that may touch each part of the outside world."""

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
    "sandbox.scenario.command": 1,  # the command
}
"""Where a process, or what stands for one, ends: only there may an `except` take whatever comes."""
VAGUE = {"utils", "util", "helpers", "common", "manager", "misc"}


def dotted(path: Path) -> str:
    """`chalicelib/aws/actions.py` → `chalicelib.aws.actions`; a package goes by its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def layer_of(module: str) -> str:
    """`chalicelib.aws.actions` → `aws`; "" for what is no part of the project, and for chalicelib."""
    parts = module.split(".")
    if parts[0] == "chalicelib":
        return parts[1] if len(parts) > 1 and parts[1] != "__version__" else ""
    return parts[0] if parts[0] in {"app", *TREES} else ""


def level_of(layer: str) -> int:
    return next(index for index, row in enumerate(LAYERS) if layer in row)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path, *, at_runtime: bool = False) -> tuple[str, ...]:
    """Every imported name, with dots; `from a import b` counts as `a.b`."""
    names: list[str] = []
    for node in nodes_of(tree_of(path), skip_types=at_runtime):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "use absolute imports"
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(names)


def nodes_of(node: ast.AST, *, skip_types: bool) -> Iterator[ast.AST]:
    """All nodes; without what stands under `if TYPE_CHECKING`, where asked."""
    if skip_types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from nodes_of(child, skip_types=skip_types)


every_module = pytest.mark.parametrize("path", MODULES, ids=dotted)


@every_module
def test_it_has_a_layer(path: Path) -> None:
    if layer := layer_of(dotted(path)):
        assert any(layer in row for row in LAYERS), f"{layer} is no layer: put it in LAYERS"


@every_module
def test_imports_point_down(path: Path) -> None:
    layer = layer_of(dotted(path))
    for name in imports_of(path):
        target = layer_of(name)
        if target and target != layer:
            assert layer, "chalicelib/__init__.py imports nothing"
            assert level_of(target) > level_of(layer), f"{layer} may not import {name}"


@every_module
def test_the_outside_world_has_few_doors(path: Path) -> None:
    layer = layer_of(dotted(path))
    for name in imports_of(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or layer in owners, f"only {sorted(owners)} may import {name}"


@every_module
def test_it_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    if text:
        assert (ast.get_docstring(tree_of(path)) or "").splitlines()[:1], "no docstring"
        assert text.startswith('"""'), "the docstring is the first line"
    assert path.stem not in VAGUE, "a module is a noun or the function that it holds"


@every_module
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MOST_LINES_A_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if layer_of(dotted(path)) == "domain"], ids=dotted
)
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


def test_modules_form_no_cycle() -> None:
    known = {dotted(path): path for path in MODULES}
    needs = {
        module: {
            target
            for name in imports_of(path, at_runtime=True)
            if (target := name if name in known else name.rpartition(".")[0]) in known
            and target != module
        }
        for module, path in known.items()
    }
    while needs:
        used = set().union(*needs.values())
        loose = {name for name, targets in needs.items() if not targets & set(needs)}
        loose |= set(needs) - used
        assert loose, f"an import cycle among {sorted(needs)}"
        needs = {name: targets for name, targets in needs.items() if name not in loose}

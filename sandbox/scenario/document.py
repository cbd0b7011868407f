"""A YAML text as plain values that remember their lines. Never runs what a file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TIMESTAMP = "tag:yaml.org,2002:timestamp"
Place = Sequence[str | int]


@dataclass(frozen=True)
class Problem:
    """What is wrong at a line, and what is allowed there."""

    line: int
    reason: str


class UnusableError(Exception):
    """A file that can't be played. Its text has one `FILE:LINE: reason` a problem."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(f"{path}:{p.line}: {p.reason}" for p in self.problems))


@dataclass(frozen=True)
class Document:
    value: Any
    root: yaml.Node

    def line(self, place: Place) -> int:
        """The line of the value at this place, or of the nearest part that is there."""
        node = self.root
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return _line(node)

    def within(self, key: str) -> Document:
        """The same text as the value of this key of a larger document."""
        start, end = self.root.start_mark, self.root.end_mark
        name = yaml.ScalarNode("tag:yaml.org,2002:str", key, start, end)
        root = yaml.MappingNode("tag:yaml.org,2002:map", [(name, self.root)], start, end)
        return Document({key: self.value}, root)

    def line_of_key(self, place: Place, key: str) -> int:
        """The line on which this key of the mapping at this place is written."""
        node = self.root
        for step in place:
            node = _child(node, step) or node
        if isinstance(node, yaml.MappingNode):
            for name, _ in reversed(node.value):
                if name.value == key:
                    return _line(name)
        return _line(node)


class _Loader(yaml.SafeLoader):
    """Leaves timestamps as they are written, so that a date in a text stays text."""


def _as_written(_: yaml.SafeLoader, node: yaml.Node) -> str:
    return str(node.value)


_Loader.add_constructor(TIMESTAMP, _as_written)


def read_document(path: Path) -> Document:
    """Raises UnusableError for a file that is missing, empty or no YAML."""
    loader = _Loader(_text(path))
    try:
        root = loader.get_single_node()
        if root is None:
            raise UnusableError(path, [Problem(1, "the file is empty; it needs at least play:")])
        if problems := _unfit_keys(root, set()):
            raise UnusableError(path, problems)
        return Document(loader.construct_document(root), root)
    except yaml.MarkedYAMLError as error:
        raise UnusableError(path, [_told(error)]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnusableError(path, [Problem(1, f"not YAML: {error}")]) from error
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"the file can't be read: {error.strerror or error}"
        raise UnusableError(path, [Problem(1, reason)]) from error
    except UnicodeDecodeError as error:
        reason = "the file is not UTF-8 text, which YAML needs to be"
        raise UnusableError(path, [Problem(1, reason)]) from error


def _told(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = "; ".join(part for part in (error.context, error.problem) if part)
    return Problem(mark.line + 1 if mark else 1, f"not YAML: {said}")


def _unfit_keys(node: yaml.Node, seen: set[int]) -> list[Problem]:
    """Keys that stand twice (YAML keeps only the last) or that YAML reads as no text."""
    if id(node) in seen or isinstance(node, yaml.ScalarNode):
        return []
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [problem for item in node.value for problem in _unfit_keys(item, seen)]
    problems = []
    names: set[str] = set()
    for name, value in node.value:
        if name.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
            written = name.value if isinstance(name, yaml.ScalarNode) else "this key"
            problems.append(Problem(_line(name), f"{written!r} is read as no text here: quote it"))
        elif name.value in names:
            problems.append(Problem(_line(name), f"{name.value!r} stands here twice; keep one"))
        names.add(str(name.value))
        problems.extend(_unfit_keys(value, seen))
    return problems


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    if isinstance(node, yaml.MappingNode):
        # from the end: keys merged in by << stand before those that replace them
        return next((value for name, value in reversed(node.value) if name.value == step), None)
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

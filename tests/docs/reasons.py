"""Finds, in the code, every sentence that a message, a log line or an alarm can say. Runs none of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
GAP = "…"
"""Stands for whatever the code fills in."""

ARGUMENTS: dict[str, tuple[tuple[int, str], ...]] = {
    "Close": ((1, "reason"),),
    "PermanentError": ((0, "reason"),),
    "TemporaryError": ((0, "reason"),),
    "Gate": ((0, "check"),),
    "Difference": ((0, "what"), (1, "before"), (2, "now")),
    "Wait": ((1, "why"),),
    "Call": ((2, "why"),),
    "connect": ((-1, "why"),),
    "Private": ((0, "text"),),
    "FieldError": ((1, "text"),),
    "Aliases": ((1, "unread"),),
    "NotOursError": ((0, "reason"),),
    "UnsignedError": ((0, "reason"),),
    "UnreadableError": ((0, "reason"),),
    "log": ((0, "message"),),
    "warn": ((0, "message"),),
    "exception": ((0, "message"),),
}
"""By the name that is called: the arguments that hold its words, as position and name."""
ENUMS = ("Cause",)
CATALOGUES = ("REFUSALS", "OBSTACLES", "CLOSED_TO")
"""Tables of sentences by code."""
WHO_TELLS = ("domain", "flows", "aws")
"""Layers whose functions hold sentences for people outside those calls."""


@dataclass(frozen=True)
class Reason:
    """`kind` is the name that is called; `text` has a gap where the code fills something in."""

    kind: str
    text: str
    place: str


def modules() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py"))]


@cache
def reasons() -> tuple[Reason, ...]:
    """Those of the code and those of the alarms."""
    found = [reason for path in modules() for reason in _of_module(path)]
    return (*dict.fromkeys(found), *alarms())


def plainly(text: str) -> str:
    """As the documents write it: people and groups are a name, Slack's mark-up is left out."""
    return text.replace("{approvers}", GAP).replace("<@", "@").replace(f"{GAP}>", GAP)


def alarms() -> list[Reason]:
    class Loader(yaml.SafeLoader):
        """Takes CloudFormation's short forms as plain values."""

    def plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node)
        assert isinstance(node, yaml.MappingNode)
        return loader.construct_mapping(node)

    Loader.add_multi_constructor("!", plain)
    template = yaml.load((ROOT / "infra/resources.yaml").read_text(), Loader)
    alarms = (r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm")
    names = (str(alarm["Properties"]["AlarmName"]) for alarm in alarms)
    return [Reason("alarm", re.sub(r"\$\{\w+}", GAP, n), "infra/resources.yaml") for n in names]


def _of_module(path: Path) -> Iterator[Reason]:
    yield from of_source(path.read_text(), path.relative_to(ROOT))


def of_source(source: str, told: Path) -> Iterator[Reason]:
    """The reasons in one module's text; `told` is where it stands."""
    tree = ast.parse(source)
    layer = told.parts[1] if len(told.parts) > 2 else ""
    for scope in (tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))):
        words = Words(tree, scope)
        for node in _own_nodes(scope):
            for kind, texts in _said(node, words):
                yield from (Reason(kind, text, f"{told}") for text in texts if _says(text))
        if isinstance(scope, ast.FunctionDef) and layer in WHO_TELLS:
            loose = (t for node in _loose_texts(scope.body) for t in words.of(node))
            sentences = (re.sub(r"{\w*}", GAP, text) for text in loose if _is_sentence(text))
            yield from (Reason("sentence", text, f"{told}") for text in sentences)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in ENUMS:
            values = (item.value for item in node.body if isinstance(item, ast.Assign))
            for value in values:
                yield from (Reason(node.name, t, f"{told}") for t in Words(tree, tree).of(value))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in CATALOGUES:
            assert isinstance(node.value, ast.Dict)
            sayings = (t for value in node.value.values for t in Words(tree, tree).of(value))
            yield from (Reason("said", re.sub(r"{\w*}", GAP, t), f"{told}") for t in sayings)


def _said(node: ast.AST, words: Words) -> Iterator[tuple[str, list[str]]]:
    """The kind and the texts of one call."""
    if not isinstance(node, ast.Call):
        return
    name = _name_of(node)
    parts = [part for where in ARGUMENTS.get(name, ()) if (part := _argument(node, *where))]
    if parts and len(parts) == len(ARGUMENTS[name]):
        yield name, [_joined(texts) for texts in product(*map(words.of, parts))]
    if waiting := _argument(node, -1, "waiting_for"):
        yield "waiting", words.of(waiting)
    if name == "append" and ast.unparse(node.func).startswith("unread."):
        yield "unread", words.of(node.args[0])


def _joined(texts: tuple[str, ...]) -> str:
    """`what: before → now`, if there is more than one."""
    return ": ".join(filter(None, (texts[0], " → ".join(texts[1:]))))


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if 0 <= position < len(call.args) else None


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function or module but those of the functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.FunctionDef):
            continue
        yield child
        yield from _own_nodes(child)


class Words:
    """Turns an expression into the texts that it may have, looking up names where they are set."""

    def __init__(self, module: ast.Module, scope: ast.AST) -> None:
        self._set: dict[str, list[ast.expr]] = {}
        for node in [*_own_nodes(module), *(_own_nodes(scope) if scope is not module else ())]:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._name(target, node.value)
            elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
                self._name(node.target, node.value)

    def _name(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._set.setdefault(target.id, []).append(value)

    def of(self, node: ast.expr, *, depth: int = 4) -> list[str]:
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=parts):
                return [
                    "".join(str(p.value) if isinstance(p, ast.Constant) else GAP for p in parts)
                ]
            case ast.IfExp(body=yes, orelse=no):
                return [*self.of(yes, depth=depth), *self.of(no, depth=depth)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.of(value, depth=depth)]
            case ast.Name(id=name) if name in self._set and depth:
                return [t for v in self._set[name] for t in self.of(v, depth=depth - 1)]
            case ast.Call(func=ast.Attribute(value=text, attr="format")):
                return [re.sub(r"{\w*}", GAP, t) for t in self.of(text, depth=depth)]
        return [GAP]


def _loose_texts(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Texts of a function that are neither its docstring, nor an assertion, nor a known call's own."""
    for node in nodes:
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield node
        elif not (isinstance(node, ast.FunctionDef | ast.Assert) or _is_note(node) or _tells(node)):
            yield from _loose_texts(ast.iter_child_nodes(node))


def _tells(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name_of(node) in ARGUMENTS


def _is_note(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_sentence(text: str) -> bool:
    return " " in text and text.rstrip().endswith(".")


def _says(text: str) -> bool:
    """Something is left besides gaps."""
    return bool(re.search(r"[A-Za-z]{2}", text.replace(GAP, "")))

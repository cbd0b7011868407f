"""DynamoDB's condition and update expressions, as far as the store uses them. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Item = dict[str, Any]
Values = Mapping[str, Any]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    "<>": operator.ne,
}
CLAUSE = re.compile(r"\b(SET|ADD|REMOVE)\b")
COMMA = re.compile(r",\s*(?![^()]*\))")
"""A comma outside brackets."""
NO_SUCH = object()


def holds(condition: str, item: Item, *, values: Values) -> bool:
    """Whether the condition holds; AND binds closer than OR, brackets only around a whole OR."""
    text = condition.strip()
    for word, combine in ((" OR ", any), (" AND ", all)):
        parts = _split(text, word)
        if len(parts) > 1:
            return combine(holds(part, item, values=values) for part in parts)
    if text.startswith("(") and text.endswith(")"):
        return holds(text[1:-1], item, values=values)
    if text.startswith("NOT "):
        return not holds(text[4:], item, values=values)
    return _claim(text, item, values)


def _claim(text: str, item: Item, values: Values) -> bool:
    function = re.fullmatch(r"(\w+)\((\w+)(?:,\s*(:\w+))?\)", text)
    if function:
        name, attribute, value = function.groups()
        match name:
            case "attribute_exists":
                return attribute in item
            case "attribute_not_exists":
                return attribute not in item
            case "contains":
                return values[value] in item.get(attribute, ())
    comparison = re.fullmatch(r"([^<=>]+?)\s*(=|<>|<=|<)\s*(:\w+)", text)
    if not comparison:
        raise NotImplementedError(text)
    left, sign, right = comparison.groups()
    found = _operand(left, item)
    return found is not NO_SUCH and COMPARE[sign](found, values[right])


def _operand(text: str, item: Item) -> Any:
    size = re.fullmatch(r"size\((\w+)\)", text)
    if size:
        return len(item[size[1]]) if size[1] in item else NO_SUCH
    return item.get(text, NO_SUCH)


def updated(expression: str, item: Item, *, values: Values, names: Mapping[str, str]) -> Item:
    """The item after SET, ADD and REMOVE."""
    item = dict(item)
    words = CLAUSE.split(expression)[1:]
    for verb, text in zip(words[::2], words[1::2], strict=True):
        for part in COMMA.split(text.strip()):
            _apply(verb, part.strip(), item, values=values, names=names)
    return item


def _apply(verb: str, part: str, item: Item, *, values: Values, names: Mapping[str, str]) -> None:
    if verb == "REMOVE":
        item.pop(names.get(part, part), None)
        return
    name, text = re.split(r"\s*=\s*|\s+", part, maxsplit=1)
    name = names.get(name, name)
    if verb == "SET":
        item[name] = _value(text.strip(), item, values)
        return
    added = values[text.strip()]
    is_set = isinstance(added, set)
    item[name] = item.get(name, set()) | added if is_set else item.get(name, 0) + added


def _value(text: str, item: Item, values: Values) -> Any:
    if text.startswith(":"):
        return values[text]
    function = re.fullmatch(r"(\w+)\((.+),\s*(:\w+)\)", text)
    if not function:
        return item[text]
    name, left, right = function.groups()
    if name == "if_not_exists":
        return item.get(left, values[right])
    return [*_value(left, item, values), *values[right]]


@lru_cache(maxsize=1_000)
def _split(text: str, word: str) -> tuple[str, ...]:
    """At this word outside brackets. The store has few conditions, and asks them all the time."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and text.startswith(word, place):
            parts.append(text[start:place])
            start = place + len(word)
    return (*parts, text[start:])

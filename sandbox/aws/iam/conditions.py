"""Conditions of IAM policies. Knows the operators that the project's policies may use, and refuses the others.

Rules: "IAM JSON policy elements: Condition operators" and "Set operators for multivalued keys".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

Values = tuple[str, ...]
Context = Mapping[str, str | Values]
"""Condition keys in lower case; several values if AWS's key has several."""
# What asks.py can tell of a request. A key that nobody fills in would never match, or always.
KEYS = frozenset({
    "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:requestedregion",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "ec2:vpc", "kms:calleraccount",
    "kms:keyorigin", "kms:resourcealiases", "kms:schedulekeydeletionpendingwindowindays",
    "sts:rolesessionname", "sts:sourceidentity",
})  # fmt: skip
TAGS = ("aws:requesttag/", "aws:resourcetag/", "aws:principaltag/")


class UnknownElementError(ValueError):
    """A policy says what the sandbox can't judge. Whoever asks then is denied."""


@cache
def pattern_of(text: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """IAM's wildcards: * for any text, ? for one character."""
    if "${" in text:
        raise UnknownElementError(f"policy variables are not judged: {text}")
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)
    return re.compile("".join(parts), (re.IGNORECASE if ignore_case else 0) | re.DOTALL)


def is_like(value: str, pattern: str) -> bool:
    return pattern_of(pattern).fullmatch(value) is not None


def is_arn_like(value: str, pattern: str) -> bool:
    """Segment by segment, so that a wildcard never reaches over a colon before the resource."""
    if pattern == "*":
        return True
    left, right = value.split(":", 5), pattern.split(":", 5)
    return len(left) == len(right) and all(map(is_like, left, right))


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: test(float(value), float(wanted))


POSITIVE: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": is_like,
    "ArnEquals": is_arn_like,
    "ArnLike": is_arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
}
NEGATIVE: Mapping[str, Callable[[str, str], bool]] = {
    "StringNotEquals": POSITIVE["StringEquals"],
    "StringNotLike": POSITIVE["StringLike"],
    "ArnNotEquals": POSITIVE["ArnEquals"],
    "ArnNotLike": POSITIVE["ArnLike"],
    "NumericNotEquals": POSITIVE["NumericEquals"],
}
"""They hold if the key is missing, and if no listed value matches."""


@dataclass(frozen=True)
class Condition:
    """One key of one operator. `over`: ForAnyValue, ForAllValues or "" for a key with one value."""

    operator: str
    over: str
    if_exists: bool
    key: str
    wanted: Values

    def holds(self, context: Context) -> bool:
        told = context.get(self.key.lower())
        if self.operator == "Null":
            return (told is None) == (self.wanted[0].lower() == "true")
        if told is None:
            missing_holds = self.over == "ForAllValues" or self.operator in NEGATIVE
            return self.if_exists or (missing_holds and self.over != "ForAnyValue")
        if self.over == "" and not isinstance(told, str):
            raise UnknownElementError(
                f"{self.key} has several values: use ForAnyValue or -AllValues"
            )
        values = (told,) if isinstance(told, str) else told
        return (all if self.over == "ForAllValues" else any)(map(self._matches, values))

    def _matches(self, value: str) -> bool:
        if test := POSITIVE.get(self.operator):
            return any(test(value, wanted) for wanted in self.wanted)
        return not any(NEGATIVE[self.operator](value, wanted) for wanted in self.wanted)

    def __str__(self) -> str:
        suffix = "IfExists" if self.if_exists else ""
        over = f"{self.over}:" if self.over else ""
        return f"{over}{self.operator}{suffix} {self.key}: {', '.join(self.wanted)}"


def conditions_of(block: Mapping[str, Any]) -> tuple[Condition, ...]:
    """All of a Condition element; a None stands for what CloudFormation left out."""
    return tuple(
        _condition(name, key, wanted)
        for name, keys in block.items()
        if keys is not None
        for key, wanted in keys.items()
        if wanted is not None
    )


def _condition(name: str, key: str, wanted: Any) -> Condition:
    over, _, rest = name.rpartition(":")
    operator = rest.removesuffix("IfExists")
    if over not in ("", "ForAnyValue", "ForAllValues"):
        raise UnknownElementError(f"unknown set operator {over}")
    if operator != "Null" and operator not in POSITIVE and operator not in NEGATIVE:
        raise UnknownElementError(f"unknown condition operator {name}")
    if key.lower() not in KEYS and not key.lower().startswith(TAGS):
        raise UnknownElementError(f"unknown condition key {key}")
    listed = wanted if isinstance(wanted, list) else [wanted]
    values = tuple(_text(one) for one in listed if one is not None)
    for value in values:
        pattern_of(value)
    return Condition(operator, over, rest != operator, key, values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

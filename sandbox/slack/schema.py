"""The few checks that Slack's block rules are built from; knows no rule itself.

A check takes a value and its JSON pointer and yields a sentence for each problem, in Slack's words.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def problem(reason: str, at: str) -> str:
    return f"{reason} [json-pointer:{at}]"


def string(longest: int | None = None, *, shortest: int = 1) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", at)
        elif len(value) < shortest:
            yield problem(f"must be more than {shortest - 1} characters", at)
        elif longest is not None and len(value) > longest:
            yield problem(f"must be less than {longest + 1} characters", at)

    return check


def flag(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield problem("must provide a boolean", at)


def number(low: int, high: int | None = None) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must provide a number", at)
        elif value < low or (high is not None and value > high):
            yield problem(f"must be a number from {low} to {high}", at)

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of {', '.join(allowed)}, not {value}", at)

    return check


def items(each: Check, *, least: int = 1, most: int | None = None) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", at)
            return
        if len(value) < least:
            yield problem(f"no fewer than {least} items allowed", at)
        if most is not None and len(value) > most:
            yield problem(f"no more than {most} items allowed", at)
        for index, item in enumerate(value):
            yield from each(item, f"{at}/{index}")

    return check


def record(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    """An object with these fields and no others; its `type` is the business of `by_type`."""
    needed = dict(required or {})
    known = needed | dict(optional or {})

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", at)
            return
        for name in needed.keys() - value.keys():
            yield problem(f"missing required field: {name}", at)
        for name, field in value.items():
            if name in known:
                yield from known[name](field, f"{at}/{name}")
            elif name != "type":
                yield problem(f"invalid additional property: {name}", at)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            yield problem(f"unsupported type: {kind}", f"{at}/type")
        else:
            yield from kinds[kind](value, at)

    return check


def both(first: Check, second: Check) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        yield from first(value, at)
        yield from second(value, at)

    return check

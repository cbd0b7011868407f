"""The CloudFormation templates as data: what parameters they take, and everything in its long form. Reads files only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation’s short forms."""


def _long_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode), "there is no fourth kind"
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def text_of(project: Path, name: str) -> str:
    return (project / "infra" / name).read_text()


def template(project: Path, name: str) -> dict[str, Any]:
    """With `Ref` and `Fn::…` instead of `!Ref` and the like."""
    found: dict[str, Any] = yaml.load(text_of(project, name), Loader=_Loader)  # noqa: S506  # a SafeLoader
    return found


def wrong_values(takes: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each value that its parameter would refuse. `takes` is a template’s Parameters."""
    for name in given.keys() & takes.keys():
        rule, value = takes[name], given[name]
        pattern, choices = rule.get("AllowedPattern"), rule.get("AllowedValues")
        fits = (
            (not pattern or re.fullmatch(pattern, value))
            and (not choices or value in choices)
            and (rule["Type"] != "Number" or _is_within(rule, value))
        )
        if not fits:
            yield f"--parameter {name}={value} is not right: {rule.get('Description', pattern)}"


def _is_within(rule: Mapping[str, Any], value: str) -> bool:
    return value.isdigit() and rule.get("MinValue", 0) <= int(value) <= rule.get("MaxValue", 10**9)

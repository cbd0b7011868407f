"""CloudFormation templates as they come out for some parameters. Reads a file; makes nothing.

Knows the functions that the project's templates use, and refuses the others. moto renders what the
sandbox deploys; this is for what it does not know (guardrails) and for reading roles without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

NOTHING = object()
"""AWS::NoValue: takes what it is the value of away."""
VARIABLE = re.compile(r"\$\{([\w:.]+)\}")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's
    """Short forms (`!Sub`) as the long ones (`Fn::Sub`)."""


def _long_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if name == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(f"!{name} of a mapping")
    return {name if name == "Ref" else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _long_form)


def rendered(
    path: Path, parameters: Mapping[str, str], *, account: str, region: str = "us-east-1"
) -> dict[str, dict[str, Any]]:
    """The resources by their logical names, without those that a condition leaves out."""
    return rendered_text(path.read_text(), parameters, account=account, region=region)


def rendered_text(
    text: str, parameters: Mapping[str, str], *, account: str, region: str
) -> dict[str, dict[str, Any]]:
    template = yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    return Template(template, parameters, account=account, region=region).resources()


class Template:
    def __init__(
        self, template: Any, parameters: Mapping[str, str], *, account: str, region: str
    ) -> None:
        self._resources = template["Resources"]
        self._conditions = template.get("Conditions", {})
        self._values: dict[str, Any] = {
            "AWS::AccountId": account,
            "AWS::NoValue": NOTHING,
            "AWS::Partition": "aws",
            "AWS::Region": region,
        }
        for name, declared in template.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default"))
            if value is None:
                raise ValueError(f"the template needs {name}")
            is_list = declared["Type"] == "CommaDelimitedList"
            self._values[name] = str(value).split(",") if is_list else str(value)

    def resources(self) -> dict[str, dict[str, Any]]:
        return {
            name: self.value(resource)
            for name, resource in self._resources.items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def value(self, node: Any) -> Any:
        """This part of the template with its functions worked out."""
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, given),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._called(name, given)
            if name == "Condition" and isinstance(given, str):
                return self._holds(given)
        worked_out = {name: self.value(part) for name, part in node.items()}
        return {name: value for name, value in worked_out.items() if value is not NOTHING}

    def _called(self, name: str, given: Any) -> Any:
        match name:
            case "Ref":
                return self._values.get(given, given)
            case "Fn::GetAtt":
                return ".".join(given)  # stands for an ARN that only a deployment knows
            case "Fn::Sub":
                return self._filled(given)
            case "Fn::If":
                return self.value(given[1] if self._holds(given[0]) else given[2])
            case "Fn::Join":
                return given[0].join(self.value(given[1]))
            case "Fn::Split":
                return self.value(given[1]).split(given[0])
            case "Fn::Equals":
                return self.value(given[0]) == self.value(given[1])
            case "Fn::Not":
                return not self.value(given[0])
            case "Fn::And":
                return all(map(self.value, given))
            case "Fn::Or":
                return any(map(self.value, given))
        raise ValueError(f"unknown function {name}")

    def _filled(self, given: Any) -> str:
        text, own = given if isinstance(given, list) else (given, {})
        values = self._values | {name: self.value(value) for name, value in own.items()}
        return VARIABLE.sub(lambda found: str(values.get(found[1], found[0])), text)

    def _holds(self, condition: str) -> bool:
        return bool(self.value(self._conditions[condition]))

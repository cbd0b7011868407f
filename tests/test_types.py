"""What the type check sees: an adapter that loses or changes a method of its port is an error."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[1]
ADAPTERS = {
    "Actions": "aws/actions.py:AwsActions",
    "Brake": "aws/brake.py:SsmBrake",
    "Cases": "aws/store/cases.py:DynamoCases",
    "Gateway": "slack/gateway.py:SlackGateway",
    "Inventory": "aws/inventory.py:AwsInventory",
    "People": "slack/people.py:SlackPeople",
    "Runs": "aws/runs.py:StepFunctionsRuns",
    "Seal": "aws/seal.py:KmsSeal",
    "Trail": "aws/trail.py:AwsTrail",
    "TurnCases": "aws/store/turns.py:TurnCases",
}
"""Each port and what the wiring puts there."""


def ports() -> dict[str, set[str]]:
    """The methods of each Protocol in ports.py."""
    tree = ast.parse((ROOT / "chalicelib/ports.py").read_text())
    return {
        node.name: {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        for node in tree.body
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
    }


def lost(method: str, signature: str) -> str:
    return signature.replace(method, f"{method}_of_before", 1)


def changed(_: str, signature: str) -> str:
    return re.sub(r"\(\s*self", "(self, one_more: int", signature)


def spoilt(text: str, methods: set[str], how: Callable[[str, str], str]) -> str:
    for method in methods:
        text = re.sub(rf"    def {method}\(\s*self", lambda m: how(method, m[0]), text)  # noqa: B023
    return text


def test_every_port_has_its_adapter() -> None:
    assert set(ports()) == set(ADAPTERS)


@pytest.mark.slow
@pytest.mark.parametrize("how", [lost, changed])
def test_an_adapter_that_breaks_its_port_fails_the_type_check(
    how: Callable[[str, str], str], tmp_path: Path
) -> None:
    shadows: list[str] = []
    for port, place in ADAPTERS.items():
        path = ROOT / "chalicelib" / place.partition(":")[0]
        broken = tmp_path / f"{port}.py"
        broken.write_text(spoilt(path.read_text(), ports()[port], how))
        assert broken.read_text() != path.read_text()
        shadows += ["--shadow-file", str(path), str(broken)]
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    said, _, _ = api.run([*config, *shadows, str(ROOT / "chalicelib/wiring.py")])
    complaints = [line for line in said.splitlines() if "chalicelib/wiring.py" in line]
    for port, place in ADAPTERS.items():
        adapter = place.partition(":")[2]
        wanted = re.compile(rf'error: .*"(?:[\w.]+\.)?{adapter}".*"(?:[\w.]+\.)?{port}"')
        assert any(map(wanted.search, complaints)), f"{adapter} passes for {port}:\n{said}"

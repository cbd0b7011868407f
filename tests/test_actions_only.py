"""Only chalicelib/aws/actions.py changes keys, key stores and clusters: proved over the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from chalicelib.aws.actions import _needed_besides, _request
from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import Basis, Operation, Plan, Remedy, Terms
from tests.each import each
from tests.flows.stand import CLUSTER, HUB, NOW, REGION, STORE, key, world

ROOT = Path(__file__).parents[1]
ACTIONS = ROOT / "chalicelib" / "aws" / "actions.py"
MODULES = [ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py"))]
SERVICES = {"kms": "kms", "cloudhsm": "cloudhsmv2"}
"""The name that policies use, and botocore's."""
READS = ("Describe", "List", "Get", "Verify", "GenerateMac")
NOTHING = Basis(store_state=None, keys=(), zones=())
TERMS = Terms(1, (), override=False, dry_run=False, recent_use_days=90, go_again_after=0, quiet_minutes=15)  # fmt: skip
PLAN = Plan(
    *(Remedy.RESCUE, HUB, REGION, CLUSTER, STORE, (), NOTHING, TERMS),
    mode="FIPS",
    subnets=("subnet-1",),
)
TARGETS = {"kms": STORE, "cloudhsm": f"{REGION}a"}


@cache
def operations(service: str) -> frozenset[str]:
    """Every operation of the service that may change something, as AWS's own model lists them."""
    model = get_session().get_service_model(SERVICES[service])
    return frozenset(name for name in model.operation_names if not name.startswith(READS))


@cache
def methods() -> frozenset[str]:
    """boto3's names of all of them."""
    return frozenset(xform_name(name) for service in SERVICES for name in operations(service))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


def named(path: Path) -> Iterator[tuple[str, int]]:
    """Every attribute, or name given to getattr, that is called like one of them, with its line.

    Domain and slack have no client to call (test_architecture.py), so that only what is really
    called counts there: `durations.delete_hsm` is a number of minutes.
    """
    nodes = nodes_of(path)
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    for node in called if {"domain", "slack"} & set(path.parts) else nodes:
        if isinstance(node, ast.Attribute) and node.attr in methods():
            yield node.attr, node.lineno
    for node in getattrs(path):
        if isinstance(node.args[1], ast.Constant) and node.args[1].value in methods():
            yield str(node.args[1].value), node.lineno


def getattrs(path: Path) -> Iterator[ast.Call]:
    for node in nodes_of(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "attrgetter"):
            yield node


def test_the_list_of_changes_is_not_empty() -> None:
    assert {"delete_cluster", "delete_hsm", "schedule_key_deletion", "disable_key"} <= methods()
    assert not {"describe_key", "list_keys", "generate_mac", "verify_mac"} & methods()


@each(MODULES)
def test_no_other_module_changes_anything(path: Path) -> None:
    if path != ACTIONS:
        assert list(named(path)) == [], "the one place for this is chalicelib/aws/actions.py"


BACK_DOORS = {"_make_api_call", "make_api_call", "_make_request", "methodcaller", "attrgetter"}
DYNAMIC = {("lazy.py", "self.__dict__['_made']"), ("config.py", "self"), ("plan.py", "value")}
"""Ports are made on first use; the policy takes the settings of its own names; a hash reads fields."""


@each(MODULES)
def test_nobody_calls_by_a_name_that_is_put_together(path: Path) -> None:
    """`getattr(client, name)` could hide any call; the few uses of getattr name no client."""
    for node in nodes_of(path):
        assert not isinstance(node, ast.Attribute) or node.attr not in BACK_DOORS
        assert not isinstance(node, ast.Name) or node.id not in BACK_DOORS
    for node in getattrs(path):
        fixed = isinstance(node.args[1], ast.Constant)
        assert fixed or (path.name, ast.unparse(node.args[0])) in DYNAMIC, ast.unparse(node)


def test_the_proof_would_notice(tmp_path: Path) -> None:
    for hidden in (
        "def f(kms): kms.disable_key(KeyId='k')",
        "f = lambda hsms: partial(hsms.delete_cluster, ClusterId='c')",
        "getattr(client, 'schedule_key_deletion')(KeyId='k')",
    ):
        path = tmp_path / "hidden.py"
        path.write_text(hidden)
        assert len(list(named(path))) == 1, hidden


def test_actions_calls_exactly_what_operation_lists() -> None:
    assert {name for name, _ in named(ACTIONS)} == {
        xform_name(operation.split(":")[1]) for operation in Operation
    }


@pytest.mark.parametrize("operation", Operation)
def test_an_operation_is_one_of_its_service(operation: Operation) -> None:
    service, name = operation.split(":")
    assert name in operations(service)


class Recorder:
    """A client that only remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Any:
        return lambda **given: self.asked.append((method, given))


@pytest.mark.parametrize("operation", Operation)
def test_an_operation_has_a_branch_that_makes_its_one_call_on_the_target(
    operation: Operation,
) -> None:
    service, name = operation.split(":")
    case = Case("case-1", HUB, REGION, CLUSTER, NOW, snapshot=world(key(1)), plan=PLAN)
    client, target = Recorder(), TARGETS[service]
    there = "cluster-7e6d5c4b3a2" if operation is Operation.UPDATE_KEY_STORE else ""
    step = Call(operation, (target,), "doing it", window_days=7, to_cluster=there)
    clients: Any = {SERVICES[service]: client}.__getitem__
    _request(step, target, case)(clients)
    ((method, given),) = client.asked
    assert method == xform_name(name)
    shape = get_session().get_service_model(SERVICES[service]).operation_model(name).input_shape
    assert shape is not None
    assert set(shape.required_members) <= set(given) <= set(shape.members)


@pytest.mark.parametrize("operation", Operation)
def test_a_session_may_make_its_one_call_alone(operation: Operation) -> None:
    """What else stands there is what CloudHSM does in the caller's name, and no other mutation."""
    more = _needed_besides(operation)
    tags = {"cloudhsm:TagResource"} if operation is Operation.CREATE_CLUSTER else set()
    assert all(a.startswith("ec2:") or ":Describe" in a for a in {*more} - tags)

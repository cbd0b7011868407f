"""Every right that a role of Unlatch has, read from the policies and templates in the project. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.aws.iam.policy import Policy, policy_of
from sandbox.aws.iam.template import rendered

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / ".chalice/policies"
TEMPLATES = {
    "resources.yaml": {"Stage": "STAGE", "CaseDefinition": "{}"},
    "account.yaml": {
        "Stage": "STAGE",
        "HubAccountId": "HUB",
        "Regions": "REGIONS",
        "OperatorArn": "OPERATOR",
    },
}
ROLE = "AWS::IAM::Role"


@dataclass(frozen=True, order=True)
class Key:
    """A right by its role (without `unlatch-` and stage), statement and action."""

    role: str
    statement: str
    action: str


@dataclass(frozen=True)
class Right:
    key: Key
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


def short(role: str) -> str:
    """`unlatch-dev-turn` → `turn`, `unlatch-reader` → `reader`."""
    return role.removeprefix("unlatch-").removeprefix("dev-").removeprefix("STAGE-")


def policies() -> Iterator[tuple[str, Policy]]:
    """Each role's short name and what its own policies say: functions first, then the templates'."""
    for file in sorted(POLICIES.glob("*.json")):
        yield file.stem, policy_of(file.read_text())
    for name, document in role_documents():
        yield name, policy_of(document)


def role_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Short name and policy documents of each role in the templates."""
    for file, parameters in TEMPLATES.items():
        resources = rendered(ROOT / "infra" / file, parameters, account="ACCOUNT", region="REGION")
        for resource in resources.values():
            if resource["Type"] == ROLE:
                properties = resource["Properties"]
                for policy in properties["Policies"]:
                    yield short(properties["RoleName"]), policy["PolicyDocument"]


def rights() -> list[Right]:
    """All that is allowed, in the order of the documents."""
    return [
        Right(
            Key(role, statement.sid, action),
            statement.resources,
            tuple(map(str, statement.conditions)),
        )
        for role, policy in policies()
        for statement in policy
        if statement.allows
        for action in statement.actions
    ]


def denials() -> dict[str, list[str]]:
    """Role → actions that it is denied whatever else is attached to it."""
    return {
        role: [
            action for statement in policy if not statement.allows for action in statement.actions
        ]
        for role, policy in policies()
        if any(not statement.allows for statement in policy)
    }

"""The roles as they were deployed: their policies and trust, read from moto's IAM. Changes nothing there."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from moto.iam.models import Role as MotoRole
from moto.iam.models import iam_backends

from sandbox.aws.iam.conditions import UnknownElementError
from sandbox.aws.iam.policy import Policy, policy_of


@dataclass(frozen=True)
class Role:
    arn: str
    identity: Policy
    trust: Policy


class Roles:
    """Reads each document once; moto keeps the same object until somebody changes the policy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[int, tuple[Any, Policy]] = {}

    def find(self, arn: str) -> Role | None:
        """The role of this ARN. Raises UnknownElementError if it has what can't be judged."""
        parts = arn.split(":")
        if len(parts) != 6 or not parts[5].startswith("role/"):
            return None
        known = iam_backends[parts[4]][parts[1]].roles.values()
        found = next((role for role in list(known) if role.arn == arn), None)
        return self._role(found) if found else None

    def policy(self, document: Any) -> Policy:
        """A document as moto keeps it: JSON, or what CloudFormation made of the template."""
        with self._lock:
            kept = self._read.get(id(document))
        if kept is not None and kept[0] is document:
            return kept[1]
        policy = policy_of(document)
        with self._lock:
            self._read[id(document)] = (document, policy)
        return policy

    def _role(self, role: MotoRole) -> Role:
        if role.permissions_boundary_arn or role.managed_policies:
            raise UnknownElementError(f"{role.name} has more than policies of its own")
        documents = role.policies.values()
        identity = tuple(one for document in documents for one in self.policy(document))
        return Role(role.arn, identity, self.policy(role.assume_role_policy_document))

"""IAM SimulatePrincipalPolicy for roles: the judge's answer to what a role might ask. Uses no right of it.

As IAM does it: without ResourceArns the resource is *, which no statement on an ARN allows, and of
the context only what the caller gives is known.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.aws.calls import AwsError, RequestContext
from sandbox.aws.iam.asks import Facts
from sandbox.aws.iam.guard import Guard
from sandbox.aws.iam.policy import Ask

ENTRY = re.compile(r"ContextEntries\.member\.(\d+)\.ContextKeyName")


class Simulations:
    """Answers SimulatePrincipalPolicy; the rest of IAM is moto's."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def answer(self, visit: RequestContext) -> dict[str, Any] | None:
        """The result, or None if moto answers. Raises AwsError."""
        if visit.request.operation != "SimulatePrincipalPolicy":
            return None
        params, arn = visit.params, visit.params.get("PolicySourceArn", "")
        role = self._guard.roles.find(arn)
        if role is None:
            raise AwsError("NoSuchEntity", f"There is no role {arn}.", status=404)
        facts: Facts = {"aws:principalarn": arn, **_context(params)}
        results = []
        for action in _members(params, "ActionNames.member"):
            for resource in _members(params, "ResourceArns.member") or ["*"]:
                verdict = self._guard.verdict(role, Ask(action, resource, facts))
                denied = "explicitDeny" if "explicit" in verdict.why else "implicitDeny"
                results.append({
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": "allowed" if verdict.allowed else denied,
                })  # fmt: skip
        return {"EvaluationResults": results, "IsTruncated": False}


def _context(params: dict[str, Any]) -> Facts:
    facts: Facts = {}
    for name, key in params.items():
        if found := ENTRY.fullmatch(name):
            entry = f"ContextEntries.member.{found[1]}"
            values = _members(params, f"{entry}.ContextKeyValues.member")
            has_many = params.get(f"{entry}.ContextKeyType", "").endswith("List")
            facts[key.lower()] = tuple(values) if has_many else values[0]
    return facts


def _members(params: dict[str, Any], name: str) -> list[str]:
    """The values of a list in the query protocol, in their order."""
    found: list[str] = []
    while (value := params.get(f"{name}.{len(found) + 1}")) is not None:
        found.append(str(value))
    return found

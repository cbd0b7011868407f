"""Policy documents as statements, and what they say to one question. Pure: knows no request and no AWS.

Rules: "Policy evaluation logic" in the IAM user guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.aws.iam.conditions import (
    Condition,
    Context,
    UnknownElementError,
    Values,
    conditions_of,
    is_arn_like,
    pattern_of,
)

ELEMENTS = frozenset({
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition",
})  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One thing that a caller wants to do. `resource` is an ARN, or * for an action that knows none."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Principal:
    """Who asks: the ARN of role or user, its session, account or service."""

    arn: str = ""
    session: str = ""
    account: str = ""
    service: str = ""


@dataclass(frozen=True)
class Statement:
    sid: str
    allows: bool
    actions: Values
    not_actions: Values
    resources: Values
    not_resources: Values
    principals: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]

    def speaks_of(self, ask: Ask) -> bool:
        """Whether action, resource and conditions match."""
        named = self._names(ask.action) and self._reaches(ask.resource)
        return named and all(condition.holds(ask.context) for condition in self.conditions)

    def names(self, who: Principal) -> bool:
        """Whether it speaks of this principal, by itself or through its whole account."""
        return any(_is_named(kind, value, who) for kind, value in self.principals)

    def _names(self, action: str) -> bool:
        def matches(pattern: str) -> bool:
            return pattern_of(pattern, ignore_case=True).fullmatch(action) is not None

        if self.not_actions:
            return not any(map(matches, self.not_actions))
        return any(map(matches, self.actions))

    def _reaches(self, resource: str) -> bool:
        if self.not_resources:
            return not any(is_arn_like(resource, one) for one in self.not_resources)
        # A trust policy has no Resource: it is the role's own.
        return not self.resources or any(is_arn_like(resource, one) for one in self.resources)


Policy = tuple[Statement, ...]


def policy_of(document: str | Mapping[str, Any]) -> Policy:
    """A policy document. Raises UnknownElementError for all that could not be judged later."""
    read = json.loads(document) if isinstance(document, str) else document
    statements = read["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return tuple(_statement(one) for one in listed if one is not None)


def _statement(given: Mapping[str, Any]) -> Statement:
    if strange := set(given) - ELEMENTS:
        raise UnknownElementError(f"unknown element {', '.join(sorted(strange))}")
    if given["Effect"] not in ("Allow", "Deny"):
        raise UnknownElementError(f"unknown effect {given['Effect']}")
    texts = {name: _texts(given.get(name)) for name in ELEMENTS if "ction" in name or "our" in name}
    for value in (value for values in texts.values() for value in values):
        pattern_of(value)
    return Statement(
        sid=given.get("Sid", ""),
        allows=given["Effect"] == "Allow",
        actions=texts["Action"],
        not_actions=texts["NotAction"],
        resources=texts["Resource"],
        not_resources=texts["NotResource"],
        principals=tuple(_principals(given.get("Principal"))),
        conditions=conditions_of(given.get("Condition") or {}),
    )


def _texts(given: Any) -> Values:
    listed = given if isinstance(given, list) else [given]
    return tuple(str(one) for one in listed if one is not None)


def _principals(given: Any) -> Iterable[tuple[str, str]]:
    if given is None:
        return
    for kind, values in ({"AWS": "*"} if given == "*" else given).items():
        if kind not in ("AWS", "Service"):
            raise UnknownElementError(f"unknown kind of principal {kind}")
        yield from ((kind, value) for value in _texts(values))


def _is_named(kind: str, value: str, who: Principal) -> bool:
    if kind == "Service":
        return value == who.service
    account = value.split(":")[4] if value.endswith(":root") else value
    return value == "*" or value in (who.arn, who.session) or account == who.account


@dataclass(frozen=True)
class Verdict:
    """`by` is the statement that allowed it. `why` goes after AWS's "is not authorized to perform"."""

    allowed: bool
    by: Statement | None = None
    why: str = ""


KINDS = (
    "a service control policy",
    "a resource-based policy",
    "an identity-based policy",
    "a session policy",
)


def denies(policy: Policy, ask: Ask) -> bool:
    return any(not one.allows and one.speaks_of(ask) for one in policy)


def judged(
    ask: Ask,
    who: Principal,
    *,
    identity: Policy | None,
    session: Policy | None = None,
    guardrails: Policy = (),
    on_resource: Policy | None = None,
) -> Verdict:
    """What IAM decides. A deny anywhere wins; each kind of policy that is there must allow.

    `guardrails` are service control policies: here they only deny. `on_resource` is the policy of a
    key or a role, which has to allow it as well: it names the account, and so leaves the rest to
    the policies of the account's roles. A service has no policy of its own (`identity` is None).
    """
    named = None if on_resource is None else tuple(s for s in on_resource if s.names(who))
    denying = (guardrails, named or (), identity or (), session or ())
    for kind, policy in zip(KINDS, denying, strict=True):
        if denies(policy, ask):
            return Verdict(allowed=False, why=f"with an explicit deny in {kind}")
    by = None
    limits = {"resource-based": named, "session": session, "identity-based": identity}
    for kind, limit in limits.items():
        if limit is None:
            continue
        by = next((one for one in limit if one.allows and one.speaks_of(ask)), None)
        if by is None:
            why = f"because no {kind} policy allows the {ask.action} action"
            return Verdict(allowed=False, why=why)
    return Verdict(allowed=by is not None, by=by)

"""IAM's gate before every call of the bot: judges it by the deployed roles, and remembers what it used.

Everybody else is free, but for taking the bot's roles, for key policies (which bind an administrator
too), and for guardrails, if a test sets some. What can't be judged is denied.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from sandbox.aws.calls import RequestContext
from sandbox.aws.iam.asks import Facts, asks_of
from sandbox.aws.iam.conditions import UnknownElementError
from sandbox.aws.iam.policy import Ask, Policy, Principal, Verdict, judged, policy_of
from sandbox.aws.iam.roles import Role, Roles
from sandbox.aws.identity import Identity
from sandbox.aws.kms_backend import backend_of
from sandbox.aws.regions import Regions

EVERYTHING = policy_of({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


class May(Protocol):
    """Why an AWS service may not do this one thing with a role, or None if it may."""

    def __call__(self, service: str, role_arn: str, *, source: str, ask: Ask) -> str | None: ...


@dataclass(frozen=True)
class Right:
    """One action that one statement of a role allows."""

    role: str
    statement: str
    action: str


class Guard:
    """`is_bot` is asked with the caller's role. `guardrails` bind everybody but the deployment."""

    def __init__(self, regions: Regions, is_bot: Callable[[str], bool]) -> None:
        self._regions = regions
        self._is_bot = is_bot
        self._lock = threading.Lock()
        self.roles = Roles()
        self.guardrails: Policy = ()
        self.used: Counter[Right] = Counter()
        self.judged = 0
        self.seconds = 0.0

    def denial(self, visit: RequestContext) -> str | None:
        """AWS's sentence if this call is not allowed."""
        caller, taken = visit.identity, visit.params.get("RoleArn", "")
        bound = self._is_bot(caller.role)
        takes_role = visit.request.name == "sts:AssumeRole" and self._is_bot(taken)
        within = self.guardrails and not caller.deployment
        if not bound and not takes_role and not within and visit.request.service != "kms":
            return None
        began = time.perf_counter()
        try:
            with self._regions.lock:
                asks = list(asks_of(visit, self._regions))
            return self._first_denial(caller, asks, bound=bound)
        except UnknownElementError as unknown:
            return f"{caller.arn} is denied {visit.request.name}, as it can't be judged: {unknown}"
        finally:
            self.seconds += time.perf_counter() - began

    def service_denial(self, service: str, role_arn: str, *, source: str, ask: Ask) -> str | None:
        """The same for an AWS service that takes a role to do one thing for the resource `source`."""
        account = source.split(":")[4]
        facts: Facts = {"aws:sourcearn": source, "aws:sourceaccount": account}
        role = self.roles.find(role_arn)
        if role is None:
            return f"{service} can't assume {role_arn}: there is no such role"
        taking = Ask("sts:AssumeRole", role_arn, facts)
        trusted = judged(taking, Principal(service=service), identity=None, on_resource=role.trust)
        if not trusted.allowed:
            return f"{service} can't assume {role_arn} {trusted.why}"
        verdict = judged(ask, Principal(arn=role_arn, account=account), identity=role.identity)
        self._note(role, ask, verdict)
        return None if verdict.allowed else _sentence(role_arn, ask, verdict)

    def verdict(self, role: Role, ask: Ask) -> Verdict:
        """What IAM would say to this role, were it to ask: nothing is noted as used."""
        who = Principal(arn=role.arn, account=role.arn.split(":")[4])
        return judged(ask, who, identity=role.identity, guardrails=self.guardrails)

    def _first_denial(self, caller: Identity, asks: Iterable[Ask], *, bound: bool) -> str | None:
        if not bound:
            return self._denied_to_others(caller, asks)
        role = self.roles.find(caller.role)
        if role is None:
            return f"User: {caller.arn} has no role {caller.role}"
        session = self.roles.policy(caller.policy) if caller.policy else None
        who = Principal(arn=caller.role, session=caller.arn, account=caller.account)
        for ask in asks:
            verdict = judged(
                ask,
                who,
                identity=role.identity,
                session=session,
                guardrails=self.guardrails,
                on_resource=self._policy_on(ask),
            )
            self._note(role, ask, verdict)
            if not verdict.allowed:
                return _sentence(caller.arn, ask, verdict)
        return None

    def _denied_to_others(self, caller: Identity, asks: Iterable[Ask]) -> str | None:
        """People may do everything, within the guardrails; our roles and keys choose whom they let."""
        guardrails = () if caller.deployment else self.guardrails
        who = Principal(arn=caller.role, session=caller.arn, account=caller.account)
        for ask in asks:
            verdict = judged(
                ask,
                who,
                identity=EVERYTHING,
                guardrails=guardrails,
                on_resource=self._policy_on(ask),
            )
            if not verdict.allowed:
                return _sentence(caller.arn, ask, verdict)
        return None

    def _policy_on(self, ask: Ask) -> Policy | None:
        """The policy of a role or a key, which must allow the call as well; None for other things."""
        parts = ask.resource.split(":")
        if ask.action.startswith("sts:"):
            role = self.roles.find(ask.resource)
            return role.trust if role else ()
        if len(parts) == 6 and parts[2] == "kms":
            with self._regions.lock:
                keys = backend_of(self._regions.at(parts[4], parts[3])).keys
                key = keys.get(parts[5].removeprefix("key/"))
            return self.roles.policy(key.policy) if key else ()
        return None

    def _note(self, role: Role, ask: Ask, verdict: Verdict) -> None:
        with self._lock:
            self.judged += 1
            if verdict.by is not None:
                name = role.arn.rsplit("/", 1)[-1]
                self.used[Right(name, verdict.by.sid, ask.action)] += 1


def _sentence(caller: str, ask: Ask, verdict: Verdict) -> str:
    return (
        f"User: {caller} is not authorized to perform: {ask.action} "
        f"on resource: {ask.resource} {verdict.why}"
    )

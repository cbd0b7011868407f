"""Step-up: which AWS principal may confirm a plan, and which confirmations count. Judges ARNs only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from chalicelib.domain.rules.approval import CROWD
from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.caller import caller_of, marks
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan

Role = tuple[str, str, str]
"""Partition, account and name: within an account a role's name is unique, whatever its path."""


def session_role(arn: str) -> Role | None:
    """The role behind arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION; None for any other principal."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sts":
        return None
    kind, _, rest = parts[5].partition("/")
    name, _, session = rest.partition("/")
    return (parts[1], parts[4], name) if kind == "assumed-role" and name and session else None


def listed_role(arn: str) -> Role | None:
    """The role of arn:aws:iam::ACCOUNT:role/PATH/NAME, as the setting lists it."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    return parts[1], parts[4], parts[5].rpartition("/")[2]


def may_confirm(arn: str, policy: Policy) -> bool:
    """The principal acts as one of the listed roles."""
    return _acts_as(arn, policy.step_up_roles)


def cancelling_roles(policy: Policy) -> tuple[str, ...]:
    """Whose principals may cancel from a shell. A cancel is the safe way: it only puts back."""
    return (*policy.operator_roles, *policy.step_up_roles)


def may_cancel(arn: str, policy: Policy) -> bool:
    return _acts_as(arn, cancelling_roles(policy))


def _acts_as(arn: str, roles: Iterable[str]) -> bool:
    role = session_role(arn)
    return role is not None and role in {listed_role(listed) for listed in roles}


def made_the_call(arn: str, case: Case) -> bool:
    """The principal may be the one whose delete failed, or stand behind the one.

    Only Identity Center vouches for the name of a session: behind any other role that made the
    call, whoever confirms may be the requester under another name.
    """
    me = caller_of(arn=arn, kind="AssumedRole")
    return any(
        attempt.caller.kind == CROWD
        or bool(marks(me.session_name) & attempt.caller.marks)
        or (not me.is_person and session_role(attempt.caller.arn) == session_role(arn))
        for attempt in case.attempts
    )


def confirmations(
    plan: Plan, clicks: Iterable[Click], situation: Situation, *, begun: bool = False
) -> tuple[Click, ...]:
    """Those that count for this plan now: one a principal, this hash, in time, still allowed."""
    policy = situation.policy
    age = timedelta(hours=policy.expiry_hours)
    found = {
        click.by: click
        for click in clicks
        if click.act is Act.CONFIRM and click.plan_hash == plan.plan_hash
    }
    return tuple(
        click
        for click in found.values()
        if (begun or situation.now - click.at < age)
        and may_confirm(click.by, policy)
        and not made_the_call(click.by, situation.case)
    )


def is_unconfirmed(
    plan: Plan, clicks: Iterable[Click], situation: Situation, *, begun: bool = False
) -> bool:
    """The plan needs a confirmation and has none that counts."""
    given = confirmations(plan, clicks, situation, begun=begun)
    return plan.terms.step_up and not given

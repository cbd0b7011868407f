"""The only judge of who may decide, and of how many people a plan needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.domain.caller import Caller
from chalicelib.domain.case import Act, Case, Click
from chalicelib.domain.plan import Plan, Remedy, Terms
from chalicelib.domain.policy import Policy
from chalicelib.domain.sessions import other_use_known
from chalicelib.domain.snapshot import Key, Snapshot


@dataclass(frozen=True)
class Person:
    """What Slack says of somebody now. `is_approver` None: Slack could not say.

    `teams`: all workspaces of theirs, where their organisation `org_id` has several.
    """

    user_id: str
    team_id: str = ""
    org_id: str = ""
    teams: tuple[str, ...] = ()
    name: str = ""
    email: str = ""
    is_guest: bool = False
    is_bot: bool = False
    is_gone: bool = False
    is_stranger: bool = False
    is_approver: bool | None = False


class Refusal(Enum):
    """Why somebody may not decide, in words for that person. {approvers} is filled in for Slack."""

    EXTERNAL = (
        "You can’t decide here: your account belongs to another company. Nothing was changed. "
        "Ask your contact in this channel."
    )
    GUEST = (
        "You can’t decide here: guest accounts can’t approve. Nothing was changed. {approvers} can."
    )
    BOT = "Apps and bots can’t decide here. Nothing was changed. {approvers} can."
    GONE = "This account is deactivated, so nothing was counted. {approvers} can decide."
    REQUESTER = (
        "You can’t approve this: you made the delete that failed, so somebody else has to agree. "
        "Nothing was changed. {approvers} can."
    )
    NOT_AN_APPROVER = (
        "You can’t approve this: you are not in {approvers}. Nothing was changed. "
        "Anybody there can decide; you can write in the thread."
    )
    NO_APPROVERS = (
        "Nobody can approve: the list of approvers is empty. Nothing was changed. "
        "Whoever runs Unlatch can set APPROVERS."
    )
    UNKNOWN = (
        "Slack could not say who may approve, so nothing was counted. Nothing was changed. "
        "Please click again in a minute."
    )


SLACK_USER = "SlackUser"
"""Kind of a caller who started the case by hand in Slack; its session name is the user id."""
SAFE_ACTS = frozenset({Act.REJECT, Act.CANCEL, Act.UNDO, Act.REFRESH, Act.WITHDRAW})


def refusal(
    person: Person | None, act: Act, *, case: Case, policy: Policy, seen_in: str = ""
) -> Refusal | None:
    """None where the person may do this now. Safe directions are open to the requester too.

    `seen_in`: the workspace that the person acted from, as the signed request says.
    """
    if not policy.approvers:
        return Refusal.NO_APPROVERS
    if person is None or person.is_approver is None:
        return Refusal.UNKNOWN
    verdicts = (
        (person.is_bot, Refusal.BOT),
        (person.is_gone, Refusal.GONE),
        (_is_external(person, policy, seen_in), Refusal.EXTERNAL),
        (person.is_guest, Refusal.GUEST),
        (not person.is_approver, Refusal.NOT_AN_APPROVER),
        (act not in SAFE_ACTS and _is_requester(person, case, policy), Refusal.REQUESTER),
    )
    return next((why for applies, why in verdicts if applies), None)


def _is_external(person: Person, policy: Policy, seen_in: str) -> bool:
    """Neither workspace nor organisation is ours, or the person comes from a place that isn't theirs."""
    ours, theirs = set(policy.team_ids), {person.team_id, person.org_id, *person.teams}
    if person.is_stranger or not ours & theirs:
        return True
    # In an organisation of ours people act from any of its workspaces.
    return bool(seen_in) and seen_in not in ours | theirs and person.org_id not in ours


def _is_requester(person: Person, case: Case, policy: Policy) -> bool:
    return any(is_caller(person, attempt.caller, policy) for attempt in case.attempts)


def is_caller(person: Person, caller: Caller, policy: Policy) -> bool:
    """By the explicit table, SSO e-mail, or a session or user name like the person's e-mail or name."""
    if dict(policy.people).get(caller.arn) == person.user_id or (
        caller.kind == SLACK_USER and caller.session_name == person.user_id
    ):
        return True
    marks = {m.lower() for m in (person.email, person.email.split("@")[0], person.name) if m}
    claims = {caller.email.lower(), caller.session_name.lower(), caller.name.lower()}
    return bool(marks & (claims | {claim.split("@")[0] for claim in claims}))


def is_mapped(caller: Caller, policy: Policy) -> bool:
    """The failed call is known to come from one human being, not from a role anybody may use."""
    return caller.is_person or caller.kind == SLACK_USER or caller.arn in dict(policy.people)


def terms(
    remedy: Remedy, snapshot: Snapshot, *, case: Case, policy: Policy, now: datetime
) -> Terms:
    """How many people this plan needs, and why, in words for the message."""
    used = any(in_use(key, policy=policy, now=now) for key in snapshot.live_keys)
    shared = bool(other_use_known(snapshot)) and remedy is not Remedy.KEEP
    override = shared or (used and remedy is Remedy.RETIRE)
    people, reasons = _quorum(remedy, snapshot, case, policy)
    if remedy is Remedy.PARK and (used or shared) and people < 2:
        people = 2
        reasons.append(_use_reason(used, policy))
    if override and remedy is not Remedy.PARK:
        people = max(people + 1, 3)
        reasons.append(_use_reason(used and remedy is Remedy.RETIRE, policy))
    if remedy is Remedy.REPOINT and used:
        reasons.append(_use_reason(used, policy))
    return Terms(
        people=people,
        reasons=tuple(reasons),
        override=override,
        dry_run=policy.dry_run,
        recent_use_days=policy.recent_use_days,
        go_again_after=policy.go_again_after,
        quiet_minutes=policy.quiet_minutes,
        step_up=bool(policy.step_up_roles) and remedy in (Remedy.RETIRE, Remedy.REPOINT),
    )


def _quorum(
    remedy: Remedy, snapshot: Snapshot, case: Case, policy: Policy
) -> tuple[int, list[str]]:
    """The configured number, raised where the caller is nobody known and by the cluster's tags."""
    if remedy is Remedy.KEEP:
        return 1, []
    reasons: list[str] = []
    if remedy is Remedy.PARK:
        people = max(1, policy.quorum_reversible)
    else:
        people = max(1, policy.quorum_irreversible)
        known = case.attempts and all(is_mapped(a.caller, policy) for a in case.attempts)
        if people < 2 and not known:
            people = 2
            reasons.append("because the delete was not made by a known person")
    tags = {f"{key}={value}" for key, value in snapshot.cluster.tags} if snapshot.cluster else set()
    for tag, count in policy.quorum_by_tag:
        if tag in tags and count > people:
            people = count
            reasons.append(f"because the cluster is tagged {tag}")
    return people, reasons


def _use_reason(keys: bool, policy: Policy) -> str:
    if keys:
        return f"because a key was used in the last {policy.recent_use_days} days, or may have been"
    return "because other programs use the HSMs, or may"


def in_use(key: Key, *, policy: Policy, now: datetime) -> bool:
    """A recent use, a use that KMS can't tell, and a key that can't be read all count as use."""
    days = policy.recent_use_days
    return key.used_within(now, days=days) or key.use_is_unknown(now, days=days)


FILLERS = "\u115f\u1160\u3164\uffa0"
"""Hangul’s: letters to Unicode, and nothing to the eye."""


def is_reason(text: str) -> bool:
    """Somebody can read it: spaces, signs and characters that nobody sees are no reason."""
    return any(character.isalnum() and character not in FILLERS for character in text)


def live(
    plan: Plan,
    clicks: Iterable[Click],
    *,
    people: Mapping[str, Person],
    case: Case,
    policy: Policy,
    now: datetime,
    begun: bool = False,
) -> tuple[Click, ...]:
    """Approvals that count for this plan now: one a person, this hash, in time, still allowed.

    A later withdrawal takes it back until the plan changes something; `begun` plans don't age.
    Where Slack can't say who somebody is, the click's own authorisation stands (it is sealed).
    """
    latest: dict[str, Click] = {}
    for click in clicks:
        if click.act is Act.APPROVE and click.plan_hash == plan.plan_hash:
            if is_reason(click.reason) and (click.override or not plan.terms.override):
                latest[click.by] = click
        elif click.act is Act.WITHDRAW and not case.plan_has_begun:
            latest.pop(click.by, None)
    age = timedelta(hours=policy.expiry_hours)
    return tuple(
        click
        for click in latest.values()
        if (begun or now - click.at < age)
        and refusal(people.get(click.by), Act.APPROVE, case=case, policy=policy)
        in (None, Refusal.UNKNOWN)
    )

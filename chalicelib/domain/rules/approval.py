"""The only judge of who may decide, and of how many people a plan needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import Enum

from chalicelib.domain.rules.policy import Policy
from chalicelib.domain.rules.sessions import other_use_known
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.caller import SLACK_USER, Caller, marks
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.person import Person
from chalicelib.domain.state.plan import Plan, Remedy, Terms
from chalicelib.domain.state.snapshot import Key


class Refusal(Enum):
    """Why somebody may not decide."""

    EXTERNAL = "external"
    GUEST = "guest"
    BOT = "bot"
    GONE = "gone"
    REQUESTER = "requester"
    NOT_AN_APPROVER = "not_an_approver"
    NO_APPROVERS = "no_approvers"
    REFUSED = "refused"
    """Slack says for good that it does not tell who this is."""
    CROWDED = "crowded"
    """More callers than Unlatch can tell apart from this person."""
    UNKNOWN = "unknown"
    """Slack can't say now who this is, or who may approve."""


READERS = frozenset({None, Refusal.REQUESTER, Refusal.NOT_AN_APPROVER, Refusal.CROWDED})
"""Who is refused for no other reason belongs to the company, and may see what is open."""
CROWD = "Crowd"
"""Kind of the last caller that a case has room for: it stands for all further ones."""
SAFE_ACTS = frozenset({Act.REJECT, Act.CANCEL, Act.UNDO, Act.REFRESH, Act.WITHDRAW})


def refusal(
    person: Person | None,
    act: Act,
    situation: Situation,
    *,
    remedy: Remedy | None = None,
    seen_in: str = "",
) -> Refusal | None:
    """None if the person may do this now. Safe directions are open to the requester too.
    `seen_in`: the workspace that the person acted from, as the signed request says."""
    case, policy = situation.case, situation.policy
    if not policy.approvers:
        return Refusal.NO_APPROVERS
    if person is None or person.is_approver is None:
        return Refusal.UNKNOWN
    # A rescue deletes nothing: whoever cut the keys off may bring them back.
    judged = act not in SAFE_ACTS and remedy is not Remedy.RESCUE
    crowded = judged and any(a.caller.kind == CROWD for a in case.attempts)
    verdicts = (
        (person.is_refused, Refusal.REFUSED),
        (person.is_bot, Refusal.BOT),
        (person.is_gone, Refusal.GONE),
        (_is_external(person, policy, seen_in), Refusal.EXTERNAL),
        (person.is_guest, Refusal.GUEST),
        (not person.is_approver, Refusal.NOT_AN_APPROVER),
        (judged and _is_requester(person, case, policy), Refusal.REQUESTER),
        (crowded, Refusal.CROWDED),
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
    """By the explicit table, or any name behind the call that is like the person's e-mail or name."""
    table = dict(policy.people)
    if person.user_id in (table.get(caller.arn), table.get(caller.issuer_arn)) or (
        caller.kind == SLACK_USER and caller.session_name == person.user_id
    ):
        return True
    return bool(marks(person.email, person.name) & caller.marks)


def same_person(one: Person | None, other: Person | None) -> bool:
    """One e-mail is one person, whatever follows a plus in it and however many accounts it has."""
    if one is None or other is None or not one.email or not other.email:
        return False
    return _mailbox(one) == _mailbox(other)


def _mailbox(person: Person) -> str:
    return max(marks(person.email), key=len, default="")


def is_mapped(caller: Caller, policy: Policy) -> bool:
    """The failed call is known to come from one human being, not from a role anybody may use."""
    return caller.is_person or caller.kind == SLACK_USER or caller.arn in dict(policy.people)


def terms(remedy: Remedy, situation: Situation) -> Terms:
    """How many people this plan needs, and why, in words for the message."""
    policy = situation.policy
    used = bool(keys_in_use(situation))
    shared = remedy.deletes_hsms and bool(other_use_known(situation.snapshot))
    override = shared or (used and remedy.deletes_keys)
    people, reasons = _quorum(remedy, situation)
    before = dict(situation.case.quorums).get(remedy, 0)
    if before > people:
        people, reasons = before, [f"because this case asked for {before} people before"]
    if remedy is Remedy.PARK and (used or shared) and people < 2:
        people = 2
        reasons.append(_use_reason(used, policy))
    if override and remedy is not Remedy.PARK:
        people = max(people + 1, 3)
        reasons.append(_use_reason(used and remedy.deletes_keys, policy))
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
        step_up=bool(policy.step_up_roles) and (remedy.deletes_keys or remedy is Remedy.REPOINT),
        route=policy.route,
    )


def quorums(situation: Situation) -> tuple[tuple[Remedy, int], ...]:
    """The most people that settings and tags ever asked of this case, by remedy: never fewer."""
    before = dict(situation.case.quorums)
    return tuple(
        (remedy, max(before.get(remedy, 0), _quorum(remedy, situation)[0]))
        for remedy in Remedy
        if remedy is not Remedy.KEEP
    )


def _quorum(remedy: Remedy, situation: Situation) -> tuple[int, list[str]]:
    """The configured number, raised if the caller is nobody known and by the cluster's tags."""
    case, policy, cluster = situation.case, situation.policy, situation.snapshot.cluster
    if remedy is Remedy.KEEP:
        return 1, []
    if remedy is Remedy.RESCUE:
        return max(1, policy.quorum_rescue), []
    reasons: list[str] = []
    if remedy is Remedy.PARK:
        people = max(1, policy.quorum_reversible)
    else:
        people = max(1, policy.quorum_irreversible)
        known = case.attempts and all(is_mapped(a.caller, policy) for a in case.attempts)
        if people < 2 and not known:
            people = 2
            reasons.append("because the delete was not made by a known person")
    tags = {f"{key}={value}" for key, value in cluster.tags} if cluster else set()
    for tag, count in policy.quorum_by_tag:
        if tag in tags and count > people:
            people = count
            reasons.append(f"because the cluster is tagged {tag}")
    return people, reasons


def _use_reason(keys: bool, policy: Policy) -> str:
    if keys:
        return f"because a key was used in the last {policy.recent_use_days} days, or may have been"
    return "because other programs use the HSMs, or may"


def in_use(key: Key, situation: Situation) -> bool:
    """A recent use, a use that KMS can't tell, and a key that can't be read all count as use."""
    days, now = situation.policy.recent_use_days, situation.now
    return key.used_within(now, days=days) or key.use_is_unknown(now, days=days)


def keys_in_use(situation: Situation) -> list[Key]:
    """Live keys whose use stands in the way, or may."""
    return [key for key in situation.snapshot.live_keys if in_use(key, situation)]


FILLERS = "\u115f\u1160\u3164\uffa0"
"""Hangul’s: letters to Unicode, and nothing to the eye."""


def is_reason(text: str) -> bool:
    """Somebody can read it: spaces, signs and characters that nobody sees are no reason."""
    return any(character.isalnum() and character not in FILLERS for character in text)


def live(
    plan: Plan, clicks: Iterable[Click], situation: Situation, *, begun: bool = False
) -> tuple[Click, ...]:
    """Approvals that count for this plan now: one a person (e-mail), this hash, in time, still allowed.

    A later withdrawal takes it back until the plan changes something; `begun` plans don't age.
    If Slack can't say now who somebody is, the click's own (sealed) authorisation stands.
    """
    people, age = situation.people, timedelta(hours=situation.policy.expiry_hours)
    counted: list[Click] = []
    for click in standing(plan, clicks, situation.case):
        who = people.get(click.by)
        late = not begun and situation.now - click.at >= age
        why = refusal(who, Act.APPROVE, situation, remedy=plan.remedy)
        again = any(same_person(who, people.get(c.by)) for c in counted)
        if why in (None, Refusal.UNKNOWN) and not late and not again:
            counted.append(click)
    return tuple(counted)


def standing(plan: Plan, clicks: Iterable[Click], case: Case) -> tuple[Click, ...]:
    """Approvals of this plan that nobody took back; with a reason, and the override if it needs one."""

    def counts(click: Click) -> bool:
        if click.act is Act.WITHDRAW:
            return not case.plan_has_begun
        return is_reason(click.reason) and (click.override or not plan.terms.override)

    return folded(filter(counts, clicks), plan.plan_hash)


def folded(clicks: Iterable[Click], plan_hash: str) -> tuple[Click, ...]:
    """The last yes of each account to the plan of this hash that was not taken back."""
    latest: dict[str, Click] = {}
    for click in clicks:
        if click.act is Act.APPROVE and click.plan_hash == plan_hash:
            latest[click.by] = click
        elif click.act is Act.WITHDRAW:
            latest.pop(click.by, None)
    return tuple(latest.values())


def approved(plan: Plan, case: Case) -> tuple[Click, ...]:
    """Who has said yes to this plan in the round that is open. Whether each still may: see `live`."""
    return standing(plan, case.current_clicks, case)


def leading_offer(situation: Situation) -> tuple[Plan, tuple[Click, ...]] | None:
    """The offer that people have begun to approve, the one nearest to its number first."""
    case = situation.case
    begun = [
        (plan, clicks)
        for plan in case.offers
        if plan.remedy is not Remedy.KEEP and (clicks := live(plan, case.current_clicks, situation))
    ]
    return min(begun, key=lambda item: item[0].terms.people - len(item[1]), default=None)

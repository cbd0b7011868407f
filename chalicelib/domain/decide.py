"""The decision of a turn: a pure function that only orders what the other modules know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import approval, step_up
from chalicelib.domain.approval import Person
from chalicelib.domain.blind import hidden
from chalicelib.domain.case import Act, Case, Click, Difference, Outcome, Phase
from chalicelib.domain.changes import changes
from chalicelib.domain.gates import hard_gates
from chalicelib.domain.guard import guarded
from chalicelib.domain.look import is_gone, looked_at, until_sure
from chalicelib.domain.offers import (
    asked_again,
    asked_once_more,
    deadline,
    fresh_offers,
    said_once_more,
)
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies import keep, park, repoint, retire
from chalicelib.domain.remedies.scene import Scene
from chalicelib.domain.remedies.undo import recorded, undo_step
from chalicelib.domain.rest import HOUR, asleep, closed
from chalicelib.domain.snapshot import Snapshot
from chalicelib.domain.step import Ask, Call, Close, Decision, Move, Wait

__all__ = ["FOREIGN", "HOUR", "Decision", "decide"]

BLIND_SECONDS = 300
MOST_IDLE = timedelta(days=7)
"""Beyond the longest wait of a plan that has begun: then people look at the world afresh."""
FOREIGN = Close(
    Outcome.STOPPED,
    "The plan is about another account, Region or cluster than the case, so nothing was done.",
    ("Treat it as tampering: find out who wrote to Unlatch’s table.",),
)
"""No turn ever made such a plan."""
NEXT = {
    Remedy.RETIRE: retire.next_step,
    Remedy.PARK: park.next_step,
    Remedy.REPOINT: repoint.next_step,
}


def decide(
    case: Case,
    snapshot: Snapshot,
    *,
    people: Mapping[str, Person],
    policy: Policy,
    now: datetime,
) -> Decision:
    """What to do next about this case in this world. Total: any input gives a step.

    The order of endings is: the world, cancel, a begun plan, expiry. A closed case stays so.
    """
    if case.is_closed and case.outcome and case.outcome is not Outcome.KEPT:
        return closed(case, snapshot, now)
    unseen = hidden(case, snapshot)
    if unseen:
        wait = Wait(
            BLIND_SECONDS, f"Unlatch must be allowed to read AWS: {unseen.removesuffix('.')}"
        )
        return _running(case, wait, now)
    case = looked_at(case, snapshot, now)
    return (
        _world(case, snapshot, now)
        or _ending(case, snapshot, policy, now)
        or _unsure(case, now)
        or _begun(case, snapshot, people, policy, now)
        or (asleep(case, case.keep, now) if case.keep else None)
        or _choice(case, snapshot, people, policy, now)
    )


def _world(case: Case, snapshot: Snapshot, now: datetime) -> Decision | None:
    """The world has ended the case: two looks a minute apart say so."""
    if not case.is_its_own:
        return _close(case, FOREIGN, now)
    if not is_gone(case, snapshot) or until_sure(case, now) or (case.ending and case.has_begun):
        return None
    return _close(case, _finished(case) or _others_did(case, snapshot), now)


def _unsure(case: Case, now: datetime) -> Decision | None:
    """The cluster, or what the plan or an offer names, did not show: only a second look counts."""
    step = until_sure(case, now)
    if step is None:
        return None
    return _running(case, step, now) if case.phase is Phase.RUNNING else Decision(case, step)


def _finished(case: Case) -> Close | None:
    """The cluster is gone and the last call was ours."""
    plan = case.plan or case.last_plan
    if plan is None or not case.tried(Operation.DELETE_CLUSTER, case.cluster_id):
        return None
    outcome = Outcome.RETIRED if plan.remedy is Remedy.RETIRE else Outcome.REPOINTED
    return Close(outcome, "The cluster is deleted. AWS was read again to make sure.")


def _others_did(case: Case, snapshot: Snapshot) -> Close:
    if snapshot.cluster is None:
        more = "What Unlatch had changed before stays." if case.has_begun else ""
        reason = f"Somebody else deleted the cluster. {more or 'Unlatch has nothing left to do.'}"
        return Close(Outcome.RESOLVED, reason)
    return Close(
        Outcome.RESOLVED,
        "Nothing holds the cluster any more: no key store and no HSM is left. It can be deleted now.",
    )


def _close(case: Case, step: Close, now: datetime) -> Decision:
    closed = replace(
        case,
        phase=Phase.CLOSED,
        outcome=step.outcome,
        reason=step.reason,
        advice=step.advice,
        closed_at=now,
        waiting_for="",
    )
    return Decision(closed, step)


def _ending(case: Case, snapshot: Snapshot, policy: Policy, now: datetime) -> Decision | None:
    """Reject, cancel and undo: safe directions that one approver may ask for."""
    ending = case.ending
    if ending is None:
        return None
    plan = case.plan or case.last_plan
    if not case.has_begun or plan is None:
        outcome = Outcome.REJECTED if ending.act is Act.REJECT else Outcome.CANCELLED
        return _close(case, Close(outcome, "Nothing was changed."), now)
    return _running(case, undo_step(Scene(plan, case, snapshot, policy, now)), now)


def _running(case: Case, step: Move, now: datetime) -> Decision:
    if isinstance(step, Close):
        return _close(case, step, now)
    return Decision(replace(case, phase=Phase.RUNNING, waiting_for=step.why), step)


def _begun(
    case: Case, snapshot: Snapshot, people: Mapping[str, Person], policy: Policy, now: datetime
) -> Decision | None:
    plan = case.plan
    if plan is None:
        return None
    if case.phase is Phase.WAITING:
        case = said_once_more(case, plan, people=people, policy=policy, now=now)
    return _go_on(case, plan, snapshot, people, policy=policy, now=now)


def _go_on(
    case: Case,
    plan: Plan,
    snapshot: Snapshot,
    people: Mapping[str, Person],
    *,
    policy: Policy,
    now: datetime,
) -> Decision:
    """A fully approved plan goes on, as long as the world and the approvals still fit it."""
    scene = Scene(plan, case, snapshot, policy, now)
    if plan.remedy is Remedy.REPOINT and (lost := repoint.lost_key(scene)):
        return _bring_back(case, scene, lost)
    differences = changes(scene) + _approvals_lost(case, plan, people, policy, now)
    step = Ask(differences) if differences else guarded(NEXT[plan.remedy](scene), scene)
    if isinstance(step, Ask):
        again = (
            asked_once_more(case, plan, policy=policy, now=now, step=step)
            if step.once_more
            else asked_again(case, snapshot, policy=policy, now=now, step=step)
        )
        return Decision(again, step)
    if plan.terms.dry_run and not isinstance(step, Close):
        return _close(case, Close(Outcome.EXPLAINED, "Dry run: nothing was changed."), now)
    if isinstance(step, Call):
        case = replace(case, before=recorded(case, snapshot, now))
    return _running(case, step, now)


def _approvals_lost(
    case: Case, plan: Plan, people: Mapping[str, Person], policy: Policy, now: datetime
) -> tuple[Difference, ...]:
    """Approvals must count at every mutation; time bounds how long a plan may not begin, or not go on."""
    begun = case.plan_is_under_way
    if not begun and _is_late(case, now):
        lapsed = f"lapsed: nothing could begin in {policy.expiry_hours} hours"
        return (Difference("Approvals", "in time", lapsed),)
    if begun and (idle := _idle(case, plan, now)) > plan.longest_wait + MOST_IDLE:
        return (
            Difference(
                "Approvals", "in time", f"too old: nothing came of them for {idle.days} days"
            ),
        )
    clicks = case.current_clicks
    if begun:
        latest = {c.by: c for c in clicks if c.act in (Act.APPROVE, Act.WITHDRAW)}
        back = (c for c in latest.values() if c.act is Act.WITHDRAW)
        clicks = (*case.approved, *case.confirmed, *back)
    live = approval.live(
        plan, clicks, people=people, case=case, policy=policy, now=now, begun=begun
    )
    if step_up.is_unconfirmed(plan, clicks, case=case, policy=policy, now=now, begun=begun):
        return (Difference("Confirmation in AWS", "counted", "no longer counts"),)
    if len(live) >= plan.terms.people:
        return ()
    missing = sorted({c.by for c in case.approved} - {c.by for c in live})
    return tuple(_lost(who, case, clicks) for who in missing) or (
        Difference("Approvals", str(plan.terms.people), str(len(live))),
    )


def _idle(case: Case, plan: Plan, now: datetime) -> timedelta:
    """How long ago its last call was made, or somebody last said yes to it."""
    calls = (call.at for call in case.calls if call.plan_hash == plan.plan_hash)
    return now - max((*calls, *(click.at for click in case.approved)), default=now)


def _lost(who: str, case: Case, clicks: Sequence[Click]) -> Difference:
    is_back = any(c.by == who and c.act is Act.WITHDRAW for c in clicks)
    now = "taken back" if is_back and not case.plan_has_begun else "no longer counts"
    return Difference(f"Approval of {who}", "counted", now)


def _is_late(case: Case, now: datetime) -> bool:
    return case.expires_at is not None and now >= case.expires_at


def _bring_back(case: Case, scene: Scene, lost: str) -> Decision:
    """A key failed on the other cluster: the store goes back, and a person is needed."""
    step = undo_step(scene)
    if isinstance(step, Close):
        store = scene.store
        is_back = store is not None and store.cluster_id == case.cluster_id
        where = "The store is back on this cluster, and nothing was deleted."
        step = Close(
            Outcome.STOPPED,
            f"{lost} {where if is_back and step.outcome is Outcome.CANCELLED else step.reason}",
            ("Find out why the other cluster lacks the key.", "Then press Try again."),
        )
    return _running(case, step, scene.now)


def _choice(
    case: Case, snapshot: Snapshot, people: Mapping[str, Person], policy: Policy, now: datetime
) -> Decision:
    """Nothing is decided yet: keep, expire, or keep the offers fresh and begin what is approved."""
    if case.expires_at is None or case.watches:
        case = replace(case, expires_at=deadline(case, policy, now))
    kept = next((c for c in case.current_clicks if _keeps(case, c)), None)
    if kept:
        return asleep(replace(case, closed_at=now), keep.decision(kept), now)
    if _is_late(case, now):
        return _close(case, _expired(case, policy), now)
    case, void = fresh_offers(case, snapshot, policy=policy, now=now)
    clicks = case.current_clicks
    for plan in case.offers:
        approvals = approval.live(plan, clicks, people=people, case=case, policy=policy, now=now)
        gates = hard_gates(plan.remedy, snapshot, policy=policy, now=now)
        confirmed = step_up.confirmations(plan, clicks, case=case, policy=policy, now=now)
        enough = len(approvals) >= plan.terms.people and (confirmed or not plan.terms.step_up)
        if plan.remedy is not Remedy.KEEP and not gates and enough:
            chosen = replace(case, plan=plan, last_plan=plan, approved=approvals, differences=())
            chosen = replace(chosen, confirmed=confirmed)
            # Once more with the plan: its quiet time begins now, not at the next look.
            chosen = looked_at(chosen, snapshot, now)
            return _go_on(chosen, plan, snapshot, people, policy=policy, now=now)
    return Decision(replace(case, phase=Phase.WAITING), Ask(differences=void))


def _keeps(case: Case, click: Click) -> bool:
    in_time = case.expires_at is None or click.at < case.expires_at
    return click.act is Act.KEEP and click.keep_until is not None and in_time


def _expired(case: Case, policy: Policy) -> Close:
    reason = f"Nobody decided in {policy.expiry_hours} hours."
    if not case.has_begun:
        return Close(Outcome.EXPIRED, reason)
    return Close(
        Outcome.EXPIRED,
        f"{reason} What Unlatch had changed before stays as it is.",
        ("Press Undo: that brings back what can come back.",),
    )

"""The decision of a turn: a pure function that only orders what the other modules know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.observe import observe
from chalicelib.domain.offers import (
    apply_reconfirmation,
    asked_once_more,
    deadline,
    fresh_offers,
    request_reapproval,
)
from chalicelib.domain.preconditions import check_preconditions
from chalicelib.domain.remedies import keep, park, release, repoint, rescue, retire
from chalicelib.domain.remedies.undo import recorded, undo_step
from chalicelib.domain.rest import HOUR, asleep, closed
from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules import approval, outage, step_up
from chalicelib.domain.rules.endings import NO_SUCH, closed_by, finished, others_did
from chalicelib.domain.rules.gates import hard_gates
from chalicelib.domain.rules.gone import is_gone, never_was, until_sure
from chalicelib.domain.rules.situation import PlanContext, Situation
from chalicelib.domain.rules.step import Ask, Call, Close, Decision, Move, Wait
from chalicelib.domain.rules.unreadable import first_unreadable, remembered
from chalicelib.domain.rules.waiting import may_wait
from chalicelib.domain.state.case import Case, Difference, Outcome, Phase
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Plan, Remedy

__all__ = ["FOREIGN", "HOUR", "Decision", "decide"]

BLIND_SECONDS = 300
FOREIGN = Close(
    Outcome.STOPPED,
    "The plan is about another account, Region or cluster than the case, so nothing was done.",
    ("Treat it as tampering: find out who wrote to Unlatch’s table.",),
)
"""No turn ever made such a plan."""
NEXT = {
    Remedy.RELEASE: release.next_step,
    Remedy.RESCUE: rescue.next_step,
    Remedy.RETIRE: retire.next_step,
    Remedy.PARK: park.next_step,
    Remedy.REPOINT: repoint.next_step,
}


def decide(situation: Situation) -> Decision:
    """What to do next about this case in this world. Total: any input gives a step.

    The order of endings is: the world, cancel, a begun plan, expiry. A closed case stays so.
    """
    decision, snapshot = _decided(situation), situation.snapshot
    case = decision.case
    if case.snapshot is not snapshot or (known := remembered(case, snapshot)) is snapshot:
        return decision
    return replace(decision, case=replace(case, snapshot=known))


def _decided(situation: Situation) -> Decision:
    case, snapshot = situation.case, situation.snapshot
    if case.is_closed and case.outcome and case.outcome is not Outcome.KEPT:
        return closed(situation)
    unseen = first_unreadable(case, snapshot)
    if unseen:
        watches = may_wait(case, snapshot)
        situation = situation.with_case(replace(case, snapshot=snapshot, watches=watches))
        wait = Wait(
            BLIND_SECONDS, f"Unlatch must be allowed to read AWS: {unseen.removesuffix('.')}"
        )
        return _running(situation, wait)
    situation = situation.with_case(observe(case, snapshot, situation.now))
    situation = situation.with_case(outage.turned(situation))
    return (
        _world(situation)
        or _ending(situation)
        or _unsure(situation)
        or _begun(situation)
        or _kept(situation)
        or _over(situation)
        or _choice(situation)
    )


def _world(situation: Situation) -> Decision | None:
    """The world has ended the case: two looks a minute apart say so."""
    case, snapshot = situation.case, situation.snapshot
    if not case.is_its_own:
        return _close(situation, FOREIGN)
    if never_was(case, snapshot):
        return _close(situation, NO_SUCH)
    unsure = until_sure(case, situation.now)
    if not is_gone(case, snapshot) or unsure or (case.ending and case.has_begun):
        return None
    if case.is_rescue or (snapshot.holder and snapshot.keys):
        return None  # keys still need it: that is no end
    return _close(situation, finished(case) or others_did(case, snapshot))


def _unsure(situation: Situation) -> Decision | None:
    """The cluster, or what the plan or an offer names, did not show: only a second look counts."""
    case = situation.case
    step = until_sure(case, situation.now)
    if step is None:
        return None
    return _running(situation, step) if case.phase is Phase.RUNNING else Decision(case, step)


def _kept(situation: Situation) -> Decision | None:
    kept = situation.case.keep
    return asleep(situation, kept) if kept else None


def _over(situation: Situation) -> Decision | None:
    """An outage that has ended, or that hurts nobody."""
    step = outage.ended(situation)
    return _close(situation, step) if step else None


def _close(situation: Situation, step: Close) -> Decision:
    return Decision(closed_by(situation.case, step, situation.now), step)


def _ending(situation: Situation) -> Decision | None:
    """Reject, cancel and undo: safe directions that one approver may ask for."""
    case = situation.case
    ending, plan = case.ending, case.current_plan
    if ending is None:
        return None
    if not case.has_begun or plan is None:
        outcome = Outcome.REJECTED if ending.act is Act.REJECT else Outcome.CANCELLED
        return _close(situation, Close(outcome, "Nothing was changed."))
    return _running(situation, undo_step(situation.on(plan)))


def _running(situation: Situation, step: Move) -> Decision:
    if isinstance(step, Close):
        return _close(situation, step)
    case = replace(situation.case, phase=Phase.RUNNING, waiting_for=step.why)
    return Decision(case, step)


def _begun(situation: Situation) -> Decision | None:
    case, plan = situation.case, situation.case.plan
    if plan is None:
        return None
    if case.phase is Phase.WAITING:
        situation = situation.with_case(apply_reconfirmation(situation, plan))
    if plan.remedy is Remedy.RESCUE and (over := _over(situation)):
        return over
    return _go_on(situation.on(plan))


def _go_on(context: PlanContext) -> Decision:
    """A fully approved plan goes on, as long as the world and the approvals still fit it."""
    plan = context.plan
    if plan.remedy is Remedy.REPOINT and (lost := repoint.lost_key(context)):
        return _bring_back(context, lost)
    differences = changes(context) + _approvals_lost(context)
    step = (
        Ask(differences)
        if differences
        else check_preconditions(NEXT[plan.remedy](context), context)
    )
    if isinstance(step, Ask):
        again = (
            asked_once_more(context, plan, step)
            if step.once_more
            else request_reapproval(context, step)
        )
        return Decision(again, step)
    if plan.terms.dry_run and not isinstance(step, Close):
        return _close(context, Close(Outcome.EXPLAINED, "Dry run: nothing was changed."))
    if isinstance(step, Call):
        context = replace(context, case=replace(context.case, before=recorded(context)))
    return _running(context, step)


def _approvals_lost(context: PlanContext) -> tuple[Difference, ...]:
    """Approvals must count at every mutation; time bounds how long a plan may not begin, or not go on."""
    case, plan = context.case, context.plan
    begun = case.plan_is_under_way
    if not begun and _is_late(context):
        lapsed = f"lapsed: nothing could begin in {context.policy.expiry_hours} hours"
        return (Difference("Approvals", "in time", lapsed),)
    if begun and context.is_stale:
        old = f"too old: nothing came of them for {context.idle.days} days"
        return (Difference("Approvals", "in time", old),)
    clicks = case.current_clicks
    if begun:
        stands = {c.by for c in approval.folded(clicks, plan.plan_hash)}
        back = (c for c in clicks if c.act is Act.WITHDRAW and c.by not in stands)
        clicks = (*case.approved, *case.confirmed, *back)
    live = approval.live(plan, clicks, context, begun=begun)
    if step_up.is_unconfirmed(plan, clicks, context, begun=begun):
        return (Difference("Confirmation in AWS", "counted", "no longer counts"),)
    if len(live) >= plan.terms.people:
        return ()
    missing = sorted({c.by for c in case.approved} - {c.by for c in live})
    return tuple(_lost(who, case, clicks) for who in missing) or (
        Difference("Approvals", str(plan.terms.people), str(len(live))),
    )


def _lost(who: str, case: Case, clicks: Sequence[Click]) -> Difference:
    is_back = any(c.by == who and c.act is Act.WITHDRAW for c in clicks)
    now = "taken back" if is_back and not case.plan_has_begun else "no longer counts"
    return Difference(f"Approval of {who}", "counted", now)


def _is_late(situation: Situation) -> bool:
    expiry = situation.case.expires_at
    return expiry is not None and situation.now >= expiry


def _bring_back(context: PlanContext, lost: str) -> Decision:
    """A key failed on the other cluster: the store goes back, and a person is needed."""
    step = undo_step(context)
    if isinstance(step, Close):
        store = context.store
        is_back = store is not None and store.cluster_id == context.case.cluster_id
        where = "The store is back on this cluster, and nothing was deleted."
        step = Close(
            Outcome.STOPPED,
            f"{lost} {where if is_back and step.outcome is Outcome.CANCELLED else step.reason}",
            step.advice or ("Find out why the other cluster lacks the key.",),
        )
    return _running(context, step)


def _choice(situation: Situation) -> Decision:
    """Nothing is decided yet: keep, expire, or keep the offers fresh and begin what is approved."""
    case, now = situation.case, situation.now
    if case.expires_at is None or case.watches:
        case = replace(case, expires_at=deadline(situation))
        situation = situation.with_case(case)
    kept = next((c for c in case.current_clicks if _keeps(case, c)), None)
    if kept:
        return asleep(situation.with_case(replace(case, closed_at=now)), keep.decision(kept))
    if _is_late(situation):
        return _close(situation, _expired(situation))
    case, void = fresh_offers(situation)
    situation = situation.with_case(case)
    for plan in case.offers:
        chosen = _approved(situation, plan)
        if chosen:
            return _go_on(situation.with_case(chosen).on(plan))
    return Decision(replace(case, phase=Phase.WAITING), Ask(differences=void))


def _approved(situation: Situation, plan: Plan) -> Case | None:
    """The case with this plan, if enough people want it and nothing stands in its way."""
    case = situation.case
    approvals = approval.live(plan, case.current_clicks, situation)
    confirmed = step_up.confirmations(plan, case.current_clicks, situation)
    enough = len(approvals) >= plan.terms.people and (confirmed or not plan.terms.step_up)
    if plan.remedy is Remedy.KEEP or plan.lacks_choice or not enough:
        return None
    if hard_gates(plan.remedy, situation):
        return None
    chosen = replace(
        case,
        plan=plan,
        last_plan=plan,
        approved=approvals,
        confirmed=confirmed,
        differences=(),
    )
    # Once more with the plan: its quiet time begins now, not at the next look.
    return observe(chosen, situation.snapshot, situation.now)


def _keeps(case: Case, click: Click) -> bool:
    in_time = case.expires_at is None or click.at < case.expires_at
    return click.act is Act.KEEP and click.keep_until is not None and in_time


def _expired(situation: Situation) -> Close:
    reason = f"Nobody decided in {situation.policy.expiry_hours} hours."
    if not situation.case.has_begun:
        return Close(Outcome.EXPIRED, reason)
    return Close(
        Outcome.EXPIRED,
        f"{reason} What Unlatch had changed before stays as it is.",
        ("Undo brings back what can come back.",),
    )

"""The decision of a turn: a pure function that only orders what the other modules know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain import approval
from chalicelib.domain.approval import Person
from chalicelib.domain.case import Act, Before, Case, Difference, KeyBefore, Outcome, Phase
from chalicelib.domain.changes import changes
from chalicelib.domain.diagnosis import all_plans
from chalicelib.domain.gates import hard_gates
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.policy import Policy
from chalicelib.domain.remedies import keep, park, repoint, retire
from chalicelib.domain.remedies.scene import Scene
from chalicelib.domain.remedies.undo import undo_step
from chalicelib.domain.snapshot import Snapshot, StoreState
from chalicelib.domain.step import Ask, Call, Close, Step, Wait

HOUR = 60 * 60
CONFIRM = timedelta(minutes=1)
"""Gone means: two reads this far apart."""
IRREVERSIBLE = frozenset(
    {
        Operation.SCHEDULE_KEY_DELETION,
        Operation.DELETE_KEY_STORE,
        Operation.DELETE_HSM,
        Operation.DELETE_CLUSTER,
    }
)
NEXT = {
    Remedy.RETIRE: retire.next_step,
    Remedy.PARK: park.next_step,
    Remedy.REPOINT: repoint.next_step,
}


@dataclass(frozen=True)
class Decision:
    """The step, and the case as it stands with it."""

    case: Case
    step: Step


def decide(
    case: Case,
    snapshot: Snapshot,
    *,
    people: Mapping[str, Person],
    policy: Policy,
    now: datetime,
) -> Decision:
    """What to do next about this case in this world. Total: any input gives a step.

    The order of endings is: the world, cancel, a begun plan, expiry.
    """
    case = _look(case, snapshot, now)
    return (
        _world(case, snapshot, now)
        or _ending(case, snapshot, policy, now)
        or _begun(case, snapshot, people, policy, now)
        or _kept(case, now)
        or _choice(case, snapshot, people, policy, now)
    )


def _look(case: Case, snapshot: Snapshot, now: datetime) -> Case:
    """Takes in the snapshot: since when things are gone, quiet, or soaking."""
    gone = _is_gone(case, snapshot)
    holder = snapshot.key_store(case.plan.key_store_id if case.plan else None) or snapshot.holder
    disconnected = holder is None or holder.state is StoreState.DISCONNECTED
    plan = case.plan
    soaking = (
        plan is not None
        and holder is not None
        and plan.remedy is Remedy.REPOINT
        and holder.cluster_id == plan.target_cluster_id
        and holder.state is StoreState.CONNECTED
        and not repoint.unproved(plan, case, snapshot)
    )
    moved = plan is not None and holder is not None and holder.cluster_id == plan.target_cluster_id
    return replace(
        case,
        snapshot=snapshot,
        gone_since=(case.gone_since or now) if gone else None,
        quiet_since=(case.quiet_since or now) if plan and (disconnected or moved) else None,
        soaking_since=(case.soaking_since or now) if soaking else None,
    )


def _is_gone(case: Case, snapshot: Snapshot) -> bool:
    """The cluster is gone for sure; before our first mutation also: nothing holds it any more."""
    if snapshot.unread:
        return False
    if snapshot.cluster is None:
        return True
    going = snapshot.cluster.state in ("DELETE_IN_PROGRESS", "DELETED")
    free = snapshot.holder is None and not snapshot.cluster.hsms and not going
    return free and not case.has_begun


def _world(case: Case, snapshot: Snapshot, now: datetime) -> Decision | None:
    """The world has ended the case: two looks a minute apart say so."""
    if case.gone_since is None:
        return None
    left = (case.gone_since + CONFIRM - now).total_seconds()
    if left > 0:
        phase = Phase.RUNNING if case.has_begun else case.phase
        return Decision(
            replace(case, phase=phase), Wait(int(left) + 1, "reading AWS once more to make sure")
        )
    finished = case.has_begun and case.plan is not None and snapshot.cluster is None
    if finished and case.plan and case.plan.is_irreversible:
        outcome = Outcome.RETIRED if case.plan.remedy is Remedy.RETIRE else Outcome.REPOINTED
        return _close(
            case, Close(outcome, "The cluster is deleted. AWS was read again to make sure."), now
        )
    reason = (
        "Somebody else deleted the cluster. Unlatch has nothing left to do."
        if snapshot.cluster is None
        else "Somebody else removed what held the cluster: no key store and no HSM is left. "
        "It can be deleted now."
    )
    return _close(case, Close(Outcome.RESOLVED, reason), now)


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
    step = undo_step(Scene(plan, case, snapshot, policy, now))
    return _running(case, step, now)


def _running(case: Case, step: Step, now: datetime) -> Decision:
    if isinstance(step, Close):
        return _close(case, step, now)
    why = step.why if isinstance(step, Call | Wait) else ""
    return Decision(replace(case, phase=Phase.RUNNING, waiting_for=why), step)


def _begun(
    case: Case, snapshot: Snapshot, people: Mapping[str, Person], policy: Policy, now: datetime
) -> Decision | None:
    """A fully approved plan goes on, as long as the world and the approvals still fit it."""
    plan = case.plan
    if plan is None:
        return None
    scene = Scene(plan, case, snapshot, policy, now)
    begun = case.plan_has_begun
    clicks = case.approved if begun else case.clicks[case.reset_at_click :]
    approvals = approval.live(
        plan, clicks, people=people, case=case, policy=policy, now=now, begun=begun
    )
    differences = changes(scene)
    if len(approvals) < plan.terms.people:
        missing = sorted({c.by for c in case.approved} - {c.by for c in approvals})
        differences += tuple(
            Difference(f"Approval of {who}", "counted", "no longer counts") for who in missing
        ) or (Difference("Approvals", str(plan.terms.people), str(len(approvals))),)
    if differences:
        return _ask_again(case, snapshot, policy, now, Ask(differences=differences))
    step = NEXT[plan.remedy](scene)
    if plan.remedy is Remedy.REPOINT and (lost := repoint.lost_key(scene)):
        return _bring_back(case, scene, lost)
    step = _gated(step, scene)
    if isinstance(step, Ask):
        return _ask_again(case, snapshot, policy, now, step)
    if plan.terms.dry_run and isinstance(step, Call):
        return _close(case, Close(Outcome.EXPLAINED, "Dry run: nothing was changed."), now)
    return _running(_remember(case, snapshot, step, now), step, now)


def _gated(step: Step, scene: Scene) -> Step:
    """Only calls that the plan names; nothing irreversible while a hard check is closed."""
    plan = scene.plan
    if not isinstance(step, Call):
        return step
    strange = set(step.targets) - set(plan.names(step.operation))
    if strange:
        what = f"{step.operation.split(':')[1]} on {sorted(strange)[0]}"
        return Ask(differences=(Difference(what, "not in the plan", "needed now"),))
    if step.operation not in IRREVERSIBLE:
        return step
    gates = hard_gates(plan.remedy, scene.snapshot, policy=scene.policy, now=scene.now)
    if gates:
        return Ask(gates=gates)
    hours = plan.terms.go_again_after
    final = step.operation in (Operation.DELETE_KEY_STORE, Operation.DELETE_CLUSTER)
    if hours and final and scene.case.approved:
        last = max(click.at for click in scene.case.approved)
        if scene.now - last >= timedelta(hours=hours):
            return Ask(
                differences=(Difference("Last approval", f"{hours} h old at most", "older"),)
            )
    return step


def _remember(case: Case, snapshot: Snapshot, step: Step, now: datetime) -> Case:
    """Before a plan's first mutation: the states that cancel and undo may restore.

    A later plan of the same case only adds keys that are new; what was first recorded stays.
    """
    if not isinstance(step, Call) or case.plan_has_begun:
        return case
    live = tuple(KeyBefore(key.key_id, key.state) for key in snapshot.keys if key.is_live)
    if case.before is not None:
        known = {key.key_id for key in case.before.keys}
        more = tuple(key for key in live if key.key_id not in known)
        return replace(case, before=replace(case.before, keys=(*case.before.keys, *more)))
    holder = snapshot.holder
    before = Before(
        at=now,
        store_state=holder.state if holder else None,
        keys=live,
        zones=snapshot.cluster.zones if snapshot.cluster else (),
        cluster_id=case.cluster_id,
    )
    return replace(case, before=before)


def _bring_back(case: Case, scene: Scene, lost: str) -> Decision:
    """A key failed on the other cluster: the store goes back, and a person is needed."""
    step = undo_step(scene)
    if isinstance(step, Close):
        step = Close(
            Outcome.STOPPED,
            f"{lost} The store is back on this cluster, and nothing was deleted.",
            ("Find out why the other cluster lacks the key.", "Then press Try again."),
        )
    return _running(case, step, scene.now)


def _ask_again(
    case: Case, snapshot: Snapshot, policy: Policy, now: datetime, step: Ask
) -> Decision:
    """The approvals are void; the case waits for people with fresh plans and the difference shown."""
    asked = replace(
        case,
        phase=Phase.WAITING,
        plan=None,
        approved=(),
        offers=all_plans(snapshot, case=case, policy=policy, now=now),
        differences=step.differences
        or tuple(Difference(gate.check, "held", gate.found) for gate in step.gates),
        expires_at=now + timedelta(hours=policy.expiry_hours),
        reset_at_click=len(case.clicks),
        reminded=False,
        waiting_for="",
    )
    return Decision(asked, step)


def _kept(case: Case, now: datetime) -> Decision | None:
    """A kept case sleeps until its date; then the question comes back."""
    if case.keep is None:
        return None
    if not keep.lapsed(case, now):
        left = int((case.keep.until - now).total_seconds()) + 1
        kept = replace(case, phase=Phase.CLOSED, outcome=Outcome.KEPT, reason=case.keep.reason)
        return Decision(kept, Wait(min(left, 30 * 24 * HOUR), "kept as it is"))
    back = replace(
        case,
        phase=Phase.WAITING,
        outcome=None,
        reason="",
        keep=None,
        closed_at=None,
        expires_at=None,
        reset_at_click=len(case.clicks),
        reminded=False,
    )
    return Decision(back, Wait(1, "the keep has lapsed"))


def _choice(
    case: Case, snapshot: Snapshot, people: Mapping[str, Person], policy: Policy, now: datetime
) -> Decision:
    """Nothing is decided yet: keep the offers fresh, begin what is fully approved, or expire."""
    if case.expires_at is None or not case.message.ts:
        case = replace(case, expires_at=now + timedelta(hours=policy.expiry_hours))
    clicks = case.clicks[case.reset_at_click :]
    kept = next((c for c in clicks if c.act is Act.KEEP), None)
    if kept:
        return _kept(replace(case, keep=keep.decision(kept), closed_at=now), now) or Decision(
            case, Ask()
        )
    case, void = _fresh_offers(case, snapshot, policy, now)
    for plan in case.offers:
        approvals = approval.live(plan, clicks, people=people, case=case, policy=policy, now=now)
        gates = hard_gates(plan.remedy, snapshot, policy=policy, now=now)
        if plan.remedy is not Remedy.KEEP and not gates and len(approvals) >= plan.terms.people:
            chosen = replace(case, plan=plan, last_plan=plan, approved=approvals, differences=())
            return _begun(chosen, snapshot, people, policy, now) or Decision(chosen, Ask())
    assert case.expires_at is not None, "set above"
    if now >= case.expires_at:
        hours = policy.expiry_hours
        return _close(case, Close(Outcome.EXPIRED, f"Nobody decided in {hours} hours."), now)
    return Decision(replace(case, phase=Phase.WAITING), Ask(differences=void))


def _fresh_offers(
    case: Case, snapshot: Snapshot, policy: Policy, now: datetime
) -> tuple[Case, tuple[Difference, ...]]:
    """Offers for this world. One that people approved stands as long as nothing that matters changed."""
    hashes = {c.plan_hash for c in case.clicks[case.reset_at_click :] if c.act is Act.APPROVE}
    approved = {
        (plan.remedy, plan.target_cluster_id): plan
        for plan in case.offers
        if plan.plan_hash in hashes
    }
    offers: list[Plan] = []
    void: tuple[Difference, ...] = ()
    for plan in all_plans(snapshot, case=case, policy=policy, now=now):
        old = approved.pop((plan.remedy, plan.target_cluster_id), None)
        differences = changes(Scene(old, case, snapshot, policy, now)) if old else ()
        void += differences
        offers.append(old if old and not differences else plan)
    for old in approved.values():
        why = changes(Scene(old, case, snapshot, policy, now))
        void += why or (Difference(old.remedy.capitalize(), "possible", "not possible any more"),)
    case = replace(case, offers=tuple(offers))
    if void:
        void = tuple(dict.fromkeys(void))
        case = replace(
            case,
            differences=void,
            reset_at_click=len(case.clicks),
            expires_at=now + timedelta(hours=policy.expiry_hours),
        )
    return case, void

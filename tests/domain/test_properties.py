"""Every state that decide can meet, and the invariants of the design in each. Needs no examples.

`make test` walks a slice; `pytest -m slow` walks all of it (a million, some minutes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.decide import Decision, decide
from chalicelib.domain.rules.step import Ask, Call, Close, Wait
from chalicelib.domain.state.case import CallStatus, Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.domain.state.zones import zone_labels, zone_of
from tests.domain.states import Approved, all_worlds, plans, situations
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    OTHER_CLUSTER,
    PEOPLE,
    RESTORING,
    STORE,
    illegal,
    person,
    situation,
)

pytestmark = pytest.mark.any_words

SLICE, SPARSE = 401, 1201
"""Primes: the slice of the default run touches every value of every dimension."""
MALLORY = person("mallory", is_approver=False)
EVERYBODY = {**PEOPLE, "mallory": MALLORY}


def visit(trigger: Trigger, every: int) -> Counter[str]:
    """Decides in every n-th state and checks the result; counts the steps by kind."""
    seen: Counter[str] = Counter()
    number = 0
    for approved in plans(trigger):
        for words, before, now in situations(approved):
            worlds = all_worlds(approved)
            for snapshot in worlds[-number % every :: every]:
                for decision, wrong in looks(before, approved, snapshot, now):
                    assert not wrong, story(wrong, words, approved, snapshot, decision)
                    seen[type(decision.step).__name__] += 1
            number += len(worlds)
    return seen


def looks(
    before: Case, approved: Approved, snapshot: Snapshot, now: datetime
) -> Iterator[tuple[Decision, str]]:
    """The decision on this look; if it is not believed yet, that on the same one a minute later too."""
    for _ in range(2):
        here = replace(snapshot, at=now)
        decision = decide(
            situation(here, case=before, policy=approved.policy, now=now, people=EVERYBODY)
        )
        yield decision, flaw(before, decision, here, now)
        step = decision.step
        if not isinstance(step, Wait) or not step.why.startswith("reading AWS once more"):
            return
        before, now = decision.case, now + timedelta(seconds=step.seconds)


def story(
    wrong: str, words: str, approved: Approved, snapshot: Snapshot, decision: Decision
) -> str:
    """What a person needs to see the flaw."""
    plan = approved.plan
    keys = {k.name: k.state.value for k in snapshot.keys}
    stores = [(s.state.value, s.cluster_id) for s in snapshot.key_stores]
    here = snapshot.cluster and (snapshot.cluster.state, snapshot.cluster.zones)
    return "\n".join(
        (
            f"{wrong}: {decision.step}",
            f"{approved.trigger}: {plan.remedy} from {plan.basis}",
            f"case: {words}",
            f"world: {here} {stores} {keys} {snapshot.unread} {snapshot.siblings}",
        )
    )


def flaw(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """The first invariant that this decision breaks, in words; "" if all hold."""
    match decision.step:
        case Close() as step:
            return close_flaw(before, decision.case, step) or claim_flaw(before, decision, snapshot)
        case Wait() as step:
            return "" if step.seconds >= 1 and step.why else "a wait needs a time and a reason"
        case Ask():
            fine = decision.case.phase is Phase.WAITING and decision.case.plan is None
            return "" if fine else "who asks waits, and holds no approved plan"
        case Call() as step:
            broken = (rule(before, decision, snapshot, now) for rule in CALL_RULES)
            return next((why for why in broken if why), "")


def close_flaw(before: Case, after: Case, step: Close) -> str:
    if before.is_closed and before.keep is None:
        return "" if after == before else "a closed case stays as it is"
    fine = after.phase is Phase.CLOSED and after.outcome is step.outcome and step.reason
    return "" if fine else "a close needs an outcome and a sentence"


def claim_flaw(before: Case, decision: Decision, snapshot: Snapshot) -> str:
    """Invariant 8: what is claimed is what this look shows."""
    step, trigger = decision.step, decision.case.trigger
    assert isinstance(step, Close)
    if before.is_closed and before.keep is None:
        return ""
    here, held = snapshot.cluster, snapshot.holder
    match step.outcome:
        case Outcome.RETIRED | Outcome.REPOINTED:
            return "" if here is None and not snapshot.unread else "the cluster is not gone"
        case Outcome.PARKED:
            off = held is None or held.state is StoreState.DISCONNECTED
            return "" if here and not here.hsms and off else "not parked"
        case Outcome.RELEASED:
            free = here is not None and not held and not snapshot.unread
            return "" if free else "the cluster is not free"
        case Outcome.RESCUED:
            held = snapshot.key_store(STORE)
            serves = held is not None and held.state is StoreState.CONNECTED
            return "" if serves and not snapshot.unread else "the keys are not served"
        case Outcome.RESOLVED:
            fine = is_resolved(trigger, snapshot) and not snapshot.unread
            return "" if fine else "it is not resolved"
    return ""


def is_resolved(trigger: Trigger, snapshot: Snapshot) -> bool:
    """What others did leaves nothing of what the case was about."""
    here, held = snapshot.cluster, snapshot.holder
    if here is None:
        return held is None or not snapshot.keys
    if trigger.is_outage:
        connected = held is not None and held.state is StoreState.CONNECTED
        return held is None or (connected and bool(snapshot.live_hsms))
    about_the_store = trigger in (Trigger.STORE_DELETE_BLOCKED, Trigger.CLUSTER_TAKEN)
    return held is None and (about_the_store or not here.hsms)


def missing(plan: Plan, snapshot: Snapshot) -> set[str]:
    """What the plan names and the look lacks: store, keys, HSMs by zone. A rescue misses no HSM: it adds."""
    here = [hsm.zone for hsm in snapshot.cluster.hsms] if snapshot.cluster else []
    lacks = {key.key_id for key in plan.basis.keys} - {key.key_id for key in snapshot.keys}
    lacks |= {plan.key_store_id or ""} - {s.key_store_id for s in snapshot.key_stores} - {""}
    if plan.remedy is Remedy.RESCUE:
        return lacks
    return lacks | {z for z in plan.basis.zones if here.count(z) < plan.basis.zones.count(z)}


def gone_for_sure(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Rule 2: a call that follows on something being gone needs two looks. Cancelling does not wait."""
    step, plan = decision.step, before.plan or before.last_plan or decision.case.plan
    assert isinstance(step, Call)
    if plan is None or step.operation is Operation.CANCEL_KEY_DELETION or snapshot.unread:
        return ""
    lacks = missing(plan, snapshot) and before.missing_since is None
    return "one look is taken for gone" if lacks else ""


def brings_back(before: Case) -> bool:
    """A key failed to prove itself: the store goes back by itself, which is no progress."""
    refused = (c for c in before.calls if c.status is CallStatus.REFUSED and not c.denied)
    return any(c.operation is Operation.PROVE_KEY for c in refused)


def ours(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Rule 3: what vanished is progress only where we deleted it, and its time is over."""
    plan = decision.case.plan
    if before.ending is not None or plan is None or brings_back(before):
        return ""
    made = {(c.operation, c.target) for c in before.calls if c.status is not CallStatus.REFUSED}
    scheduled = {
        c.target: c.at for c in before.calls if c.operation is Operation.SCHEDULE_KEY_DELETION
    }
    known = {k.key_id: k.state for k in plan.basis.keys}
    for what in missing(plan, snapshot):
        if what in known:
            window = timedelta(days=plan.window_days)
            due = what in scheduled and now - scheduled[what] >= window
            fine = due or known[what] is KeyState.PENDING_DELETION
        elif what == plan.key_store_id:
            fine = (Operation.DELETE_KEY_STORE, what) in made
        else:
            fine = any(op is Operation.DELETE_HSM and zone_of(t) == what for op, t in made)
        if not fine:
            return f"goes on though {what} vanished"
    return ""


def legal(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    step = decision.step
    assert isinstance(step, Call)
    if not step.targets or len(set(step.targets)) != len(step.targets):
        return "a call needs targets, each once"
    return next((why for t in step.targets if (why := illegal(step, t, snapshot))), "")


def allowed(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Invariants 1, 3, 4: named in a plan that enough people approved, in time for its first call."""
    step, plan = decision.step, decision.case.plan
    assert isinstance(step, Call)
    if before.ending is not None:
        return ""
    if plan is None or not set(step.targets) <= set(plan.names(step.operation)):
        return "beyond the plan"
    if plan.terms.dry_run:
        return "a call in a dry run"
    first = not any(
        c.plan_hash == plan.plan_hash and c.status is not CallStatus.REFUSED for c in before.calls
    )
    # Waiting for keys that were going already is the first step of such a plan.
    going = any(k.state is KeyState.PENDING_DELETION for k in plan.basis.keys)
    waited = going and not plan.names(Operation.SCHEDULE_KEY_DELETION)
    withdrawn = {c.by for c in before.clicks if c.act is Act.WITHDRAW} if first else set()
    by = {
        c.by
        for c in (before.clicks if first else decision.case.approved)
        if c.act is Act.APPROVE
        and c.plan_hash == plan.plan_hash
        and c.reason.strip()
        and (c.override or not plan.terms.override)
        and EVERYBODY[c.by].is_approver
        and (not first or waited or now - c.at < DAY)
    }
    return "" if len(by - withdrawn) >= plan.terms.people else "too few approvals"


def recorded_first(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    return "" if decision.case.before else "nothing recorded before the first call"


def keys_first(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Invariant 12, and the order of retire."""
    step, plan = decision.step, decision.case.plan
    held = snapshot.key_store(STORE)
    assert isinstance(step, Call)
    if step.operation is Operation.SCHEDULE_KEY_DELETION:
        fine = held and held.state is StoreState.CONNECTED and snapshot.live_hsms
        return "" if fine else "keys go only while the store is connected, with an HSM"
    if before.ending or plan is None or plan.remedy is not Remedy.RETIRE or not snapshot.keys:
        return ""
    if step.operation is Operation.DISCONNECT_KEY_STORE and held:
        fixes = held.state is StoreState.FAILED and plan.names(Operation.CONNECT_KEY_STORE)
        return "" if fixes else "disconnected while keys are left"
    late = (Operation.DELETE_KEY_STORE, Operation.DELETE_HSM, Operation.DELETE_CLUSTER)
    return "keys are left in the store" if held and step.operation in late else ""


def known(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Invariant 7: what is not known counts as the worst."""
    step, plan = decision.step, decision.case.plan
    assert isinstance(step, Call)
    final = {
        Operation.SCHEDULE_KEY_DELETION,
        Operation.DELETE_KEY_STORE,
        Operation.DELETE_HSM,
        Operation.DELETE_CLUSTER,
    }
    if before.ending or not plan or plan.remedy is Remedy.PARK or step.operation not in final:
        return ""
    ready = snapshot.cluster is not None and snapshot.cluster.newest_backup is not None
    return "" if snapshot.is_complete and ready else "final without knowing all"


def moved_whole(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Repoint deletes only what the store has left, and only once every enabled key has proved itself."""
    step, plan = decision.step, decision.case.plan
    assert isinstance(step, Call)
    gone = (Operation.DELETE_HSM, Operation.DELETE_CLUSTER)
    if not plan or plan.remedy is not Remedy.REPOINT or step.operation not in gone:
        return ""
    held = snapshot.key_store(STORE)
    there = held and held.cluster_id == OTHER_CLUSTER and held.state is StoreState.CONNECTED
    proved = all(
        before.did(Operation.PROVE_KEY, k.key_id)
        for k in snapshot.keys
        if k.state in (KeyState.ENABLED, KeyState.UNAVAILABLE)
    )
    return "" if there and proved else "the keys are not safe on the other cluster"


def safe_direction(before: Case, decision: Decision, snapshot: Snapshot, now: datetime) -> str:
    """Invariant 11: back only, to recorded states, on what we touched."""
    step, was = decision.step, before.before
    assert isinstance(step, Call)
    if before.ending is None:
        return ""
    if was is None:
        return "undo without a record"
    states = {k.key_id: k.state for k in was.keys}
    match step.operation:
        case Operation.CANCEL_KEY_DELETION:
            ours = all(before.tried(Operation.SCHEDULE_KEY_DELETION, t) for t in step.targets)
            return "" if ours and set(step.targets) <= set(states) else "cancels a foreign deletion"
        case Operation.ENABLE_KEY:
            fine = all(states.get(t) is KeyState.ENABLED for t in step.targets)
            return "" if fine else "enables what was not enabled"
        case Operation.CREATE_HSM:
            return "" if set(step.targets) <= set(zone_labels(was.zones)) else "a new HSM"
        case Operation.UPDATE_KEY_STORE:
            moved = before.tried(step.operation, STORE)
            return "" if step.to_cluster == CLUSTER and moved else "moves the store on"
        case Operation.DISCONNECT_KEY_STORE:
            return (
                ""
                if before.tried(Operation.CONNECT_KEY_STORE, STORE)
                or before.tried(Operation.DISCONNECT_KEY_STORE, STORE)
                or before.tried(Operation.UPDATE_KEY_STORE, STORE)
                else "disconnects by itself"
            )
    was_rescue = before.is_rescue and step.operation in (
        Operation.DELETE_HSM,
        Operation.DELETE_CLUSTER,
    )
    return "" if was_rescue or step.operation in RESTORING else f"{step.operation} is no way back"


def rescue_destroys_nothing(
    before: Case, decision: Decision, snapshot: Snapshot, now: datetime
) -> str:
    """It creates. It deletes an HSM of its own that did not come up, and on its way back what it made."""
    step, plan = decision.step, decision.case.current_plan
    assert isinstance(step, Call)
    if plan is None or plan.remedy is not Remedy.RESCUE:
        return ""
    if step.operation in (
        Operation.SCHEDULE_KEY_DELETION,
        Operation.DISABLE_KEY,
        Operation.DELETE_KEY_STORE,
    ):
        return "a rescue touches keys or store"
    if step.operation not in (Operation.DELETE_HSM, Operation.DELETE_CLUSTER):
        return ""
    made = {c.cluster_id for c in snapshot.siblings if (CASE_TAG, before.case_id) in c.tags}
    used_now = {s.cluster_id for s in snapshot.key_stores}
    if before.ending is not None:
        own = step.to_cluster in made - used_now or _is_own_hsm(before, step, snapshot)
        fine = own and not snapshot.unread
        return "" if fine else "takes back what may not be its own, or be used"
    here = [
        hsm
        for c in (*snapshot.siblings, *((snapshot.cluster,) if snapshot.cluster else ()))
        for hsm in c.hsms
        if c.cluster_id == step.to_cluster and hsm.zone == zone_of(step.targets[0])
    ]
    its_own = before.tried(Operation.CREATE_HSM, step.targets[0])
    is_up = any(hsm.state is HsmState.ACTIVE for hsm in here)
    fine = step.operation is Operation.DELETE_HSM and its_own and not is_up
    return "" if fine else "a rescue deletes what serves"


def _is_own_hsm(before: Case, step: Call, snapshot: Snapshot) -> bool:
    """In the old cluster: the only one where none was, called for by this case, and serving nobody."""
    (label,) = step.targets
    zone, was = zone_of(label), before.before
    live = [hsm for hsm in snapshot.live_hsms if hsm.zone == zone]
    called = before.tried(Operation.CREATE_HSM, label)
    served = any(s.state is StoreState.CONNECTED for s in snapshot.key_stores)
    is_of_cluster = step.operation is Operation.DELETE_HSM and not step.to_cluster
    alone = len(live) == 1 and was is not None and zone not in was.zones
    return is_of_cluster and called and alone and not served


CALL_RULES = (
    *(legal, allowed, recorded_first, keys_first, known, moved_whole, safe_direction),
    *(gone_for_sure, ours, rescue_destroys_nothing),
)


@pytest.mark.parametrize("trigger", Trigger)
def test_a_slice_of_all_states_keeps_the_invariants(trigger: Trigger) -> None:
    every = SLICE if trigger is Trigger.DELETE_BLOCKED else SPARSE
    seen = visit(trigger, every)
    print(f"{seen.total():,} states: {dict(seen)}")  # noqa: T201  # asked for: how much was visited
    assert min(seen[kind] for kind in ("Ask", "Call", "Close", "Wait")) > 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("trigger", Trigger)
def test_all_states_keep_the_invariants(trigger: Trigger, pytestconfig: pytest.Config) -> None:
    """Each of them; in CI one in so many, as of other matrices."""
    every = pytestconfig.getoption("--one-in")
    seen = visit(trigger, every)
    print(f"{seen.total():,} states: {dict(seen)}")  # noqa: T201  # asked for: how much was visited
    assert seen.total() > 300_000 // every

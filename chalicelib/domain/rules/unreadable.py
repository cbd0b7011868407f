"""What AWS hides of a plan under way. What can't be seen is not gone: the plan waits, and stays approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.rules.waiting import scheduled
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.plan import KeyBasis, Operation, Plan
from chalicelib.domain.state.snapshot import Key, KeyState, KeyStore, LastUse, Snapshot, StoreState


def first_unreadable(case: Case, snapshot: Snapshot) -> str:
    """The first thing that a plan under way has to see and that AWS refused to tell; "" if none is.

    Its approvals stand meanwhile, its keys stay watched, and cancel works.
    """
    if case.plan is None or not case.plan_has_begun or case.ending is not None:
        return ""
    return next(iter((*snapshot.unread, *_keys(case.plan, snapshot))), "")


def _keys(plan: Plan, snapshot: Snapshot) -> Iterator[str]:
    """Keys that the approvers saw, and that AWS does not show or tell the use of now."""
    basis = {key.key_id: key for key in plan.basis.keys if key.state is not KeyState.UNKNOWN}
    for key in snapshot.keys:
        before = basis.get(key.key_id)
        if before is None:
            continue
        if key.unread:
            yield f"{key.name}: {key.unread}"
        elif key.is_live and key.last_use == LastUse() and not before.in_use:
            yield f"{key.name}: kms:GetKeyLastUsage was refused"


def remembered(case: Case, snapshot: Snapshot) -> Snapshot:
    """The look, and what it hides as it was last known: for messages and the last call, never to act on."""
    plan = case.current_plan
    refused = (*snapshot.unread, *(key.unread for key in snapshot.keys if key.unread))
    if plan is None or not refused:
        return snapshot
    going = set(scheduled(case))
    names = {key.key_id: _aliases(key) for key in plan.basis.keys}
    seen = {
        key.key_id: replace(key, aliases=key.aliases or names.get(key.key_id, ()))
        for key in snapshot.keys
        if not key.unread
    }
    lacking = (key for key in plan.basis.keys if key.key_id not in seen)
    return replace(
        snapshot,
        cluster=snapshot.cluster or case.last_cluster,
        key_stores=snapshot.key_stores or _store(case, plan),
        keys=(*seen.values(), *(_as_known(case, plan, key, going) for key in lacking)),
        unread=refused,
    )


def _as_known(case: Case, plan: Plan, key: KeyBasis, going: set[str]) -> Key:
    """One that we scheduled goes on its day, whether or not anybody can see it."""
    names = _aliases(key)
    call = case.call(Operation.SCHEDULE_KEY_DELETION, key.key_id)
    if call is None or key.key_id not in going:
        return Key(key.key_id, KeyState.UNKNOWN, None, names)
    goes = call.at + timedelta(days=plan.window_days)
    return Key(key.key_id, KeyState.PENDING_DELETION, None, names, deletion_date=goes)


def _aliases(key: KeyBasis) -> tuple[str, ...]:
    return (key.name,) if key.name.startswith("alias/") else ()


def _store(case: Case, plan: Plan) -> tuple[KeyStore, ...]:
    """As the last look showed it; none if that look showed none."""
    seen, target = case.seen, plan.key_store_id
    if seen is None or not seen.store_state or target is None:
        return ()
    name = case.before.store_name if case.before else ""
    return (KeyStore(target, name, seen.store_cluster, StoreState(seen.store_state)),)

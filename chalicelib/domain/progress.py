"""How far a plan is: its steps, each done, under way, next or failed. Believes only what AWS shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto

from chalicelib.domain.remedies import rescue
from chalicelib.domain.rules.situation import PlanContext
from chalicelib.domain.state.case import CallRecord, Outcome
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from chalicelib.domain.state.zones import zone_of


class Standing(Enum):
    """How far a step is."""

    DONE = auto()
    NOW = auto()
    NEXT = auto()
    FAILED = auto()


class LongWait(Enum):
    """A wait that people follow as a step: for the keys to be gone, or for them to run elsewhere."""

    KEYS_GO = auto()
    SOAK = auto()


@dataclass(frozen=True)
class Milestone:
    """One step that people follow: calls of one kind, or a long wait. `is_final`: the last way back."""

    operation: Operation | None = None
    targets: tuple[str, ...] = ()
    wait: LongWait | None = None
    is_final: bool = False
    standing: Standing = Standing.NEXT


KEYS_GO = Milestone(wait=LongWait.KEYS_GO)
SOAK = Milestone(wait=LongWait.SOAK)


def milestones(plan: Plan) -> list[Milestone]:
    """The plan's calls in order, with its long waits as steps of their own; the last way back marked."""
    found: list[Milestone] = []
    for place, call in enumerate(plan.calls):
        found += _wait_before(plan, place)
        found.append(Milestone(call.operation, call.targets))
    final = _final(plan, found)
    return [replace(milestone, is_final=place == final) for place, milestone in enumerate(found)]


def _wait_before(plan: Plan, place: int) -> list[Milestone]:
    """The keys are gone before the store is disconnected; they run in before the old HSMs go."""
    operation = plan.calls[place].operation
    later = {call.operation for call in plan.calls[place + 1 :]}
    goes = operation is Operation.DISCONNECT_KEY_STORE and Operation.CONNECT_KEY_STORE not in later
    if goes and plan.remedy.deletes_keys and plan.basis.keys:
        return [KEYS_GO]
    keeps = plan.remedy is Remedy.REPOINT and plan.names(Operation.KEEP_BACKUP)
    if operation is (Operation.KEEP_BACKUP if keeps else Operation.DELETE_HSM) and plan.soak_days:
        return [SOAK]
    return []


def _final(plan: Plan, found: list[Milestone]) -> int:
    """The place of the point of no return; -1 if there is none."""
    order = [Operation.DELETE_HSM] if plan.remedy is Remedy.REPOINT else []
    if plan.remedy.deletes_keys:
        order = [Operation.DELETE_KEY_STORE]
    if KEYS_GO in found:
        return found.index(KEYS_GO)
    for operation in (*order, Operation.DELETE_CLUSTER):
        for place, milestone in enumerate(found):
            if milestone.operation is operation:
                return place
    return -1


def progress(context: PlanContext) -> list[Milestone]:
    """The steps with how far they are. While the case runs, the last one is never done yet."""
    case, found = context.case, milestones(context.plan)
    place = _reached(found, context)
    while place < len(found) and _is_done(found[place], context):
        place += 1
    if not case.is_closed:
        place = min(place, len(found) - 1)
    here = Standing.FAILED if case.outcome is Outcome.STOPPED else Standing.NOW
    far = [
        Standing.DONE if n < place else here if n == place else Standing.NEXT
        for n in range(len(found))
    ]
    return [replace(milestone, standing=how) for milestone, how in zip(found, far, strict=True)]


def _reached(found: list[Milestone], context: PlanContext) -> int:
    """The last step that was called; all before it are done, whatever AWS shows of them now.

    The case remembers one record a call and target, so if a plan disconnects twice, the second
    time counts only if it came after the calls in between.
    """
    last, first = 0, dict[Operation, int]()
    for place, milestone in enumerate(found):
        calls = records(milestone, context)
        if milestone.operation is None or not calls:
            continue
        before = first.setdefault(milestone.operation, place)
        between = [c.at for s in found[before + 1 : place] for c in records(s, context)]
        if before == place or (between and calls[-1].at >= max(between)):
            last = place
    return last


def records(milestone: Milestone, context: PlanContext) -> list[CallRecord]:
    """Our calls of this step, oldest first."""
    mine = (
        c
        for c in context.case.calls
        if c.operation is milestone.operation
        and c.target in milestone.targets
        and c.plan_hash == context.plan.plan_hash
    )
    return sorted(mine, key=lambda call: call.at)


def _is_done(milestone: Milestone, context: PlanContext) -> bool:
    """AWS shows what the step is for."""
    world, plan = context.case.snapshot, context.plan
    if world is None:
        return False
    match milestone.operation:
        case None:
            return _waited(milestone, world, context)
        case Operation.DELETE_HSM:
            return world.cluster is None or not world.cluster.hsms
        case Operation.DELETE_CLUSTER:
            return world.cluster is None
        case Operation.KEEP_BACKUP:
            newest = world.cluster.newest_backup if world.cluster else None
            return world.cluster is None or (newest is not None and newest.never_expires)
        case Operation.CREATE_CLUSTER | Operation.CREATE_HSM | Operation.RESTORE_BACKUP:
            return _made(milestone, context)
        case Operation.PROVE_KEY:
            return all(
                context.case.did(milestone.operation, target) for target in milestone.targets
            )
        case Operation.DISABLE_KEY | Operation.SCHEDULE_KEY_DELETION:
            return _keys_done(milestone, world, context)
    return _store_done(milestone.operation, world, plan)


def _made(milestone: Milestone, context: PlanContext) -> bool:
    """A rescue: the backup is ready, the new cluster is there, an HSM of it is active."""
    plan, target = context.plan, milestone.targets[0]
    if milestone.operation is Operation.RESTORE_BACKUP:
        return any(b.backup_id == target and b.is_ready for b in context.snapshot.known_backups)
    home = rescue.made_cluster(context) if plan.backup_id else context.snapshot.cluster
    if home is None or milestone.operation is Operation.CREATE_CLUSTER:
        return home is not None and home.state is not ClusterState.CREATE_IN_PROGRESS
    return any(hsm.zone == zone_of(target) and hsm.state is HsmState.ACTIVE for hsm in home.hsms)


def _waited(milestone: Milestone, world: Snapshot, context: PlanContext) -> bool:
    if milestone.wait is LongWait.KEYS_GO:
        return not world.keys
    since = context.case.soaking_since
    days = timedelta(days=context.plan.soak_days)
    return since is not None and context.now - since >= days


def _keys_done(milestone: Milestone, world: Snapshot, context: PlanContext) -> bool:
    keys = [k for k in world.live_keys if k.key_id in milestone.targets]
    if milestone.operation is Operation.SCHEDULE_KEY_DELETION:
        return not keys
    calls, days = records(milestone, context), timedelta(days=context.plan.quarantine_days)
    over = bool(calls) and context.now - calls[-1].at >= days
    return over and all(key.state is not KeyState.ENABLED for key in keys)


def _store_done(operation: Operation, world: Snapshot, plan: Plan) -> bool:
    store = world.key_store(plan.key_store_id)
    match operation:
        case Operation.DELETE_KEY_STORE:
            return store is None
        case Operation.DISCONNECT_KEY_STORE:
            return store is None or store.state is StoreState.DISCONNECTED
        case Operation.UPDATE_KEY_STORE:
            there = plan.target_cluster_id or (store.cluster_id if store else "")
            return store is not None and store.cluster_id == there != plan.cluster_id
    return store is not None and store.state is StoreState.CONNECTED


def place_now(found: Sequence[Milestone]) -> int:
    """The place of the step that is under way or failed, from 1; the number of steps if all are done."""
    for place, milestone in enumerate(found, start=1):
        if milestone.standing in (Standing.NOW, Standing.FAILED):
            return place
    return len(found)


def last_stop(found: Sequence[Milestone]) -> int | None:
    """The step after which not everything comes back: the store's deletion, else the marked one."""
    for number, milestone in enumerate(found, start=1):
        if milestone.operation is Operation.DELETE_KEY_STORE:
            return number
    return next((n for n, milestone in enumerate(found, start=1) if milestone.is_final), None)

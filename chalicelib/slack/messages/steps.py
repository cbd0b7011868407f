"""A plan as the steps that people follow, each done, under way, next or failed. Says only what AWS shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.case import CallRecord, Case, Outcome
from chalicelib.domain.plan import Operation, Plan, Remedy
from chalicelib.domain.snapshot import KeyState, Snapshot, StoreState
from chalicelib.slack.messages import facts
from chalicelib.slack.messages.text import count, ident


class Standing(StrEnum):
    """How far a step is, in the word that people read."""

    DONE = "Done"
    NOW = "Now"
    NEXT = "Next"
    FAILED = "Failed"


@dataclass(frozen=True)
class Stage:
    """One step. Without an operation it is a wait: for the keys to be gone, or for them to run in."""

    title: str
    doing: str
    operation: Operation | None = None
    targets: tuple[str, ...] = ()
    is_final: bool = False
    standing: Standing = Standing.NEXT


WORDS = {
    Operation.CONNECT_KEY_STORE: ("Connect the key store", "connecting the key store"),
    Operation.DISCONNECT_KEY_STORE: ("Disconnect the key store", "disconnecting the key store"),
    Operation.UPDATE_KEY_STORE: ("Point the key store to {to}", "pointing the key store to {to}"),
    Operation.DELETE_KEY_STORE: ("Delete the key store", "deleting the key store"),
    Operation.DISABLE_KEY: (
        "Switch off {keys} and watch for {quarantine}",
        "watching who needs {keys}",
    ),
    Operation.SCHEDULE_KEY_DELETION: (
        "Schedule deletion of {keys}",
        "scheduling the deletion of {keys}",
    ),
    Operation.PROVE_KEY: (
        "Check {keys} on the other cluster",
        "checking {keys} on the other cluster",
    ),
    Operation.DELETE_HSM: ("Delete {hsms}", "deleting {hsms}"),
    Operation.KEEP_BACKUP: ("Keep the newest backup for good", "keeping the newest backup"),
    Operation.DELETE_CLUSTER: ("Delete the cluster", "deleting the cluster"),
}
KEYS_GONE = Stage("Wait until the keys are gone", "waiting until the keys are gone")


def stages(plan: Plan) -> list[Stage]:
    """The plan's calls in order, with its long waits as steps of their own; the last way back marked."""
    found: list[Stage] = []
    for place, call in enumerate(plan.calls):
        found += _wait_before(plan, place)
        title, doing = WORDS.get(call.operation, (call.operation.value, call.operation.value))
        numbers = _numbers(plan, call.targets)
        found.append(
            Stage(title.format(**numbers), doing.format(**numbers), call.operation, call.targets)
        )
    final = _final(plan, found)
    return [replace(stage, is_final=place == final) for place, stage in enumerate(found)]


def _wait_before(plan: Plan, place: int) -> list[Stage]:
    """The keys are gone before the store is disconnected; they run in before the old HSMs go."""
    operation = plan.calls[place].operation
    later = {call.operation for call in plan.calls[place + 1 :]}
    goes = operation is Operation.DISCONNECT_KEY_STORE and Operation.CONNECT_KEY_STORE not in later
    if goes and plan.remedy.deletes_keys and plan.basis.keys:
        return [KEYS_GONE]
    keeps = plan.remedy is Remedy.REPOINT and plan.names(Operation.KEEP_BACKUP)
    if operation is (Operation.KEEP_BACKUP if keeps else Operation.DELETE_HSM) and plan.soak_days:
        days = count(plan.soak_days, "day")
        return [Stage(f"Let the keys run there for {days}", "letting the keys run there")]
    return []


def _numbers(plan: Plan, targets: tuple[str, ...]) -> dict[str, str]:
    return {
        "keys": count(len(targets), "key"),
        "hsms": count(len(targets), "HSM"),
        "to": ident(plan.target_cluster_id),
        "quarantine": count(plan.quarantine_days, "day"),
    }


def _final(plan: Plan, found: list[Stage]) -> int:
    """The place of the point of no return; -1 where there is none."""
    order = [Operation.DELETE_HSM] if plan.remedy is Remedy.REPOINT else []
    if plan.remedy.deletes_keys:
        order = [Operation.DELETE_KEY_STORE]
    if KEYS_GONE in found:
        return found.index(KEYS_GONE)
    for operation in (*order, Operation.DELETE_CLUSTER):
        for place, stage in enumerate(found):
            if stage.operation is operation:
                return place
    return -1


def standing(case: Case, plan: Plan, now: datetime) -> list[Stage]:
    """The steps with how far they are. While the case runs, the last one is never done yet."""
    found = stages(plan)
    place = _reached(found, case, plan)
    while place < len(found) and _is_done(found[place], case, plan, now):
        place += 1
    if not case.is_closed:
        place = min(place, len(found) - 1)
    here = Standing.FAILED if case.outcome is Outcome.STOPPED else Standing.NOW
    words = [
        Standing.DONE if n < place else here if n == place else Standing.NEXT
        for n in range(len(found))
    ]
    return [replace(stage, standing=word) for stage, word in zip(found, words, strict=True)]


def _reached(found: list[Stage], case: Case, plan: Plan) -> int:
    """The last step that was called; all before it are done, whatever AWS shows of them now.

    The case remembers one record a call and target, so where a plan disconnects twice, the second
    time counts only if it came after the calls in between.
    """
    last, first = 0, dict[Operation, int]()
    for place, stage in enumerate(found):
        calls = records(stage, case, plan)
        if stage.operation is None or not calls:
            continue
        before = first.setdefault(stage.operation, place)
        between = [c.at for s in found[before + 1 : place] for c in records(s, case, plan)]
        if before == place or (between and calls[-1].at >= max(between)):
            last = place
    return last


def records(stage: Stage, case: Case, plan: Plan) -> list[CallRecord]:
    """Our calls of this step, oldest first."""
    mine = (
        c
        for c in case.calls
        if c.operation is stage.operation
        and c.target in stage.targets
        and c.plan_hash == plan.plan_hash
    )
    return sorted(mine, key=lambda call: call.at)


def _is_done(stage: Stage, case: Case, plan: Plan, now: datetime) -> bool:
    """AWS shows what the step is for."""
    world = case.snapshot
    if world is None:
        return False
    if stage.operation is None:
        return _waited(stage, case, plan, now)
    if stage.operation is Operation.DELETE_HSM:
        return world.cluster is None or not world.cluster.hsms
    if stage.operation is Operation.DELETE_CLUSTER:
        return world.cluster is None
    if stage.operation is Operation.KEEP_BACKUP:
        newest = world.cluster.newest_backup if world.cluster else None
        return world.cluster is None or (newest is not None and newest.never_expires)
    if stage.operation is Operation.PROVE_KEY:
        return all(case.did(stage.operation, target) for target in stage.targets)
    if stage.operation in (Operation.DISABLE_KEY, Operation.SCHEDULE_KEY_DELETION):
        return _keys_done(stage, case, plan, now)
    return _store_done(stage.operation, world, plan)


def _waited(stage: Stage, case: Case, plan: Plan, now: datetime) -> bool:
    world = case.snapshot
    if world is None:
        return False
    if stage.title == KEYS_GONE.title:
        return not world.keys
    since = case.soaking_since
    return since is not None and now - since >= timedelta(days=plan.soak_days)


def _keys_done(stage: Stage, case: Case, plan: Plan, now: datetime) -> bool:
    keys = [k for k in facts.keys(case) if k.key_id in stage.targets and k.is_live]
    if stage.operation is Operation.SCHEDULE_KEY_DELETION:
        return not keys
    calls = records(stage, case, plan)
    over = bool(calls) and now - calls[-1].at >= timedelta(days=plan.quarantine_days)
    return over and all(key.state is not KeyState.ENABLED for key in keys)


def _store_done(operation: Operation, world: Snapshot, plan: Plan) -> bool:
    store = world.key_store(plan.key_store_id)
    match operation:
        case Operation.DELETE_KEY_STORE:
            return store is None
        case Operation.DISCONNECT_KEY_STORE:
            return store is None or store.state is StoreState.DISCONNECTED
        case Operation.UPDATE_KEY_STORE:
            return store is not None and store.cluster_id == plan.target_cluster_id
    return store is not None and store.state is StoreState.CONNECTED


def place_now(found: list[Stage]) -> int:
    """The place of the step that is under way or failed, from 1; the number of steps where all are done."""
    for place, stage in enumerate(found, start=1):
        if stage.standing in (Standing.NOW, Standing.FAILED):
            return place
    return len(found)

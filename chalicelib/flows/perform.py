"""Makes the calls of one step: a log entry before, the call, a log entry after. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.case import CallRecord, CallStatus, Case
from chalicelib.domain.log import Entry, Kind, entry
from chalicelib.domain.plan import Operation
from chalicelib.domain.snapshot import Key, KeyState
from chalicelib.domain.step import Call
from chalicelib.ports import Conflict, GiveUp, Ports, Receipt, TryLater

MOST_TRIES = 8
MOST_PROOFS = 4
"""A key that is busy once is not lost; one that fails for two minutes brings its store back."""
BATCH = 100
LONGEST_BATCH = timedelta(minutes=4)
"""Well inside the function's time-out; the next turn carries on."""
INTENT = CallStatus.INTENT
FIRST_WAIT, LONGEST_WAIT = 15, 300


def perform(ports: Ports, case: Case, step: Call, entries: Sequence[Entry]) -> Case:
    """The case after the calls. Raises Conflict before the first call if the case moved on,

    and GiveUp (with all that happened recorded) where only a person can help.
    """
    before, targets = case, step.targets[:BATCH]
    for target in targets:
        case = case.with_call(_record(ports, case, step, target))
    case = ports.cases.save(case, [*entries, _intent(ports, case, step, targets[0])])
    if len(targets) == 1:
        return _call(ports, case, step, targets[0], whole=True)
    began, called = ports.clock(), [targets[0]]
    try:
        case = _call(ports, case, step, targets[0], whole=False)
        for target in targets[1:]:
            late = ports.clock() - began > LONGEST_BATCH
            if late or _is_called_off(case, step, called[-1]):
                break
            ready = _ready(ports, case, step, target)
            if ready is not None:
                case = ready
                called.append(target)
                case = _call(ports, case, step, target, whole=False)
    except Conflict:
        ports.log("batch ended early: the case moved on", case_id=case.case_id)
    except GiveUp:
        _settled(ports, case, step, before=before, called=called)
        raise
    return _settled(ports, case, step, before=before, called=called)


def _settled(ports: Ports, case: Case, step: Call, *, before: Case, called: Sequence[str]) -> Case:
    """The batch's results in the case. Of keys whose turn did not come, no intent remains."""
    targets = set(step.targets[:BATCH])

    def results(current: Case) -> Case:
        def is_of_batch(call: CallRecord) -> bool:
            return call.operation is step.operation and call.target in targets

        stored = {c.target: c for c in current.calls if is_of_batch(c)}
        mine = {c.target: c for c in case.calls if is_of_batch(c) and c.status is not INTENT}
        ours = [mine.get(target) or stored[target] for target in called]
        others = [call for call in current.calls if not is_of_batch(call)]
        missed = [c for c in before.calls if is_of_batch(c) and c.target not in called]
        return replace(current, calls=(*others, *missed, *ours))

    return resaved(ports, case, results)


def _ready(ports: Ports, case: Case, step: Call, target: str) -> Case | None:
    """The case with the intent logged; None for a key that is so already. Conflict: decide afresh."""
    try:
        key = ports.inventory.reread(case, target)
    except TryLater:
        raise Conflict(case.case_id) from None
    if key.state is KeyState.UNKNOWN:
        raise Conflict(case.case_id)
    if _is_done(key, step):
        return None
    return ports.cases.append(case, _intent(ports, case, step, target), fenced=True)


def _is_called_off(case: Case, step: Call, last: str) -> bool:
    """Somebody clicked meanwhile, or AWS did not take the last call: the next turn decides afresh."""
    record = case.call(step.operation, last)
    return bool(case.new_clicks) or (record is not None and record.status is CallStatus.REFUSED)


def left_to_wait(case: Case, step: Call, now: datetime) -> int:
    """Seconds until a call that AWS did not take may be tried again, whoever woke the case; 0: now."""
    targets = set(step.targets)
    calls = (c for c in case.calls if c.operation is step.operation and c.target in targets)
    refused = [c for c in calls if c.status is CallStatus.REFUSED or _is_unproved(c)]
    again = (c.at + timedelta(seconds=wait_after(case.case_id, tries=c.tries)) for c in refused)
    left = max(((at - now).total_seconds() for at in again), default=0.0)
    return max(int(left + 0.999), 0)


def _is_unproved(call: CallRecord) -> bool:
    return call.operation is Operation.PROVE_KEY and call.status is INTENT and bool(call.error)


def wait_after(case_id: str, *, tries: int) -> int:
    """15, 30, 60 … 300 seconds, up to a fifth less: each case its own share, so that many spread."""
    wait = min(FIRST_WAIT << min(tries - 1, 10), LONGEST_WAIT)
    chance = hashlib.sha256(f"{case_id} {tries}".encode()).digest()[0] / 255
    return round(wait * (1 - chance / 5))


def resaved(
    ports: Ports, case: Case, change: Callable[[Case], Case], entries: Sequence[Entry] = ()
) -> Case:
    """Saves a change that must not be lost, on top of whatever clicks arrived meanwhile."""
    for _ in range(20):
        try:
            return ports.cases.save(change(case), entries)
        except Conflict:
            case = _reloaded(ports, case)
    raise Conflict(case.case_id)


def _reloaded(ports: Ports, case: Case) -> Case:
    """The stored case with this turn's snapshot: only this run writes its body."""
    return replace(ports.cases.load(case.case_id), snapshot=case.snapshot)


def _call(ports: Ports, case: Case, step: Call, target: str, *, whole: bool) -> Case:
    """One call and its record, whatever the answer. In a batch the case itself is saved at the end."""
    record = case.call(step.operation, target)
    assert record is not None, "the intent was recorded"
    try:
        receipt = ports.actions.perform(step, target, case=case)
    except TryLater as trouble:
        case = _after(ports, case, _untaken(record, trouble), whole=whole)
        ports.count("CallsTriedAgain", 1)
        if record.tries >= MOST_TRIES and step.operation is not Operation.PROVE_KEY:
            raise GiveUp(
                f"{trouble.reason}. Tried {record.tries} times.",
                "Look at the state of the cluster and the key store in the AWS console.",
                "Press Try again. If AWS has changed meanwhile, Unlatch asks again first.",
            ) from trouble
        return case
    except GiveUp as refused:
        failed = replace(
            record,
            status=CallStatus.REFUSED,
            error=refused.reason,
            request_id=refused.request_id,
        )
        case = _after(ports, case, failed, whole=True)
        if step.operation is Operation.PROVE_KEY:
            return case
        raise
    return _after(ports, case, _done(ports, record, receipt), whole=whole)


def _untaken(record: CallRecord, trouble: TryLater) -> CallRecord:
    """Refused, or open: the answer was lost, or a proof, which changes nothing, has tries left."""
    has_tries = record.operation is Operation.PROVE_KEY and record.tries < MOST_PROOFS
    status = INTENT if trouble.unknown or has_tries else CallStatus.REFUSED
    return replace(record, status=status, error=trouble.reason)


def _done(ports: Ports, record: CallRecord, receipt: Receipt) -> CallRecord:
    return replace(
        record,
        status=CallStatus.DONE,
        request_id=receipt.request_id,
        error="",
        at=ports.clock(),
    )


def _after(ports: Ports, case: Case, record: CallRecord, *, whole: bool) -> Case:
    """The record and its log entry; nothing that happened in AWS may be forgotten."""
    result = entry(
        Kind.RESULT,
        ports.clock(),
        operation=record.operation,
        target=record.target,
        name=_name(case, record.target),
        status="unknown" if record.status is CallStatus.INTENT else record.status,
        request_id=record.request_id,
        error=record.error,
    )
    if not whole:
        try:
            return ports.cases.append(case.with_call(record), result, fenced=False)
        except Conflict:
            case = _reloaded(ports, case)
    return resaved(ports, case, lambda current: current.with_call(record), [result])


def _record(ports: Ports, case: Case, step: Call, target: str) -> CallRecord:
    before = case.call(step.operation, target)
    again = before is not None and before.status is not CallStatus.DONE
    plan = case.plan or case.last_plan
    return CallRecord(
        step.operation,
        target,
        ports.clock(),
        CallStatus.INTENT,
        plan.plan_hash if plan else "",
        tries=before.tries + 1 if before and again else 1,
    )


def _intent(ports: Ports, case: Case, step: Call, target: str) -> Entry:
    plan = case.plan or case.last_plan
    return entry(
        Kind.INTENT,
        ports.clock(),
        operation=step.operation,
        target=target,
        name=_name(case, target),
        plan_hash=plan.plan_hash if plan else "",
    )


def _is_done(key: Key, step: Call) -> bool:
    """Others may have acted since the snapshot."""
    wanted = {
        Operation.SCHEDULE_KEY_DELETION: KeyState.PENDING_DELETION,
        Operation.DISABLE_KEY: KeyState.DISABLED,
        Operation.ENABLE_KEY: KeyState.ENABLED,
    }.get(step.operation)
    if step.operation is Operation.CANCEL_KEY_DELETION:
        return key.is_live
    return key.state is wanted


def _name(case: Case, target: str) -> str:
    keys = case.snapshot.keys if case.snapshot else ()
    return next((key.name for key in keys if key.key_id == target), "")

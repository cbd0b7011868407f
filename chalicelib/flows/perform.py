"""Makes the call of a step: a log entry before, the call, a log entry after. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.failures import Code, ConflictError, PermanentError, TemporaryError
from chalicelib.flows.turn_ports import TurnPorts
from chalicelib.ports import Receipt

MOST_TRIES = 8
MOST_PROOFS = 4
"""A key that fails once is not lost; one that fails for two minutes brings its store back. If KMS itself
fails, it takes MOST_TRIES."""
INTENT = CallStatus.INTENT
FIRST_WAIT, LONGEST_WAIT = 15, 300


def perform(ports: TurnPorts, case: Case, step: Call, entries: Sequence[Entry]) -> Case:
    """The case after the call. Raises ConflictError before it if the case moved on,

    and PermanentError (with all that happened recorded) if only a person can help.
    """
    record = intended(ports, case, step, step.targets[0])
    case = ports.cases.save(case.with_call(record), [*entries, intent(ports, case, record)])
    done, stop = make_call(ports, case, step, record)
    case = save_with_retry(
        ports, case, lambda current: current.with_call(done), [result(ports, case, done)]
    )
    if stop:
        raise stop
    return case


def frozen(ports: TurnPorts, case: Case) -> str:
    """Why no call may be made now; "" if it may. A freeze never holds a cancel or an undo."""
    return "" if case.ending is not None else ports.brake.why()


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


def save_with_retry(
    ports: TurnPorts, case: Case, change: Callable[[Case], Case], entries: Sequence[Entry] = ()
) -> Case:
    """Saves a change that must not be lost, on top of whatever clicks arrived meanwhile."""
    for _ in range(20):
        try:
            return ports.cases.save(change(case), entries)
        except ConflictError:
            case = _reloaded(ports, case)
    raise ConflictError(case.case_id)


def _reloaded(ports: TurnPorts, case: Case) -> Case:
    """The stored case with this turn's snapshot: only this run writes its body."""
    return replace(ports.cases.load(case.case_id), snapshot=case.snapshot)


def make_call(
    ports: TurnPorts, case: Case, step: Call, record: CallRecord
) -> tuple[CallRecord, PermanentError | None]:
    """The call is made: what became of it, and the stop if only a person can help."""
    try:
        receipt = ports.actions.perform(step, record.target, case=case)
    except TemporaryError as trouble:
        ports.count("CallsTriedAgain", 1)
        return _untaken(record, trouble), _worn_out(record, trouble)
    except PermanentError as refused:
        failed = replace(
            record,
            status=CallStatus.REFUSED,
            error=refused.said or refused.reason,
            request_id=refused.request_id,
            denied=refused.code is Code.DENIED,
        )
        return failed, None if _goes_on(failed) else refused
    return _done(ports, record, receipt), None


def _goes_on(refused: CallRecord) -> bool:
    """Others follow all the same: proofs, and on the way back the keys that no policy denies."""
    on_the_way_back = (Operation.CANCEL_KEY_DELETION, Operation.ENABLE_KEY)
    return refused.operation is Operation.PROVE_KEY or (
        refused.denied and refused.operation in on_the_way_back
    )


def _worn_out(record: CallRecord, trouble: TemporaryError) -> PermanentError | None:
    if record.tries < MOST_TRIES or record.operation is Operation.PROVE_KEY:
        return None
    return PermanentError(
        f"{trouble.reason}. Tried {record.tries} times.",
        "Compare what AWS said with the state of the cluster, the key store and the key in the console.",
    )


def _untaken(record: CallRecord, trouble: TemporaryError) -> CallRecord:
    """Refused, or open: the answer was lost, or a proof, which changes nothing, has tries left."""
    is_proof = record.operation is Operation.PROVE_KEY
    is_open = _has_tries(record, trouble) if is_proof else trouble.unknown
    status = INTENT if is_open else CallStatus.REFUSED
    return replace(record, status=status, error=trouble.said or trouble.reason)


def _has_tries(proof: CallRecord, trouble: TemporaryError) -> bool:
    """No answer, or one that AWS limits all programs at the store by, says nothing of the key."""
    if trouble.code in (Code.BUSY, Code.NO_ANSWER):
        return True
    return proof.tries < (MOST_TRIES if trouble.unknown else MOST_PROOFS)


def _done(ports: TurnPorts, record: CallRecord, receipt: Receipt) -> CallRecord:
    return replace(
        record,
        status=CallStatus.DONE,
        request_id=receipt.request_id,
        error="",
        at=ports.clock(),
    )


def intended(ports: TurnPorts, case: Case, step: Call, target: str) -> CallRecord:
    """What the case remembers of a call that is about to be made."""
    before = case.call(step.operation, target)
    again = before is not None and before.status is not CallStatus.DONE
    plan = case.current_plan
    return CallRecord(
        step.operation,
        target,
        ports.clock(),
        INTENT,
        plan.plan_hash if plan else "",
        tries=before.tries + 1 if before and again else 1,
    )


def intent(ports: TurnPorts, case: Case, record: CallRecord) -> Entry:
    """The log entry before the call."""
    where = {"account": case.account, "region": case.region, "cluster": case.cluster_id}
    told = {"plan_hash": record.plan_hash, **where, "round": case.round}
    return _about(Kind.INTENT, ports, case, record, **told)


def result(ports: TurnPorts, case: Case, record: CallRecord) -> Entry:
    """The log entry after the call, whatever the answer."""
    status = "unknown" if record.status is INTENT else record.status
    outcome = {"status": status, "request_id": record.request_id, "error": record.error}
    return _about(Kind.RESULT, ports, case, record, **outcome)


def _about(kind: Kind, ports: TurnPorts, case: Case, record: CallRecord, **more: object) -> Entry:
    name, now = _name(case, record.target), ports.clock()
    return entry(kind, now, operation=record.operation, target=record.target, name=name, **more)


def _name(case: Case, target: str) -> str:
    keys = case.snapshot.keys if case.snapshot else ()
    return next((key.name for key in keys if key.key_id == target), "")

"""What the log of a case tells of AWS: the bot did real work, and wrote down what came of it. Reads an export.

Only what follows for certain is said: that something did not happen is in no log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from chalicelib.domain.rules.password import PERSON_ONLY
from chalicelib.domain.state.audit_log import Entry, Kind
from chalicelib.domain.state.case import CallStatus, Outcome
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.trigger import Trigger
from ops.evidence.export import Export
from ops.probing.assumptions import Probe
from ops.probing.report import Findings, Report, report_of, span

IN_USE = "CloudHsmClusterInUseException"
AT_ONCE = timedelta(minutes=2)
"""The bot looks again within half a minute, and goes on once the backup is READY."""
WRONG_PASSWORD = frozenset({"INVALID_CREDENTIALS", "USER_LOCKED_OUT"})
assert WRONG_PASSWORD <= PERSON_ONLY


def report_on(export: Export) -> Report:
    """As of the log’s last entry. Raises ValueError for a log that proves nothing."""
    if flaws := export.flaws():
        raise ValueError(f"its log does not hold: {flaws[0]}")
    found = Findings()
    for judge in (_blocked, _password, _restored, _copied, _served):
        judge(found, export.entries)
    return report_of(found, Probe.RECORDS, now=export.entries[-1].at)


def _blocked(found: Findings, log: Sequence[Entry]) -> None:
    opened = log[0]
    if opened["operation"] != "DeleteCluster":
        return
    if opened["error_code"].removesuffix("Exception") == IN_USE.removesuffix("Exception"):
        found.held("A-STORE-BLOCKS", f"DeleteCluster failed with {opened['error_code']}")
    elif opened["trigger"] == Trigger.CLUSTER_LOST:
        says = "a cluster was deleted while a key store with keys was attached to it"
        found.differs("A-STORE-BLOCKS", says)


def _password(found: Findings, log: Sequence[Entry]) -> None:
    """A store was pointed to another cluster, and perhaps back."""
    moves = [e.number for e in _done(log, Operation.UPDATE_KEY_STORE)]
    if not moves:
        return
    ends = [e for e in log if e.kind is Kind.CLOSED and e.number > moves[0]]
    for end in ends:
        if told := next((code for code in WRONG_PASSWORD if f"({code})" in end["reason"]), ""):
            says = f"a store that was pointed to another cluster failed with {told}"
            found.held("A-OTHER-PASSWORD", says)
            return
    worked = any(moves[0] < e.number < moves[-1] for e in _done(log, Operation.PROVE_KEY))
    if worked and ends and ends[-1]["outcome"] == Outcome.CANCELLED:
        says = "a store was connected to another cluster, and went back to its own without a new password"
        found.differs("A-OTHER-PASSWORD", says)


def _restored(found: Findings, log: Sequence[Entry]) -> None:
    for restored in _done(log, Operation.RESTORE_BACKUP):
        if then := _next(log, restored, lambda e: e.kind is Kind.INTENT):
            took = then.at - restored.at
            says = f"the bot could go on with a restored backup after {span(took)}"
            found.judge("A-RESTORE-AT-ONCE", holds=took <= AT_ONCE, says=says)


def _copied(found: Findings, log: Sequence[Entry]) -> None:
    """A cluster made from a backup: did it take an HSM, and was it then what KMS wants?"""
    for made in _done(log, Operation.CREATE_CLUSTER):
        first = _next(log, made, lambda e: _is_of(e, Operation.CREATE_HSM))
        moved = _next(log, made, lambda e: _is_of(e, Operation.UPDATE_KEY_STORE))
        for call in (first, moved):
            if call and call["status"] == CallStatus.REFUSED:
                says = f"of a cluster made from a backup {call['operation']} was refused: {call['error']}"
                found.differs("A-COPY-ACTIVE", says)
        if first and moved and moved["status"] == CallStatus.DONE:
            says = "a cluster made from a backup took its HSMs and then the key store"
            found.held("A-COPY-ACTIVE", says)


def _served(found: Findings, log: Sequence[Entry]) -> None:
    """A rescue gave the store's own cluster its HSMs back: did keys work without a new connection?"""
    made = next(_done(log, Operation.CREATE_HSM), None)
    if made is None or any(_is_of(e, Operation.CREATE_CLUSTER) for e in log):
        return
    proved = _next(log, made, lambda e: _is_of(e, Operation.PROVE_KEY))
    connected = _next(log, made, lambda e: _is_of(e, Operation.CONNECT_KEY_STORE))
    if proved is None or (connected and connected.number < proved.number):
        return
    if proved["status"] == CallStatus.DONE:
        found.held("A-HSM-SERVES-AGAIN", "with new HSMs the first key worked at once")
    elif connected:
        says = "with new HSMs a key failed until the store was connected afresh"
        found.differs("A-HSM-SERVES-AGAIN", says)


def _is_of(entry: Entry, operation: Operation) -> bool:
    return entry.kind is Kind.RESULT and entry["operation"] == operation


def _done(log: Sequence[Entry], operation: Operation) -> Iterator[Entry]:
    return (e for e in log if _is_of(e, operation) and e["status"] == CallStatus.DONE)


def _next(log: Sequence[Entry], after: Entry, holds: Callable[[Entry], bool]) -> Entry | None:
    return next((e for e in log if e.number > after.number and holds(e)), None)

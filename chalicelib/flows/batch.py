"""Makes one kind of key call on many keys: some are read, logged, then called, and so on. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.case import CallRecord, CallStatus, Case
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import Key, KeyState
from chalicelib.failures import ConflictError, PermanentError, TemporaryError
from chalicelib.flows.perform import frozen, intended, intent, make_call, result, save_with_retry
from chalicelib.flows.turn_ports import TurnPorts

AT_ONCE = 40
"""Keys that share a write. A click and a freeze are heard between two writes, some seconds apart."""
LONGEST_TURN = timedelta(minutes=7)
"""From the turn's look on, well inside the function's ten minutes; the next turn carries on."""
MOST_KEYS = 2_000


def perform_many(ports: TurnPorts, case: Case, step: Call, entries: Sequence[Entry]) -> Case:
    """The case after the calls. Raises ConflictError before the first call if the case moved on,

    and PermanentError (with all that happened recorded) if only a person can help.
    """
    began = case.snapshot.at if case.snapshot else ports.clock()
    batch = _Batch(ports, step, case, list(entries), began + LONGEST_TURN)
    targets = step.targets[:MOST_KEYS]
    try:
        for start in range(0, len(targets), AT_ONCE):
            if start and (batch.is_late() or frozen(ports, case)):
                break
            if not batch.go_on(targets[start : start + AT_ONCE]):
                break
    except (ConflictError, TemporaryError) as moved:
        if not batch.has_begun:
            raise
        ports.log("batch ended early: the case moved on", case_id=case.case_id, why=str(moved))
    except PermanentError:
        batch.settled()
        raise
    return batch.settled()


@dataclass
class _Batch:
    """`said` waits for the next write, as do the records of the keys `at_hand`."""

    ports: TurnPorts
    step: Call
    case: Case
    said: list[Entry]
    until: datetime
    at_hand: dict[str, CallRecord] = field(default_factory=dict)
    before: dict[str, CallRecord | None] = field(default_factory=dict)
    has_begun: bool = False

    def go_on(self, targets: Sequence[str]) -> bool:
        """These keys; False if AWS did not take a call, or it is late: the next turn goes on."""
        due = [target for target in targets if self._is_due(target)]
        if not due:
            return True
        is_first = not self.has_begun
        self._intend(due)
        for number, target in enumerate(due):
            if self.is_late() and not (is_first and number == 0):
                return False
            record, stop = make_call(self.ports, self.case, self.step, self.at_hand[target])
            self.at_hand[target] = record
            self.before.pop(target)
            self.said.append(result(self.ports, self.case, record))
            if stop:
                raise stop
            if record.status is CallStatus.REFUSED and not record.denied:
                return False
        return True

    def is_late(self) -> bool:
        return self.ports.clock() > self.until

    def _is_due(self, target: str) -> bool:
        """Not for a key that is so already: others may have acted since the snapshot."""
        key = self.ports.inventory.reread(self.case, target)
        if key.state is KeyState.UNKNOWN:
            raise TemporaryError("AWS does not tell the state of a key now")
        return not is_done(key, self.step)

    def _intend(self, due: Sequence[str]) -> None:
        """The intents, and the results of the keys before, in one write. ConflictError: decide afresh."""
        records = {t: intended(self.ports, self.case, self.step, t) for t in due}
        before = {t: self.case.call(self.step.operation, t) for t in due}
        case = self.case.with_calls([*self.at_hand.values(), *records.values()])
        intents = [intent(self.ports, case, record) for record in records.values()]
        self.case = self.ports.cases.save(case, [*self.said, *intents])
        self.said, self.at_hand, self.before, self.has_begun = [], records, before, True

    def settled(self) -> Case:
        """The last results in the case. Of keys whose turn did not come, no intent remains."""
        if not self.has_begun:
            return self.ports.cases.save(self.case, self.said)
        self.said += [_not_made(self.ports, self.at_hand[target]) for target in self.before]
        made = [record for target, record in self.at_hand.items() if target not in self.before]

        def results(current: Case) -> Case:
            mine = {self.at_hand[target] for target in self.before}
            kept = tuple(call for call in current.calls if call not in mine)
            earlier = [record for record in self.before.values() if record]
            return replace(current, calls=kept).with_calls([*earlier, *made])

        return save_with_retry(self.ports, self.case, results, self.said)


def _not_made(ports: TurnPorts, record: CallRecord) -> Entry:
    return entry(
        Kind.RESULT,
        ports.clock(),
        operation=record.operation,
        target=record.target,
        status="not made",
    )


def is_done(key: Key, step: Call) -> bool:
    """The key is already as the call would leave it."""
    wanted = {
        Operation.SCHEDULE_KEY_DELETION: KeyState.PENDING_DELETION,
        Operation.DISABLE_KEY: KeyState.DISABLED,
        Operation.ENABLE_KEY: KeyState.ENABLED,
    }.get(step.operation)
    if step.operation is Operation.CANCEL_KEY_DELETION:
        return key.is_live
    return key.state is wanted

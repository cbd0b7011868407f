"""Many keys in one turn: some share a write, and whatever ends a batch, the log and the case tell what happened."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.audit_log import Kind, flaws
from chalicelib.domain.state.case import CallStatus, Case, Outcome
from chalicelib.domain.state.plan import Operation
from chalicelib.domain.state.snapshot import KeyState, Snapshot
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.batch import AT_ONCE, LONGEST_TURN
from chalicelib.flows.open_case import open_case
from tests.flows.stand import Stand, key, world

Make = Callable[..., Stand]
KEYS = 3 * AT_ONCE + 5
SCHEDULE = Operation.SCHEDULE_KEY_DELETION


def approved(stand: Make) -> tuple[Stand, str]:
    it = stand(world(*map(key, range(KEYS))))
    opened = open_case(it.ports, it.failed())
    assert opened
    it.run(opened.case_id, until=lambda case: bool(case.message.ts))
    it.approve("alice", "retire", opened.case_id)
    it.approve("bob", "retire", opened.case_id)
    return it, opened.case_id


def on_call(it: Stand, number: int, act: Callable[[], object], *, after: bool = False) -> None:
    """Something happens at this ScheduleKeyDeletion."""
    seen = [0]

    def hear(step: Call, _: str) -> None:
        seen[0] += step.operation is SCHEDULE
        if seen[0] == number:
            act()

    setattr(it.aws, "after" if after else "before", hear)


def told(it: Stand, case_id: str, status: str) -> int:
    entries = it.stored.entries(case_id)
    assert flaws(entries, head=it.case(case_id).log_head) == ()
    return sum(e.kind is Kind.RESULT and e["status"] == status for e in entries)


def statuses(case: Case) -> list[CallStatus]:
    return [call.status for call in case.calls if call.operation is SCHEDULE]


def test_all_keys_go_in_one_turn_each_with_its_intent_and_its_result(stand: Make) -> None:
    it, case_id = approved(stand)
    it.turn(case_id)
    assert len(it.aws.landed) == KEYS
    assert statuses(it.case(case_id)) == [CallStatus.DONE] * KEYS
    entries = [e for e in it.stored.entries(case_id) if e.kind in (Kind.INTENT, Kind.RESULT)]
    intents = {e["target"]: e.number for e in entries if e.kind is Kind.INTENT}
    results = {e["target"]: e.number for e in entries if e.kind is Kind.RESULT}
    assert len(entries) == 2 * KEYS
    assert all(intents[target] < number for target, number in results.items())
    assert all(e["request_id"] for e in entries if e.kind is Kind.RESULT)


def test_a_freeze_in_the_midst_is_heard_at_the_next_write(stand: Make) -> None:
    it, case_id = approved(stand)
    on_call(it, AT_ONCE + 3, lambda: setattr(it.brake, "reason", "incident"))
    it.turn(case_id)
    assert len(it.aws.landed) == 2 * AT_ONCE
    it.turn(case_id)
    assert len(it.aws.landed) == 2 * AT_ONCE
    assert "frozen: incident" in it.case(case_id).waiting_for


def test_a_freeze_never_holds_a_cancel(stand: Make) -> None:
    it, case_id = approved(stand)
    it.turn(case_id)
    it.stored._table.put_item(Item={"pk": "BRAKE", "sk": "BRAKE", "why": "incident"})
    it.click("bob", "cancel", case_id)
    case = it.run(case_id, until=lambda case: case.is_closed)
    assert case.outcome is Outcome.CANCELLED
    assert {k.state for k in it.aws.model.world.keys} == {KeyState.ENABLED}


def test_a_cancel_in_the_midst_is_heard_at_the_next_write(stand: Make) -> None:
    it, case_id = approved(stand)
    on_call(it, AT_ONCE + 3, lambda: it.click("bob", "cancel", case_id) and None, after=True)
    it.turn(case_id)
    assert len(it.aws.landed) == 2 * AT_ONCE
    case = it.case(case_id)
    assert statuses(case) == [CallStatus.DONE] * 2 * AT_ONCE
    assert told(it, case_id, "done") == 2 * AT_ONCE
    it.run(case_id, until=lambda case: case.is_closed)
    assert {k.state for k in it.aws.model.world.keys} == {KeyState.ENABLED}


@pytest.mark.parametrize(
    "trouble", [TemporaryError("AWS is busy"), PermanentError("AWS refused.", "Fix it.")]
)
def test_a_call_that_is_not_taken_ends_the_batch(stand: Make, trouble: Exception) -> None:
    it, case_id = approved(stand)

    def refuse() -> None:
        raise trouble

    on_call(it, AT_ONCE + 3, refuse)
    it.turn(case_id)
    assert len(it.aws.landed) == AT_ONCE + 2
    assert statuses(it.case(case_id)).count(CallStatus.INTENT) == 0, "no intent remains"
    assert told(it, case_id, "refused") == 1
    assert told(it, case_id, "not made") == AT_ONCE - 3
    assert told(it, case_id, "done") == AT_ONCE + 2


def test_what_is_known_of_an_earlier_try_stays_if_the_next_one_is_not_made(stand: Make) -> None:
    """Else its tries would be counted from one again, and what AWS never takes would stop nothing."""
    it, case_id = approved(stand)
    trouble = TemporaryError("no answer", unknown=True)

    def hear(_: Call, target: str) -> None:
        if target in ("key-0", "key-1"):
            raise trouble

    it.aws.before = hear
    it.turn(case_id)
    assert told(it, case_id, "unknown") == 2
    before = it.case(case_id).call(SCHEDULE, "key-1")
    assert before
    assert (before.status, before.tries) == (CallStatus.INTENT, 1)
    it.clock.now += timedelta(hours=1)
    trouble = TemporaryError("AWS is busy")
    it.turn(case_id)
    first, second = (it.case(case_id).call(SCHEDULE, f"key-{n}") for n in range(2))
    assert first
    assert (first.status, first.tries) == (CallStatus.REFUSED, 2)
    assert second == before, "the batch ended before its turn"
    assert told(it, case_id, "not made") == 1


def test_a_key_that_somebody_scheduled_meanwhile_is_left_alone(stand: Make) -> None:
    it, case_id = approved(stand)
    theirs = it.aws.model.world.keys[-1].key_id
    scheduled = {"state": KeyState.PENDING_DELETION, "deletion_date": it.clock.now}
    on_call(it, 1, lambda: it.aws.model._key(theirs, **scheduled))
    it.turn(case_id)
    assert ("ScheduleKeyDeletion", theirs) not in it.aws.landed
    assert it.case(case_id).call(SCHEDULE, theirs) is None


def test_a_batch_that_is_late_goes_on_in_the_next_turn(stand: Make) -> None:
    """Also in the midst of the keys of one write: the function has ten minutes, and calls may be slow."""
    it, case_id = approved(stand)

    def slow(step: Call, target: str) -> None:
        it.clock.now += timedelta(seconds=20)

    it.aws.after = slow
    it.turn(case_id)
    made = LONGEST_TURN // timedelta(seconds=20) + 1
    assert len(it.aws.landed) == made
    assert statuses(it.case(case_id)) == [CallStatus.DONE] * made
    assert told(it, case_id, "not made") == AT_ONCE - made % AT_ONCE
    while len(it.aws.landed) < KEYS:
        before = len(it.aws.landed)
        it.turn(case_id)
        assert len(it.aws.landed) > before
    assert it.aws.illegal == []


def test_a_look_that_took_too_long_still_leads_to_a_call(stand: Make) -> None:
    it, case_id = approved(stand)
    look = it.aws.snapshot

    def slow(case: Case, *, now: datetime) -> Snapshot:
        seen = look(case, now=now)
        it.clock.now += LONGEST_TURN + timedelta(minutes=1)
        return seen

    it.aws.snapshot = slow  # type: ignore[method-assign]  # one slow look
    it.turn(case_id)
    assert len(it.aws.landed) == 1


def test_a_key_that_can_t_be_read_ends_the_batch(stand: Make) -> None:
    it, case_id = approved(stand)
    hidden = it.aws.model.world.keys[AT_ONCE + 1].key_id
    reread = it.aws.reread

    def read(case: Case, key_id: str) -> object:
        found = reread(case, key_id)
        return replace(found, state=KeyState.UNKNOWN) if key_id == hidden else found

    it.aws.reread = read  # type: ignore[method-assign, assignment]  # told otherwise on the way
    it.turn(case_id)
    assert len(it.aws.landed) == AT_ONCE
    assert told(it, case_id, "done") == AT_ONCE

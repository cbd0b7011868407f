"""The flows over the real store: a case from its first event to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.answers import Recorded, WrongId
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.audit_log import Kind
from chalicelib.domain.state.case import Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.failures import PermanentError
from chalicelib.flows.open_case import open_case
from tests.flows.answers import private
from tests.flows.stand import Stand, key, world

Make = Callable[..., Stand]
RETIRE_EMPTY = [
    "DisconnectCustomKeyStore",
    "DeleteCustomKeyStore",
    "DeleteHsm",
    "DeleteHsm",
    "ModifyBackupAttributes",
    "DeleteCluster",
]


def opened(stand: Stand) -> str:
    made = open_case(stand.ports, stand.failed())
    assert made is not None
    return made.case_id


def test_an_empty_store_is_retired_by_two_people(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    assert private(it.approve("alice", "retire", case_id)) == ""
    assert it.case(case_id).phase is Phase.WAITING
    it.approve("bob", "retire", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    assert it.aws.operations == RETIRE_EMPTY
    entries = it.ports.cases.entries(case_id)
    assert audit_log.flaws(entries, head=case.log_head) == ()


def agreed(it: Stand) -> str:
    """Two people retire the cluster of the failed call."""
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    return case_id


def test_a_dry_run_calls_nothing_and_logs_each_call_that_it_would_have_made(stand: Make) -> None:
    it = stand(world(key(1)), dry_run=True)
    case_id = agreed(it)
    before = it.clock.now
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert (case.outcome, it.aws.landed) == (Outcome.EXPLAINED, [])
    told = [e for e in it.ports.cases.entries(case_id) if e.kind is Kind.DRY_RUN]
    operations = [str(e["operation"]).split(":")[1] for e in told]
    assert operations == ["ScheduleKeyDeletion", *RETIRE_EMPTY]
    due = [datetime.fromisoformat(str(e["due"])) for e in told]
    assert due == sorted(due)
    assert due[0] - before < timedelta(minutes=1)
    assert timedelta(days=7) < due[-1] - before < timedelta(days=8), "the keys wait for a week"
    assert told[0]["target"] == "key-1"


def test_the_same_on_moto(moto_store: DynamoCases) -> None:
    it = Stand(world(key(1)), store=moto_store)
    case_id = agreed(it)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    assert it.aws.operations == ["ScheduleKeyDeletion", *RETIRE_EMPTY]
    assert it.aws.illegal == []


def test_live_keys_wait_seven_days_and_then_all_goes(stand: Make) -> None:
    it = stand(world(key(1), key(2, KeyState.DISABLED)))
    case_id = agreed(it)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED
    assert it.aws.operations == ["ScheduleKeyDeletion"] * 2 + RETIRE_EMPTY


def test_cancel_during_the_key_wait_restores_each_key(stand: Make) -> None:
    it = stand(world(key(1), key(2, KeyState.DISABLED)))
    case_id = agreed(it)
    it.run(case_id, until=lambda c: "KMS deletes" in c.waiting_for)
    it.click("alice", "cancel", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.CANCELLED
    states = {k.key_id: k.state for k in it.aws.model.world.keys}
    assert states == {"key-1": KeyState.ENABLED, "key-2": KeyState.DISABLED}


def test_the_same_event_again_changes_nothing(stand: Make) -> None:
    it = stand(world())
    first = open_case(it.ports, it.failed())
    again = open_case(it.ports, it.failed())
    assert first
    assert again
    assert (again.case_id, again.is_new) == (first.case_id, False)
    assert len(it.case(first.case_id).attempts) == 1
    other = open_case(it.ports, it.failed("event-2"))
    assert other
    assert other.case_id == first.case_id
    assert len(it.case(first.case_id).attempts) == 2


def test_nobody_decides_and_the_case_expires(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.EXPIRED
    assert it.aws.landed == []


def test_parked_and_undone(stand: Make) -> None:
    it = stand(world(key(1)))
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "park", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.PARKED
    it.click("bob", "undo", case_id)
    assert it.case(case_id).generation == 1
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.CANCELLED
    assert len(it.aws.model.world.live_hsms) == 2
    assert it.aws.model.world.key_stores[0].state == "CONNECTED"


def test_a_cluster_id_typed_with_capitals_and_blanks_is_the_same(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    own = it.case(case_id).cluster_id
    assert it.approve("alice", "retire", case_id, cluster_id=f"  {own.upper()}\n") == Recorded()
    for typed in (f"{own}x", ""):
        answer = it.approve("bob", "retire", case_id, cluster_id=typed)
        assert isinstance(answer, WrongId)
        assert answer.typed == typed
    assert {c.by for c in it.case(case_id).clicks if c.plan_hash} == {"alice"}


def test_an_approval_taken_back_does_not_count(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", case_id)
    assert private(it.click("alice", "withdraw", case_id)) == ""
    it.approve("bob", "retire", case_id)
    it.turn(case_id)
    assert it.case(case_id).phase is Phase.WAITING
    assert it.aws.landed == []
    it.approve("alice", "retire", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.RETIRED


def test_who_clicks_hears_that_the_run_could_not_be_woken(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "park", case_id)
    it.run(case_id, until=lambda c: c.is_closed)

    def refuse(case_id: str, generation: int) -> None:
        raise PermanentError("AWS refused states:StartExecution: access denied.", "Allow it.")

    it.runs.on_start = refuse
    answer = it.click("bob", "undo", case_id)
    assert "recorded, but the case could not be woken (AWS refused states:" in private(answer)
    assert "access denied)." in private(answer)
    assert [click.act for click in it.case(case_id).new_clicks] == [Act.UNDO]


def test_a_click_that_all_is_well_with_is_answered_in_silence(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda case: bool(case.message.ts))
    assert it.approve("alice", "retire", case_id) == Recorded()
    assert it.approve("alice", "retire", case_id) != Recorded(), "it counts once, and that is said"
    assert it.click("mallory", "cancel", case_id) != Recorded()
    assert it.click("bob", "cancel", case_id) == Recorded()


def test_what_the_dashboard_shows_is_counted(stand: Make) -> None:
    it = stand(world())
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    it.click("alice", "reject", case_id)
    it.run(case_id, until=lambda c: c.is_closed)
    counted = Counter(it.counted)
    assert counted["CasesOpened"] == counted["CasesClosed_rejected"] == 1
    assert counted["SecondsToMessage"] == counted["SecondsToClose"] == 1


def test_repeated_clicks_wake_the_case_and_are_not_kept(stand: Make) -> None:
    it = stand(world(key(1)))
    case_id = opened(it)
    it.run(case_id, until=lambda c: bool(c.message.ts))
    before = it.case(case_id)
    for _ in range(20):
        assert private(it.click("alice", "refresh", case_id)) == ""
    assert it.case(case_id).clicks == before.clicks
    assert it.case(case_id).version == before.version + 20, (
        "a turn under way is followed by another"
    )
    for _ in range(3):
        assert private(it.click("alice", "reject", case_id)) == ""
    assert [click.act for click in it.case(case_id).new_clicks] == [Act.REJECT]
    assert it.run(case_id, until=lambda c: c.is_closed).outcome is Outcome.REJECTED

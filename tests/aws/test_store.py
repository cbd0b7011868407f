"""The store's contract, on the table in memory and on moto alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws.store import codec
from chalicelib.aws.store.body import BODY, text_of
from chalicelib.aws.store.cases import DynamoCases
from chalicelib.aws.store.inbox import INBOX
from chalicelib.aws.store.opening import MOST_CALLERS, MOST_WAITING, case_id_of
from chalicelib.aws.store.turns import TurnCases
from chalicelib.domain.rules.approval import CROWD
from chalicelib.domain.rules.key_uses import FEW_WAIT, MANY, MOST, MOST_WAIT
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.audit_log import Entry, Kind, entry
from chalicelib.domain.state.caller import caller_of
from chalicelib.domain.state.case import (
    Attempt,
    CallRecord,
    CallStatus,
    Case,
    KeyUse,
    Outcome,
    Phase,
)
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.plan import Operation
from chalicelib.failures import ConflictError, PermanentError, SupersededError, UnbelievedError
from chalicelib.ports import UNFENCED, CaseTrigger
from sandbox.reliability.table import MemoryTable, TransactionConflictException
from tests.flows.stand import BODY_SEAL, HUB, INBOX_SEAL, NOW, REGION, table
from tests.flows.stand import CLUSTER as ONE

ARN = "arn:aws:sts::111122223333:assumed-role/{}/ci"


class Store(DynamoCases):
    """The store, with one turn at work on each case: what it saved last is what its run remembers."""

    def __init__(self, table: object) -> None:
        super().__init__(table, INBOX_SEAL)
        self.remembered: dict[str, str] = {}

    def turn(self, case_id: str, given: str | None = None, *, attempt: int = 0) -> TurnCases:
        given = self.remembered.get(case_id, "") if given is None else given
        generation = self.stored(case_id).inbox.generation
        seals = {"inbox_seal": INBOX_SEAL, "body_seal": BODY_SEAL}
        return TurnCases(self._table, Anchor(given, attempt), generation=generation, **seals)

    def save(self, case: Case, entries: Sequence[Entry] = ()) -> Case:
        turn = self.turn(case.case_id)
        saved = turn.save(case, entries)
        self.remembered[case.case_id] = turn.digest
        return saved


@pytest.fixture(params=["memory", "moto"])
def cases(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "memory":
        yield Store(MemoryTable())
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Store(table())


def failed(
    event_id: str = "event-1", *, role: str = "deploy", cluster_id: str = ONE
) -> CaseTrigger:
    caller = caller_of(arn=ARN.format(role), kind="AssumedRole")
    return CaseTrigger(HUB, REGION, cluster_id, Attempt(event_id, NOW, "InUse", caller))


def opened(cases: Store) -> Case:
    """A case whose first turn has been."""
    case = cases.load(cases.open_or_fold(failed(), now=NOW).case_id)
    return cases.save(case, [entry(Kind.OPENED, NOW)])


def heard(case: Case) -> Case:
    return replace(
        case,
        clicks_seen=len(case.clicks),
        uses_seen=len(case.key_uses),
        attempts_seen=len(case.attempts),
    )


def closed(case: Case, outcome: Outcome) -> Case:
    return replace(case, phase=Phase.CLOSED, outcome=outcome, closed_at=NOW)


def test_the_same_event_opens_once_also_after_the_end(cases: Store) -> None:
    case = opened(cases)
    cases.save(closed(case, Outcome.REJECTED))
    again = cases.open_or_fold(failed(), now=NOW + timedelta(days=9))
    assert (again.case_id, again.is_new) == (case.case_id, False)
    assert case.case_id == case_id_of("event-1")
    assert cases.pointers() == []
    new = cases.open_or_fold(failed("event-2"), now=NOW)
    assert new.is_new
    assert new.case_id != case.case_id


def test_a_save_on_old_news_is_refused_whole(cases: Store) -> None:
    case = opened(cases)
    cases.save(replace(case, turns=1), [entry(Kind.READ, NOW)])
    with pytest.raises(ConflictError):
        cases.save(replace(case, turns=7), [entry(Kind.READ, NOW)])
    assert cases.load(case.case_id).turns == 1
    entries = cases.entries(case.case_id)
    assert audit_log.flaws(entries, head=cases.load(case.case_id).log_head) == ()


def test_two_hundred_log_entries_fit_one_save(cases: Store) -> None:
    case = cases.save(opened(cases), [entry(Kind.DRY_RUN, NOW, target=n) for n in range(200)])
    entries = cases.entries(case.case_id)
    assert len(entries) == 201
    assert audit_log.flaws(entries, head=cases.load(case.case_id).log_head) == ()


def test_a_click_counts_only_on_the_case_as_it_was_judged(cases: Store) -> None:
    case = opened(cases)
    cases.record_click(case, Click(Act.REJECT, "alice", NOW), reopen=False)
    with pytest.raises(ConflictError):
        cases.record_click(case, Click(Act.CANCEL, "bob", NOW), reopen=False)
    cases.record_click(case, Click(Act.LOOK, "bob", NOW), reopen=False)
    assert [c.act for c in cases.load(case.case_id).clicks] == [Act.REJECT, Act.LOOK]


def test_the_token_of_a_sleeping_run_is_given_out_until_the_next(cases: Store) -> None:
    case = opened(cases)
    assert cases.sleep(case.case_id, version=case.version, token="token-1")
    look = Click(Act.LOOK, "alice", NOW)
    assert cases.record_click(case, look, reopen=False).token == "token-1"
    assert cases.record_click(case, look, reopen=False).token == "token-1"
    assert not cases.sleep(case.case_id, version=case.version, token="token-2"), "it moved on"
    now = cases.load(case.case_id)
    assert cases.sleep(case.case_id, version=now.version, token="token-3")
    assert cases.open_or_fold(failed("event-2"), now=NOW).token == "token-3"


def test_a_call_that_waits_wakes_the_run_each_time_it_comes(cases: Store) -> None:
    """Whoever folded it may have died before that; once a turn has heard it, it wakes nobody."""
    case = opened(cases)
    assert cases.sleep(case.case_id, version=case.version, token="token-1")
    tokens = []
    for remembers in (True, True, False):
        if not remembers:
            cases._heard.clear()  # another function hears it
        tokens.append(cases.open_or_fold(failed("event-2"), now=NOW).token)
    assert tokens == ["token-1", "token-1", "token-1"]
    heard = cases.load(case.case_id)
    heard = cases.save(replace(heard, attempts_seen=len(heard.attempts)))
    assert cases.sleep(case.case_id, version=heard.version, token="token-2")
    cases._heard.clear()
    assert cases.open_or_fold(failed("event-2"), now=NOW).token == ""


def test_generations_move_once(cases: Store) -> None:
    case = opened(cases)
    assert cases.next_generation(case) == 1
    with pytest.raises(ConflictError):
        cases.next_generation(case)
    with pytest.raises(ConflictError):
        cases.save(case)
    assert cases.load(case.case_id).generation == 1


def test_a_kept_case_holds_its_cluster_and_a_closed_one_lets_it_go(cases: Store) -> None:
    case = cases.save(closed(opened(cases), Outcome.KEPT))
    assert [p.case_id for p in cases.pointers()] == [case.case_id]
    folded = cases.open_or_fold(failed("event-2"), now=NOW)
    assert not folded.is_new
    case = cases.save(closed(cases.load(case.case_id), Outcome.CANCELLED))
    assert cases.pointers() == []


def test_a_closed_case_is_taken_up_again_only_while_its_cluster_is_free(cases: Store) -> None:
    case = cases.save(closed(opened(cases), Outcome.PARKED))
    other = cases.open_or_fold(failed("event-2"), now=NOW)
    undo = Click(Act.UNDO, "bob", NOW)
    with pytest.raises(PermanentError, match=other.case_id):
        cases.record_click(case, undo, reopen=True)
    assert cases.load(case.case_id).clicks == ()
    cases.save(closed(cases.load(other.case_id), Outcome.REJECTED))
    assert cases.record_click(case, undo, reopen=True).generation == 1
    assert [p.case_id for p in cases.pointers()] == [case.case_id], "the sweep can find it"


def use(number: int, key_id: str = "key-1", who: str = "payments") -> KeyUse:
    return KeyUse(f"use-{number}", NOW, key_id, who, "Decrypt")


def test_a_failed_use_counts_once_and_wakes_each_time(cases: Store) -> None:
    case = opened(cases)
    cases.sleep(case.case_id, version=case.version, token="token-1")
    assert {cases.record_use(case.case_id, use(n)) for n in (0, 0, 1, 0)} == {"token-1"}
    assert [u.event_id for u in cases.load(case.case_id).key_uses] == ["use-0", "use-1"]


def test_an_event_that_names_two_keys_counts_for_each(cases: Store) -> None:
    case = opened(cases)
    for key_id in ("key-1", "key-2", "key-1"):
        cases.record_use(case.case_id, use(0, key_id))
    assert [u.key_id for u in cases.load(case.case_id).key_uses] == ["key-1", "key-2"]


def test_of_many_failed_uses_those_of_further_callers_and_keys_are_kept() -> None:
    cases = Store(MemoryTable())
    case = opened(cases)
    for number in range(MANY + 30):
        cases.record_use(case.case_id, use(number))
    assert len(cases.load(case.case_id).key_uses) == FEW_WAIT, "that no turn has heard"
    cases.sleep(case.case_id, version=cases.load(case.case_id).version, token="token-1")
    for number, (key_id, who) in enumerate([("key-2", "payments"), ("key-1", "billing")] * 2):
        assert cases.record_use(case.case_id, use(1_000 + number, key_id, who)) == "token-1"
    last = cases.load(case.case_id).key_uses[FEW_WAIT:]
    assert [(u.key_id, u.who) for u in last] == [("key-2", "payments"), ("key-1", "billing")]


def test_failed_uses_stay_few() -> None:
    cases = Store(MemoryTable())
    case = opened(cases)
    for number in range(MOST + 30):
        cases.record_use(case.case_id, use(number, f"key-{number}"))
    assert len(cases.load(case.case_id).key_uses) == MOST_WAIT, "that no turn has heard"


def test_of_very_many_triggers_that_wait_new_callers_are_kept() -> None:
    cases = Store(MemoryTable())
    case = opened(cases)
    for number in range(MOST_WAITING + 50):
        cases.open_or_fold(failed(f"again-{number}"), now=NOW)
    cases.open_or_fold(failed("by-another", role="admin"), now=NOW)
    attempts = cases.load(case.case_id).attempts
    assert len(attempts) == 1 + MOST_WAITING + 1
    assert attempts[-1].caller.arn == ARN.format("admin")
    for number in range(MOST_CALLERS):
        cases.open_or_fold(failed(f"role-{number}", role=f"role-{number}"), now=NOW)
    kept = cases.load(case.case_id).attempts[1:]
    crowded = [attempt.caller.kind == CROWD for attempt in kept]
    assert crowded == [False] * (MOST_CALLERS - 1) + [True], "it stands for all that find no place"


@pytest.mark.parametrize("letter", ["r", "\u4e0d"], ids=["one byte", "three bytes"])
def test_a_cancel_finds_room_in_an_inbox_that_no_turn_hears(letter: str) -> None:
    """A pipeline and a program fail for weeks, with names as long as AWS takes them."""
    cases = Store(MemoryTable())
    case = opened(cases)
    for number in range(600):
        cases.open_or_fold(failed(f"event-{number}", role=f"{number}" + letter * 900), now=NOW)
        cases.record_use(case.case_id, use(number, f"key-{number}", letter * 900))
    now = cases.load(case.case_id)
    cases.record_click(now, Click(Act.CANCEL, "alice", NOW, reason="x" * 500), reopen=False)
    assert cases.load(case.case_id).clicks[-1].act is Act.CANCEL
    assert cases.load(case.case_id).attempts[-1].caller.kind == CROWD, "and nobody slips through"


def test_a_case_that_cant_be_read_says_so(cases: Store) -> None:
    """A newer version wrote it, and its run remembers: it is believed, and not understood."""
    case = opened(cases)
    stored = cases.stored(case.case_id)
    assert stored.body
    newer = replace(stored.body, text='{"schema": 99, "phase": "levitating"}')
    cases._table.put_item(Item=newer.item(case.case_id))
    with pytest.raises(PermanentError, match="another version"):
        cases.load(case.case_id)
    with pytest.raises(PermanentError, match="another version"):
        cases.turn(case.case_id, newer.digest).load(case.case_id)


def test_unknown_cases_are_key_errors(cases: Store) -> None:
    with pytest.raises(KeyError):
        cases.load("case-nowhere")
    assert cases.record_use("case-nowhere", KeyUse("u", NOW, "key-1", "x", "Decrypt")) == ""
    with pytest.raises(KeyError):
        cases.load("case-nowhere")


class Contended:
    """The table, of which single writes meet a transaction that is just writing the same item."""

    def __init__(self, table: MemoryTable) -> None:
        self._table, self.is_held = table, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._table, name)

    def update_item(self, **request: Any) -> object:
        if self.is_held:
            error: Any = {"Error": {"Code": "TransactionConflictException", "Message": ""}}
            raise TransactionConflictException(error, "UpdateItem")
        return self._table.update_item(**request)


class Paged:
    """The table, which gives one item a page, as DynamoDB does of large ones."""

    def __init__(self) -> None:
        self._table = MemoryTable()

    def __getattr__(self, name: str) -> object:
        return getattr(self._table, name)

    def query(self, **request: Any) -> dict[str, Any]:
        assert request["ConsistentRead"], "the run would not see what it has just written"
        return self._page(self._table.query(**request)["Items"], **request)

    def scan(self, **request: Any) -> dict[str, Any]:
        assert request["ConsistentRead"]
        assert request["FilterExpression"] == "sk IN (:inbox, :old)"
        kinds = request["ExpressionAttributeValues"]
        assert kinds.keys() == {":inbox", ":old"}
        found = [item for item in self._table.items.values() if item["sk"] in kinds.values()]
        found += [{"pk": "CASE#just-gone", "sk": INBOX}]
        names = request["ProjectionExpression"].split(", ")
        return self._page([{name: item[name] for name in names} for item in found], **request)

    def _page(self, items: list[dict[str, Any]], **request: Any) -> dict[str, Any]:
        at = request.get("ExclusiveStartKey", {"at": 0})["at"]
        last = {"LastEvaluatedKey": {"at": at + 1}} if at + 1 < len(items) else {}
        return {"Items": items[at : at + 1], **last}


def test_what_comes_on_several_pages_is_read_to_the_end() -> None:
    cases = Store(Paged())
    triggers = [failed(f"event-{n}", cluster_id=f"cluster-{n}") for n in range(3)]
    ids = [cases.open_or_fold(one, now=NOW).case_id for one in triggers]
    case = cases.load(ids[0])
    cases.save(case, [entry(Kind.READ, NOW, n=n) for n in range(4)])
    assert [e["n"] for e in cases.entries(ids[0])] == ["0", "1", "2", "3"]
    assert {p.case_id for p in cases.pointers()} == {*ids}
    assert {one.case_id for one in cases.everything()} == {*ids}


def test_a_conflict_names_its_case(cases: Store) -> None:
    case = opened(cases)
    look, reject = (Click(act, "alice", NOW) for act in (Act.LOOK, Act.REJECT))
    moved = cases.next_generation(case)
    for late in (
        lambda: cases.record_click(case, look, reopen=False),
        lambda: cases.record_click(case, reject, reopen=False),
        lambda: cases.record_click(case, reject, reopen=True),
        lambda: cases.next_generation(case),
    ):
        with pytest.raises(ConflictError, match=f"^{case.case_id}$"):
            late()
    assert moved == 1
    assert cases.load(case.case_id).clicks == ()


def test_a_transaction_on_the_case_is_no_refusal() -> None:
    """DynamoDB turns away a single write while a transaction holds the item: nothing is said of it."""
    contended = Contended(MemoryTable())
    cases = Store(contended)
    case = opened(cases)
    contended.is_held = True
    with pytest.raises(ConflictError):
        cases.record_click(case, Click(Act.LOOK, "alice", NOW), reopen=False)
    with pytest.raises(ConflictError):
        cases.record_use(case.case_id, use(1))
    assert not cases.sleep(case.case_id, version=case.version, token="token-1"), "it goes back"
    contended.is_held = False
    assert cases.save(replace(case, turns=1)).version == case.version + 1


def test_a_turn_hears_the_inbox_and_what_came_meanwhile_stays(cases: Store) -> None:
    case = opened(cases)
    cases.record_click(case, Click(Act.LOOK, "alice", NOW), reopen=False)
    cases.record_use(case.case_id, use(1))
    cases.open_or_fold(failed("event-2"), now=NOW)
    turn = cases.turn(case.case_id)
    now = turn.load(case.case_id)
    saved = turn.save(heard(now))
    inbox = cases.stored(case.case_id).inbox
    assert (inbox.waiting["clicks"], inbox.waiting["key_uses"], inbox.waiting["triggers"]) == (
        (),
        (),
        (),
    )
    cases.record_click(saved, Click(Act.LOOK, "bob", NOW), reopen=False)
    with pytest.raises(ConflictError):
        turn.save(saved)
    again = turn.load(case.case_id)
    turn.save(replace(again, turns=7))
    case = cases.load(case.case_id)
    assert [click.by for click in case.clicks] == ["alice", "bob"]
    assert [click.by for click in case.new_clicks] == ["bob"]
    assert [attempt.event_id for attempt in case.attempts] == ["event-1", "event-2"]
    assert [one.event_id for one in case.key_uses] == ["use-1"]
    assert case.turns == 7


def test_a_save_of_a_turn_that_died_is_believed_by_its_seal(cases: Store) -> None:
    case = opened(cases)
    given = cases.remembered[case.case_id]
    cases.turn(case.case_id).save(replace(case, turns=5))
    again = cases.turn(case.case_id, given, attempt=1)
    assert again.load(case.case_id).turns == 5
    assert again.digest != given, "the run has to remember this one, also if nothing more is saved"
    item = dict(cases._table.get_item(Key={"pk": f"CASE#{case.case_id}", "sk": BODY})["Item"])
    cases._table.put_item(Item=item | {"seal": "bm8="})
    with pytest.raises(UnbelievedError):
        cases.turn(case.case_id, given, attempt=1).load(case.case_id)


def test_a_try_that_is_left_over_saves_nothing(cases: Store) -> None:
    case = opened(cases)
    given = cases.remembered[case.case_id]
    first = cases.turn(case.case_id, given)
    seen = first.load(case.case_id)
    second = cases.turn(case.case_id, given, attempt=1)
    saved = second.save(second.load(case.case_id))
    with pytest.raises(ConflictError):
        first.save(seen)
    with pytest.raises(SupersededError):
        first.load(case.case_id)
    with pytest.raises(ConflictError):
        first.save(replace(saved, turns=9))
    assert second.save(replace(saved, turns=2)).turns == 2


def test_a_run_of_another_generation_is_left_over(cases: Store) -> None:
    case = opened(cases)
    turn = cases.turn(case.case_id)
    assert cases.next_generation(case) == 1
    with pytest.raises(SupersededError) as left:
        turn.load(case.case_id)
    assert left.value.generation == 1


def test_a_run_that_another_replaces_in_that_moment_marks_no_body_as_refused(
    cases: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = opened(cases)
    turn = cases.turn(case.case_id)
    look = turn.writes.get

    def replaced(pk: str, sk: str) -> Any:
        item = look(pk, sk)
        cases.next_generation(case)
        return item

    monkeypatch.setattr(turn.writes, "get", replaced)
    assert turn.refuse(case.case_id, now=NOW).version == UNFENCED
    assert not cases.stored(case.case_id).inbox.refused


def test_who_only_looks_adds_nothing(cases: Store) -> None:
    case = opened(cases)
    onlooker = DynamoCases(cases._table)
    assert onlooker.load(case.case_id) == cases.load(case.case_id)
    with pytest.raises(AssertionError, match="may make seals"):
        onlooker.record_click(case, Click(Act.LOOK, "alice", NOW), reopen=False)


def test_a_large_case_packs_small_and_comes_back(cases: Store) -> None:
    ids = [str(uuid.UUID(int=number * 0x9E3779B97F4A7C15 % 2**128)) for number in range(2_000)]
    calls = tuple(
        CallRecord(Operation.DISABLE_KEY, key_id, NOW, CallStatus.DONE, "hash") for key_id in ids
    )
    case = cases.save(opened(cases).with_calls(calls))
    assert cases.load(case.case_id).calls == calls
    assert len(codec.packed(text_of(case))) < 25 * len(ids), "bytes for 16 random ones and a call"

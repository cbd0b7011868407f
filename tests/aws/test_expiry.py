"""The end of a record: gone at once for all who read, whatever order DynamoDB deletes in; untouched till then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.store.cases import DynamoCases, NoCaseError
from chalicelib.aws.store.expiry import LATER, expire
from chalicelib.aws.store.inbox import INBOX
from chalicelib.aws.store.log import Log
from chalicelib.aws.store.turns import TurnCases
from chalicelib.aws.table import Table
from chalicelib.domain.rules.trust import Anchor
from chalicelib.domain.state import audit_log
from chalicelib.domain.state.audit_log import Kind, entry
from chalicelib.domain.state.caller import caller_of
from chalicelib.domain.state.case import Attempt, Case, Outcome, Phase
from chalicelib.failures import ConflictError
from chalicelib.ports import CaseTrigger
from tests.flows.stand import BODY_SEAL, CLUSTER, HUB, INBOX_SEAL, NOW, REGION, table

ENDS = NOW + timedelta(days=90)


class Shelf:
    """The store over the table as functions have it, on moto, with a clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW
        raw: Any = table()
        client = boto3.client("dynamodb", region_name=REGION)
        self.raw = raw
        self.table = Table(client, raw.name, self.seconds)
        self.cases = DynamoCases(self.table, INBOX_SEAL)

    def seconds(self) -> float:
        return self.now.timestamp()

    def turn(self, digest: str = "") -> TurnCases:
        seals = {"inbox_seal": INBOX_SEAL, "body_seal": BODY_SEAL}
        return TurnCases(self.table, Anchor(digest, 0), generation=0, **seals)

    def closed(self, lines: int = 3) -> Case:
        """A case that is over, with a log of so many lines."""
        caller = caller_of(arn=f"arn:aws:sts::{HUB}:assumed-role/ci/x", kind="AssumedRole")
        failed = CaseTrigger(HUB, REGION, CLUSTER, Attempt("event-1", NOW, "InUse", caller))
        opened = self.cases.open_or_fold(failed, now=NOW)
        case = self.turn().load(opened.case_id)
        over = replace(case, phase=Phase.CLOSED, outcome=Outcome.REJECTED, closed_at=NOW)
        return self.turn().save(over, [entry(Kind.READ, NOW, n=n) for n in range(lines)])

    def expire(self, case: Case, at: datetime = ENDS) -> None:
        expire(self.cases.writes, Log(self.table), case, at)

    def items(self, case: Case) -> list[dict[str, Any]]:
        found = self.raw.scan()["Items"]
        return [item for item in found if item["pk"] == f"CASE#{case.case_id}"]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Shelf()


def test_a_record_stays_whole_until_it_ends_and_is_gone_at_once(shelf: Shelf) -> None:
    case = shelf.closed()
    shelf.expire(case)
    shelf.now = ENDS - timedelta(seconds=1)
    assert shelf.cases.load(case.case_id).outcome is Outcome.REJECTED
    assert audit_log.flaws(shelf.cases.entries(case.case_id), head=case.log_head) == ()
    assert [c.case_id for c in shelf.cases.everything()] == [case.case_id]
    shelf.now = ENDS
    with pytest.raises(NoCaseError):
        shelf.cases.load(case.case_id)
    assert list(shelf.cases.everything()) == []


def test_nobody_sees_half_of_it_in_whatever_order_dynamodb_deletes(shelf: Shelf) -> None:
    case = shelf.closed(lines=2)
    shelf.expire(case)
    ends = {item["sk"]: int(item["ttl"]) for item in shelf.items(case)}
    rest = {end for sk, end in ends.items() if sk != INBOX}
    assert ends[INBOX] == int(ENDS.timestamp())
    assert rest == {int((ENDS + LATER).timestamp())}
    shelf.now = ENDS + LATER
    for order in permutations(ends):
        kept = shelf.items(case)
        for sk in order:
            shelf.raw.delete_item(Key={"pk": kept[0]["pk"], "sk": sk})
            with pytest.raises(NoCaseError):
                shelf.cases.load(case.case_id)
        for item in kept:
            shelf.raw.put_item(Item=item)


def test_a_long_log_is_marked_whole_and_again_after_a_crash(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = shelf.closed(lines=200)
    transact, calls = shelf.cases.writes.transact, []

    def dies_at_the_third(writes: list[Any]) -> bool:
        calls.append(len(writes))
        if len(calls) == 3:
            raise ConnectionError
        return transact(writes)

    monkeypatch.setattr(shelf.cases.writes, "transact", dies_at_the_third)
    with pytest.raises(ConnectionError):
        shelf.expire(case)
    case = shelf.cases.load(case.case_id)
    assert audit_log.flaws(shelf.cases.entries(case.case_id), head=case.log_head) == ()
    shelf.expire(case)
    assert max(calls) <= 90
    assert all("ttl" in item for item in shelf.items(case))
    assert len(shelf.items(case)) == 202


def test_a_case_that_was_written_meanwhile_is_left_alone(shelf: Shelf) -> None:
    case = shelf.closed()
    shelf.cases.touch(case.case_id)
    with pytest.raises(ConflictError):
        shelf.expire(case)
    assert not any("ttl" in item for item in shelf.items(case))


@pytest.mark.parametrize("word", ["1", None, False, [1], {"N": 1}])
def test_what_is_no_number_ends_nothing(shelf: Shelf, word: object) -> None:
    case = shelf.closed()
    for item in shelf.items(case):
        shelf.raw.put_item(Item={**item, "ttl": word})
    shelf.now = ENDS
    assert shelf.cases.load(case.case_id).case_id == case.case_id


def test_the_event_of_a_record_that_is_gone_opens_nothing(shelf: Shelf) -> None:
    case = shelf.closed()
    shelf.expire(case)
    shelf.now = ENDS
    cases = DynamoCases(shelf.table, INBOX_SEAL)  # a function that never heard of it
    failed = CaseTrigger(HUB, REGION, CLUSTER, case.attempts[0])
    again = cases.open_or_fold(failed, now=ENDS)
    assert (again.case_id, again.is_new, again.is_gone) == (case.case_id, False, True)

"""DynamoDB's wire: what is sent, what comes back as plain values, and what is past its end or not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from chalicelib.aws.store.inbox import inbox_from, opened
from chalicelib.aws.store.writes import Writes
from chalicelib.aws.table import TTL, Table, plain, typed
from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.failures import Code, ConflictError, PermanentError, TemporaryError
from sandbox.reliability.table import (
    ConditionalCheckFailedException,
    MemoryTable,
    TransactionCanceledException,
    TransactionConflictException,
)
from tests.flows.stand import CLUSTER, HUB, NOW, REGION

ENDS = 1_800_000_000
KEY = {"pk": "CASE#case-1", "sk": "BODY"}


class Wire:
    """A client that answers each call with this; `asked` has what it was sent."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.asked = answers, list[tuple[str, dict[str, Any]]]()
        self.exceptions = MemoryTable().exceptions

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((name, request))
            answer = self.answers.get(name, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def over(wire: Any, *, now: float = ENDS) -> Table:
    return Table(wire, "unlatch-test", lambda: now)


VALUES: list[tuple[Any, dict[str, Any]]] = [
    (None, {"NULL": True}),
    (True, {"BOOL": True}),
    ("x", {"S": "x"}),
    (7, {"N": "7"}),
    (b"x", {"B": b"x"}),
    (["x", 7], {"L": [{"S": "x"}, {"N": "7"}]}),
    ({"b", "a"}, {"SS": ["a", "b"]}),
    ({"a": {"b": False}}, {"M": {"a": {"M": {"b": {"BOOL": False}}}}}),
]


@pytest.mark.parametrize(("value", "wired"), VALUES, ids=[str(wired) for _, wired in VALUES])
def test_a_value_goes_and_comes_back(value: Any, wired: dict[str, Any]) -> None:
    assert typed(value) == wired
    assert plain(wired) == value


@pytest.mark.parametrize("value", [1.5, set(), {1}, object])
def test_what_the_store_never_keeps_is_a_defect(value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{type(value).__name__} can’t be stored$"):
        typed(value)


def test_items_and_keys_are_sent_as_dynamodb_has_them_and_all_else_as_it_is() -> None:
    wire = Wire(update_item={"Attributes": {"version": {"N": "3"}}})
    values = {":one": 1}
    reply = over(wire).update_item(
        Key=KEY, UpdateExpression="ADD version :one", ExpressionAttributeValues=values
    )
    assert reply == {"Attributes": {"version": 3}}
    over(wire).put_item(Item={**KEY, "n": 1})
    assert wire.asked == [
        (
            "update_item",
            {
                "TableName": "unlatch-test",
                "Key": {"pk": {"S": KEY["pk"]}, "sk": {"S": KEY["sk"]}},
                "UpdateExpression": "ADD version :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            },
        ),
        (
            "put_item",
            {
                "TableName": "unlatch-test",
                "Item": {"pk": {"S": KEY["pk"]}, "sk": {"S": KEY["sk"]}, "n": {"N": "1"}},
            },
        ),
    ]


def test_each_write_of_a_transaction_is_sent_so_too() -> None:
    wire = Wire(transact_write_items={"ResponseMetadata": {}})
    write = {"Put": {"TableName": "unlatch-test", "Item": KEY, "ConditionExpression": "x"}}
    reply = over(wire).meta.client.transact_write_items(TransactItems=[write])
    assert reply == {"ResponseMetadata": {}}
    [(name, sent)] = wire.asked
    assert name == "transact_write_items"
    item = {"pk": {"S": KEY["pk"]}, "sk": {"S": KEY["sk"]}}
    assert sent == {"TransactItems": [{"Put": {**write["Put"], "Item": item}}]}


@pytest.mark.parametrize(
    ("ends", "is_there"),
    [
        (None, True),
        ({"N": str(ENDS + 1)}, True),
        ({"N": str(ENDS)}, False),
        ({"S": str(ENDS - 9)}, True),
    ],
)
def test_what_is_past_its_end_is_gone_at_once(ends: Any, is_there: bool) -> None:
    item = {"pk": {"S": "x"}, **({TTL: ends} if ends else {})}
    wire = Wire(
        get_item={"Item": item, "ConsumedCapacity": {}},
        query={"Items": [item], "Count": 1},
        scan={"Items": [item]},
    )
    table = over(wire)
    found = table.get_item(Key=KEY)
    assert ("Item" in found) is is_there
    assert found["ConsumedCapacity"] == {}, "it tells “no item” from a reply that broke off"
    assert wire.asked[0][1]["ReturnConsumedCapacity"] == "TOTAL"
    assert len(table.query(Limit=1)["Items"]) == is_there
    assert table.query()["Count"] == 1
    assert len(table.scan()["Items"]) == 1, "a scan shows what the table has"


def test_no_item_is_none() -> None:
    assert Writes(over(Wire(get_item={"ConsumedCapacity": {}}))).get("x", "y") is None


def error(kind: type[Any], **more: Any) -> Exception:
    made: Exception = kind({"Error": {"Code": kind.__name__, "Message": ""}, **more}, "UpdateItem")
    return made


def test_an_update_asks_for_what_stood_before() -> None:
    wire = Wire(update_item={"Attributes": {"token": {"S": "token-1"}}})
    assert Writes(over(wire)).update("case-1", UpdateExpression="x") == {"token": "token-1"}
    assert wire.asked[0][1]["ReturnValues"] == "ALL_OLD"
    assert wire.asked[0][1]["Key"] == {"pk": {"S": "CASE#case-1"}, "sk": {"S": "INBOX"}}


def test_a_refused_update_a_busy_item_and_half_a_reply_are_told_apart() -> None:
    refused = Wire(update_item=error(ConditionalCheckFailedException))
    assert Writes(over(refused)).update("case-1") is None
    held = Wire(update_item=error(TransactionConflictException))
    with pytest.raises(ConflictError, match=r"^case-1$"):
        Writes(over(held)).update("case-1")
    with pytest.raises(TemporaryError) as half:
        Writes(over(Wire(update_item={}))).update("case-1")
    assert half.value.code is Code.UNREADABLE


CALLS: dict[str, Callable[[Writes], object]] = {
    "GetItem": lambda writes: writes.get("x", "y"),
    "UpdateItem": lambda writes: writes.update("case-1"),
    "PutItem": lambda writes: writes.put_item(KEY),
    "TransactWriteItems": lambda writes: writes.transact([]),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_aws_denies_is_named(name: str) -> None:
    denied = error(ClientError, Error={"Code": "AccessDeniedException", "Message": ""})
    wire = Wire(**{xform_name(name): denied})
    with pytest.raises(PermanentError, match=f"^AWS refused dynamodb:{name}: access denied") as no:
        CALLS[name](Writes(over(wire)))
    assert no.value.code is Code.DENIED


def test_a_read_sees_what_was_just_written() -> None:
    wire = Wire(get_item={"Item": {"n": {"N": "1"}}})
    assert Writes(over(wire)).get("x", "y") == {"n": 1}
    assert wire.asked[0][1]["ConsistentRead"] is True
    Writes(over(wire)).put_item({**KEY, "n": 1})
    assert wire.asked[1][1]["Item"] == {
        "pk": {"S": KEY["pk"]},
        "sk": {"S": KEY["sk"]},
        "n": {"N": "1"},
    }


def cancelled(*codes: str) -> Wire:
    reasons = [{"Code": code} for code in codes]
    return Wire(
        transact_write_items=error(TransactionCanceledException, CancellationReasons=reasons)
    )


@pytest.mark.parametrize("code", ["ConditionalCheckFailed", "TransactionConflict"])
def test_a_transaction_that_others_were_faster_than_is_refused(code: str) -> None:
    assert Writes(over(cancelled("None", code))).transact([]) is False
    assert Writes(over(Wire())).transact([]) is True


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_busy_table_says_nothing_of_a_condition(code: str) -> None:
    with pytest.raises(TemporaryError, match=r"^DynamoDB is busy$") as busy:
        Writes(over(cancelled("ConditionalCheckFailed", code))).transact([])
    assert busy.value.code is Code.BUSY


def test_any_other_no_is_a_failure() -> None:
    with pytest.raises(PermanentError, match="dynamodb:TransactWriteItems"):
        Writes(over(cancelled("None", "ValidationError"))).transact([])


def test_a_case_lets_go_only_of_what_it_holds() -> None:
    case = Case("case-1", HUB, REGION, CLUSTER, NOW)
    memory = MemoryTable()
    writes = Writes(memory)
    over_now = replace(case, phase=Phase.CLOSED, outcome=Outcome.REJECTED)
    assert writes.pointer_writes(case) == [writes.hold(case)]
    assert writes.pointer_writes(over_now) == [], "it holds nothing"
    assert writes.transact([writes.hold(case)])
    [freed] = writes.pointer_writes(over_now)
    assert freed["Delete"]["ExpressionAttributeValues"] == {":case": "case-1"}
    other = Case("case-2", HUB, REGION, CLUSTER, NOW)
    assert not writes.transact([writes.hold(other)]), "another case has the cluster"
    assert writes.transact([writes.hold(case)]), "again, by the same case"


def test_an_inbox_that_is_none_says_what_is_wrong_with_it() -> None:
    item = opened("case-1", "first")
    assert inbox_from(item).case_id == "case-1"
    with pytest.raises(TypeError, match=r"^entries are appended to a list$"):
        inbox_from({**item, "clicks": "x"})
    for odd in ("7", True, -1, 10**15):
        with pytest.raises(ValueError, match="is not a number that Unlatch counts with"):
            inbox_from({**item, "version": odd})
    assert inbox_from({**item, "version": 10**15 - 1}).version == 10**15 - 1

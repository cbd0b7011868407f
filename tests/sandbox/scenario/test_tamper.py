"""Whoever may write to the bot's table edits a case in it, in today's form and in any that is like it."""

from __future__ import annotations

import copy
import json
import lzma
from typing import Any

import pytest

from sandbox.scenario.tamper import Tamper

CASE, OTHER = "case-1", "case-2"
ITEMS: list[dict[str, Any]] = [
    {
        "pk": f"CASE#{CASE}",
        "sk": "CASE",
        "body": json.dumps(
            {"cluster_id": "c-1", "phase": "running", "plan": {"steps": [{"n": 1}]}}
        ),
        "phase": "running",
        "clicks": ["x"],
        "attempts": ["y"],
    },
    {"pk": f"CASE#{CASE}", "sk": "LOG#000001", "entry": "opened"},
    {"pk": "OPEN", "sk": "a#r#c-1", "case_id": CASE},
    {"pk": "OPEN", "sk": "a#r#c-2", "case_id": OTHER},
]


class FakeTable:
    """A table in memory that hands out one item a page."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.items = {(item["pk"], item["sk"]): copy.deepcopy(item) for item in items}

    def query(
        self,
        *,
        KeyConditionExpression: Any,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
        ExclusiveStartKey: int | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        assert ConsistentRead
        wanted = KeyConditionExpression.get_expression()["values"][1]
        start = ExclusiveStartKey or 0
        found = [item for (pk, _), item in sorted(self.items.items()) if pk == wanted]
        more = {"LastEvaluatedKey": start + 1} if start + 1 < len(found) else {}
        return {"Items": copy.deepcopy(found[start : start + 1]), **more}

    def put_item(self, *, Item: Any) -> None:  # noqa: N803
        self.items[Item["pk"], Item["sk"]] = copy.deepcopy(Item)

    def delete_item(self, *, Key: Any) -> None:  # noqa: N803
        del self.items[Key["pk"], Key["sk"]]


@pytest.fixture
def table() -> FakeTable:
    return FakeTable(ITEMS)


def item(table: FakeTable) -> dict[str, Any]:
    return table.items[f"CASE#{CASE}", "CASE"]


@pytest.mark.parametrize("is_long", [False, True])
def test_fields_are_set_in_the_body_by_dotted_names(table: FakeTable, is_long: bool) -> None:
    if is_long:
        item(table)["body"] = lzma.compress(item(table)["body"].encode())
    fields = {"cluster_id": "c-9", "phase": "waiting", "plan.steps.0.n": 2, "keep.by": "eve"}
    said = Tamper(table).act(CASE, "set", fields)
    assert json.loads(item(table)["body"]) == {
        "cluster_id": "c-9",
        "phase": "waiting",
        "plan": {"steps": [{"n": 2}]},
        "keep": {"by": "eve"},
    }
    assert item(table)["phase"] == "waiting"
    assert "sets cluster_id to 'c-9'" in said


def test_a_case_without_a_body_is_told(table: FakeTable) -> None:
    del item(table)["body"]
    assert "finds no body" in Tamper(table).act(CASE, "set", {"cluster_id": "c-9"})


def test_what_was_kept_comes_back_whole_with_the_pointer_and_without_what_came_since(
    table: FakeTable,
) -> None:
    before = copy.deepcopy(table.items)
    tamper = Tamper(table)
    tamper.act(CASE, "keep", "before")
    item(table)["body"] = "{}"
    table.put_item(Item={"pk": f"CASE#{CASE}", "sk": "LOG#000002", "entry": "cancelled"})
    table.delete_item(Key={"pk": "OPEN", "sk": "a#r#c-1"})
    tamper.act(OTHER, "put_back", "before")
    assert table.items == before
    assert "nothing is put back" in tamper.act(CASE, "put_back", "never")


@pytest.mark.parametrize(
    ("what", "emptied"), [("clicks", "clicks"), ("triggers", "attempts"), ("uses", None)]
)
def test_what_the_inbox_holds_is_dropped(table: FakeTable, what: str, emptied: str | None) -> None:
    Tamper(table).act(CASE, "drop", what)
    lists = {name: item(table)[name] for name in ("clicks", "attempts")}
    assert lists == {"clicks": ["x"], "attempts": ["y"]} | ({emptied: []} if emptied else {})


def test_the_log_is_dropped_and_the_case_stays(table: FakeTable) -> None:
    Tamper(table).act(CASE, "drop", "log")
    assert [sk for pk, sk in table.items if pk == f"CASE#{CASE}"] == ["CASE"]

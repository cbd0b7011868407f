"""Slack's limits, row by row: what is refused, where, and that what is allowed passes."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from sandbox.slack.limits import check_message, check_view

Blocks = list[dict[str, Any]]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def header(text: str = "stuck") -> dict[str, Any]:
    return {"type": "header", "text": plain(text)}


def section(text: str = "hello") -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str = "keep", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain("Keep"), "value": "v", **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def rich(*pieces: dict[str, Any]) -> dict[str, Any]:
    part = {"type": "rich_text_section", "elements": list(pieces)}
    return {"type": "rich_text", "elements": [part]}


def table(rows: int = 2, columns: int = 2, cell: str = "x", **more: Any) -> dict[str, Any]:
    row = [{"type": "raw_text", "text": cell}] * columns
    return {"type": "table", "rows": [row] * rows, **more}


def plan(status: str = "pending", **more: Any) -> dict[str, Any]:
    task = {"type": "task_card", "task_id": "step-1", "title": "Delete", "status": status, **more}
    return {"type": "plan", "title": "Retire", "tasks": [task]}


def confirm(**more: Any) -> dict[str, Any]:
    parts = {"title": "Sure?", "text": "It ends.", "confirm": "End it", "deny": "Back"} | more
    return {name: plain(text) for name, text in parts.items()}


def options(count: int) -> Blocks:
    return [{"text": plain(f"o{n}"), "value": str(n)} for n in range(count)]


def typed(label: str = "Reason", **element: Any) -> dict[str, Any]:
    field = {"type": "plain_text_input", "action_id": "reason"} | element
    return {"type": "input", "block_id": "reason", "label": plain(label), "element": field}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"type": "modal", "title": plain("Retire"), "submit": plain("Approve")}
    return {**base, "blocks": list(blocks), **more}


ALERT = {"type": "alert", "level": "error", "text": plain("For good.")}
LINK = {"type": "link", "url": "https://example.com", "text": "docs"}


GOOD_MESSAGES = {
    "nothing but text": [],
    "a header": [header("x" * 150)],
    "fifty blocks": [section()] * 50,
    "fields without text": [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    "a button with everything": [
        actions(button(style="danger", confirm=confirm(), accessibility_label="x" * 75))
    ],
    "a table at its limit": [table(rows=100, columns=20)],
    "a rich cell": [{"type": "table", "rows": [[rich({"type": "text", "text": "alias"})]]}],
    "a plan": [plan("in_progress", output=rich({"type": "text", "text": "09:53"}))],
    "rich text": [
        rich(
            {"type": "text", "text": "hi", "style": {"bold": True}},
            {"type": "user", "user_id": "alice"},
            {"type": "emoji", "name": "warning"},
            {"type": "date", "timestamp": 1772507220, "format": "{time}", "fallback": "03:07"},
            LINK,
        )
    ],
}


@pytest.mark.parametrize("blocks", GOOD_MESSAGES.values(), ids=GOOD_MESSAGES.keys())
def test_what_slack_takes_passes(blocks: Blocks) -> None:
    assert check_message(blocks, "text") == []


@pytest.mark.parametrize("blocks", GOOD_MESSAGES.values(), ids=GOOD_MESSAGES.keys())
def test_what_passes_is_also_right_for_the_sdk(blocks: Blocks) -> None:
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()


BAD_MESSAGES: dict[str, tuple[Blocks, str, str]] = {
    "51 blocks": ([section()] * 51, "no more than 50 items", "/blocks]"),
    "an unknown block": ([{"type": "accordion"}], "unsupported type: accordion", "/blocks/0/type"),
    "a block that is no object": (["hello"], "unsupported type", "/blocks/0"),  # type: ignore[list-item]
    "a long header": ([header("x" * 151)], "less than 151", "/blocks/0/text/text"),
    "an empty header": ([header("")], "more than 0", "/blocks/0/text/text"),
    "a header in mrkdwn": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "unsupported type: mrkdwn",
        "/blocks/0/text/type",
    ),
    "a long section": ([section(), section("x" * 3001)], "less than 3001", "/blocks/1/text/text"),
    "an empty section": ([{"type": "section"}], "`text` or `fields`", "/blocks/0"),
    "eleven fields": (
        [{"type": "section", "fields": [plain("x")] * 11}],
        "no more than 10 items",
        "/blocks/0/fields",
    ),
    "a long field": (
        [{"type": "section", "fields": [plain("x" * 2001)]}],
        "less than 2001",
        "/blocks/0/fields/0/text",
    ),
    "emoji on mrkdwn": (
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
        "invalid additional property: emoji",
        "/blocks/0/text",
    ),
    "a misspelt property": (
        [{**section(), "accesory": button()}],
        "invalid additional property: accesory",
        "/blocks/0",
    ),
    "eleven context elements": (
        [{"type": "context", "elements": [plain("x")] * 11}],
        "no more than 10 items",
        "/blocks/0/elements",
    ),
    "no actions": ([actions()], "no fewer than 1 items", "/blocks/0/elements"),
    "26 actions": (
        [actions(*(button(f"a{n}") for n in range(26)))],
        "no more than 25 items",
        "/blocks/0/elements",
    ),
    "a long button": (
        [actions(button(text=plain("x" * 76)))],
        "less than 76",
        "/blocks/0/elements/0/text/text",
    ),
    "a long value": (
        [actions(button(value="x" * 2001))],
        "less than 2001",
        "/blocks/0/elements/0/value",
    ),
    "a long spoken label": (
        [actions(button(accessibility_label="x" * 76))],
        "less than 76",
        "/blocks/0/elements/0/accessibility_label",
    ),
    "a colour of our own": (
        [actions(button(style="green"))],
        "must be one of primary, danger",
        "/blocks/0/elements/0/style",
    ),
    "a long confirm title": (
        [actions(button(confirm=confirm(title="x" * 101)))],
        "less than 101",
        "/confirm/title/text",
    ),
    "a long confirm text": (
        [actions(button(confirm=confirm(text="x" * 301)))],
        "less than 301",
        "/confirm/text/text",
    ),
    "a long confirm button": (
        [actions(button(confirm=confirm(deny="x" * 31)))],
        "less than 31",
        "/confirm/deny/text",
    ),
    "a long block id": ([{**section(), "block_id": "x" * 256}], "less than 256", "/block_id"),
    "a block id twice": (
        [{**section(), "block_id": "a"}, {**header(), "block_id": "a"}],
        "`block_id` a is used more than once",
        "/blocks/0",
    ),
    "an action id twice": (
        [actions(button()), actions(button())],
        "`action_id` keep is used more than once",
        "/blocks/0/elements/0",
    ),
    "101 rows": ([table(rows=101)], "no more than 100 items", "/blocks/0/rows"),
    "21 columns": ([table(columns=21)], "no more than 20 items", "/blocks/0/rows/0"),
    "an empty cell": ([table(cell="")], "more than 0", "/blocks/0/rows/0/0/text"),
    "a table of novels": ([table(rows=11, columns=1, cell="x" * 1000)], "10000", "/blocks"),
    "two tables": ([table(), table()], "only one table", "/blocks"),
    "a status that Slack lacks": (
        [plan("completed")],
        "must be one of pending, in_progress, complete, error",
        "/blocks/0/tasks/0/status",
    ),
    "a task output as text": (
        [plan(output=plain("x"))],
        "unsupported type: plain_text",
        "/blocks/0/tasks/0/output/type",
    ),
    "a plan beside a card": (
        [plan(), {"type": "task_card", "task_id": "b", "title": "x", "status": "pending"}],
        "exclude each other",
        "/blocks",
    ),
    "an alert": ([ALERT], "unsupported type: alert", "/blocks/0/type"),
    "an empty piece of rich text": (
        [rich({"type": "text", "text": ""})],
        "more than 0",
        "/blocks/0/elements/0/elements/0/text",
    ),
    "an unknown piece of rich text": (
        [rich({"type": "blink", "text": "x"})],
        "unsupported type: blink",
        "/blocks/0/elements/0/elements/0/type",
    ),
    "a radio button too many": (
        [actions({"type": "radio_buttons", "options": options(11)})],
        "no more than 10 items",
        "/blocks/0/elements/0/options",
    ),
    "an option too many": (
        [actions({"type": "static_select", "options": options(101)})],
        "no more than 100 items",
        "/blocks/0/elements/0/options",
    ),
    "a choice that is not offered": (
        [
            actions(
                {
                    "type": "static_select",
                    "options": options(1),
                    "initial_option": {"text": plain("else"), "value": "9"},
                }
            )
        ],
        "among the options",
        "/blocks/0/elements/0",
    ),
}


@pytest.mark.parametrize(("blocks", "reason", "place"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_what_slack_refuses_is_named_with_its_place(
    blocks: Blocks, reason: str, place: str
) -> None:
    problems = check_message(blocks, "text")
    assert any(reason in problem and place in problem for problem in problems), problems


def test_text_has_a_limit_of_its_own() -> None:
    assert check_message([], "x" * 40_000) == []
    assert "/text" in check_message([], "x" * 40_001)[0]


@pytest.mark.parametrize("newer", [plan, table], ids=["plan", "table"])
def test_a_workspace_without_the_newer_blocks_refuses_them(
    newer: Callable[[], dict[str, Any]],
) -> None:
    assert "unsupported type" in check_message([newer()], "text", plan_blocks=False)[0]


GOOD_VIEWS = {
    "an alert and inputs": modal(ALERT, typed(max_length=500)),
    "a hundred blocks": modal(*[section()] * 100),
    "no submit without inputs": {"type": "modal", "title": plain("Retire"), "blocks": [section()]},
    "metadata at its limit": modal(private_metadata="x" * 3000, callback_id="decide"),
}


@pytest.mark.parametrize("view", GOOD_VIEWS.values(), ids=GOOD_VIEWS.keys())
def test_a_right_modal_passes(view: dict[str, Any]) -> None:
    assert check_view(view) == []


BAD_VIEWS: dict[str, tuple[Any, str, str]] = {
    "no view at all": (None, "unsupported type", "/view"),
    "a home tab": ({"type": "home", "blocks": []}, "unsupported type: home", "/view/type"),
    "a long title": (modal(title=plain("x" * 25)), "less than 25", "/view/title/text"),
    "a long submit": (modal(submit=plain("x" * 25)), "less than 25", "/view/submit/text"),
    "101 blocks": (modal(*[section()] * 101), "no more than 100 items", "/view/blocks"),
    "long metadata": (modal(private_metadata="x" * 3001), "less than 3001", "/private_metadata"),
    "a long label": (modal(typed("x" * 2001)), "less than 2001", "/view/blocks/0/label/text"),
    "a long placeholder": (
        modal(typed(placeholder=plain("x" * 151))),
        "less than 151",
        "/view/blocks/0/element/placeholder/text",
    ),
    "an input without submit": (
        {"type": "modal", "title": plain("Retire"), "blocks": [typed()]},
        "`submit` is required",
        "/view",
    ),
    "a long alert": (modal({**ALERT, "text": plain("x" * 201)}), "less than 201", "/view/blocks/0"),
    "a table": (modal(table()), "unsupported type: table", "/view/blocks/0/type"),
    "a block id twice": (
        modal(typed(), typed(action_id="other")),
        "`block_id` reason is used more than once",
        "/view/blocks/0",
    ),
    "an unknown property": (
        modal(submit_disabled=True),
        "invalid additional property: submit_disabled",
        "/view",
    ),
    "too many bytes": (modal(*[section("x" * 2900)] * 100), "250000 bytes", "/view"),
}


@pytest.mark.parametrize(("view", "reason", "place"), BAD_VIEWS.values(), ids=BAD_VIEWS.keys())
def test_a_wrong_modal_is_named_with_its_place(view: Any, reason: str, place: str) -> None:
    problems = check_view(view)
    assert any(reason in problem and place in problem for problem in problems), problems

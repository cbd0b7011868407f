"""What Slack would refuse: pure checks of whole messages and modals. Changes nothing in them."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sandbox.slack.blocks import BOTH_SURFACES, IN_MESSAGES, IN_MODALS, NEWER, plain
from sandbox.slack.schema import by_type, flag, items, problem, record, string

MESSAGE_BLOCKS = 50
MESSAGE_TEXT = 40_000
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
TABLE_TEXT = 10_000  # summed over every table cell of a message
BLOCK_TEXT = 13_200  # summed over a message; in no document, but measured by many

NAMED = {
    "private_metadata": string(3000, shortest=0),
    "callback_id": string(255),
    "external_id": string(255),
}
MODAL = record(
    {"title": plain(24), "blocks": items(by_type(IN_MODALS), least=0, most=VIEW_BLOCKS)},
    NAMED
    | {"close": plain(24), "submit": plain(24)}
    | {"clear_on_close": flag, "notify_on_close": flag},
)
HOME = record({"blocks": items(by_type(BOTH_SURFACES), least=0, most=VIEW_BLOCKS)}, NAMED)
SURFACES = {"modal": by_type({"modal": MODAL}), "home": by_type({"home": HOME})}


def check_message(
    blocks: list[dict[str, Any]] | None, text: str | None, *, plan_blocks: bool = True
) -> list[str]:
    """What Slack would find wrong with this message; empty if it would be posted.

    `plan_blocks=False` is a workspace that has no plan, task_card and table yet.
    """
    kinds = {**IN_MESSAGES, **NEWER} if plan_blocks else IN_MESSAGES
    problems = list(items(by_type(kinds), least=0, most=MESSAGE_BLOCKS)(blocks or [], "/blocks"))
    if text is not None and len(text) > MESSAGE_TEXT:
        problems.append(problem(f"must be less than {MESSAGE_TEXT + 1} characters", "/text"))
    if not problems:
        problems = [*_structure(blocks or [], "/blocks"), *_one_of_a_kind(blocks or [])]
    return problems


def is_too_long(blocks: list[dict[str, Any]]) -> bool:
    """Whether a message of these blocks, each of them valid, is refused for the sum of their text."""
    texts = (node["text"] for node, _ in walk(blocks) if isinstance(node.get("text"), str))
    return sum(map(len, texts)) > BLOCK_TEXT


def check_view(view: Any, surface: str = "modal") -> list[str]:
    """What Slack would find wrong with this modal or `home` tab; empty if it would open."""
    problems = list(SURFACES[surface](view, "/view"))
    if problems:
        return problems
    problems = list(_structure(view["blocks"], "/view/blocks"))
    has_input = any(block["type"] == "input" for block in view["blocks"])
    if surface == "modal" and has_input and "submit" not in view:
        problems.append(problem("`submit` is required if a block is an input", "/view"))
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        problems.append(problem(f"must be at most {VIEW_BYTES} bytes", "/view"))
    return problems


def walk(node: Any, at: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Each object under this one with its JSON pointer, outermost first."""
    if isinstance(node, dict):
        yield node, at
        for name, child in node.items():
            yield from walk(child, f"{at}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from walk(child, f"{at}/{index}")


def _structure(blocks: list[dict[str, Any]], at: str) -> Iterator[str]:
    for name in ("block_id", "action_id"):
        seen = Counter(node[name] for node, _ in walk(blocks) if isinstance(node.get(name), str))
        for twice in (value for value, times in seen.items() if times > 1):
            where = next(p for node, p in walk(blocks, at) if node.get(name) == twice)
            yield problem(f"`{name}` {twice} is used more than once", where)
    for index, block in enumerate(blocks):
        if block["type"] == "section" and not block.keys() & {"text", "fields"}:
            yield problem("must define either `text` or `fields`", f"{at}/{index}")


def _one_of_a_kind(blocks: list[dict[str, Any]]) -> Iterator[str]:
    kinds = Counter(block["type"] for block in blocks)
    if kinds["table"] > 1:
        yield problem("only one table is allowed in a message", "/blocks")
    if kinds["plan"] and kinds["task_card"]:
        yield problem("plan and task_card blocks exclude each other", "/blocks")
    cells = [node for node, p in walk(blocks, "/blocks") if re.match(r"/blocks/\d+/rows/", p)]
    if sum(len(cell["text"]) for cell in cells if isinstance(cell.get("text"), str)) > TABLE_TEXT:
        yield problem(f"table cells hold more than {TABLE_TEXT} characters", "/blocks")

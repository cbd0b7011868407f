"""The same message for a Slack that lacks the newer blocks: lists and sections, no word lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chalicelib.slack.messages.blocks import (
    MOST_BLOCKS,
    Piece,
    bold,
    items,
    rich,
    says,
    section,
    text,
)
from chalicelib.slack.messages.text import Block, Message, cut

WORDS = {"complete": "Done", "in_progress": "Now", "pending": "Next", "error": "Failed"}


def plainer(message: Message) -> Message:
    """No plan, task_card, table or alert."""
    return replace(message, blocks=tuple(plainer_blocks(message.blocks))[:MOST_BLOCKS])


def barest(message: Message) -> Message:
    """The first words and the buttons, if Slack takes no more: the thread has the rest."""
    buttons = [block for block in message.blocks if block["type"] == "actions"]
    return Message(cut(message.text, 3_000), (section(message.text), *buttons))


def plainer_blocks(blocks: Iterable[Block]) -> list[Block]:
    return [plain for block in blocks if (plain := _plainer(block))]


def _plainer(block: Block) -> Block | None:
    match block["type"]:
        case "plan":
            return rich(items("ordered", [_task(task) for task in block["tasks"]]))
        case "task_card":
            return says(*_task(block))
        case "table":
            return _table(block["rows"])
        case "alert":
            return says(bold(block["text"]["text"]))
    return block


def _task(task: Block) -> list[Piece]:
    words = WORDS.get(task.get("status", "pending"), "Next")
    pieces = [bold(f"{words}: "), text(task["title"])]
    said = _pieces(task.get("output"))
    return [*pieces, text(" ("), *said, text(")")] if said else pieces


def _table(rows: Sequence[Sequence[Block]]) -> Block | None:
    """A bullet a row: the first cell, then each further cell after its head."""
    if len(rows) < 2:
        return None
    heads = [_words(cell) for cell in rows[0]]
    return rich(items("bullet", [_row(row, heads) for row in rows[1:]]))


def _row(row: Sequence[Block], heads: Sequence[str]) -> list[Piece]:
    pieces = _cell(row[0])
    for head, cell in zip(heads[1:], row[1:], strict=False):
        pieces += [text(f" · {head}: "), *_cell(cell)]
    return pieces


def _cell(cell: Block) -> list[Piece]:
    return _pieces(cell) if cell["type"] == "rich_text" else [text(cell["text"])]


def _words(cell: Block) -> str:
    return "".join(piece.get("text", "") for piece in _cell(cell))


def _pieces(block: Block | None) -> list[Piece]:
    """The pieces of a rich text block's sections, in order."""
    elements = block["elements"] if block else []
    return [piece for element in elements for piece in element["elements"]]

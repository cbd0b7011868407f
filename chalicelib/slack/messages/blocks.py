"""Block Kit shapes as plain dicts, each inside Slack's limits. Knows nothing of cases or AWS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.slack.messages.text import DAY_AND_TIME, PERSON, Block, cut, seconds, utc

Piece = dict[str, Any]
SYMBOLS = ("warning", "hourglass_flowing_sand", "white_check_mark")
WARNING, HOURGLASS, CHECK_MARK = SYMBOLS
MOST_BLOCKS = 50


def plain(words: str, most: int, *, emoji: bool = False) -> Block:
    """A text object that takes no mark-up."""
    return {"type": "plain_text", "text": cut(words, most) or " ", "emoji": emoji}


def header(words: str, symbol: str = "") -> Block:
    shown = f":{symbol}: {words}" if symbol else words
    return {"type": "header", "text": plain(shown, 150, emoji=bool(symbol))}


def divider() -> Block:
    return {"type": "divider"}


def section(mrkdwn: str, accessory: Block | None = None) -> Block:
    """For words of our own only."""
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": cut(mrkdwn, 3000)}}
    return {**block, "accessory": accessory} if accessory else block


def note(words: str) -> Block:
    """A grey line of plain text; foreign words may stand in it, cleaned."""
    return {"type": "context", "elements": [plain(words, 2000)]}


def marked_note(mrkdwn: str) -> Block:
    """A grey line for words of our own, mentions and dates."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut(mrkdwn, 3000)}]}


def text(words: str, *, bold: bool = False, code: bool = False) -> Piece:
    """Words that Slack takes literally."""
    piece: Piece = {"type": "text", "text": cut(words, 3000) or " "}
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return {**piece, "style": style} if style else piece


def bold(words: str) -> Piece:
    return text(words, bold=True)


def code(words: str) -> Piece:
    return text(words, code=True)


def user(user_id: str) -> Piece:
    if user_id.startswith("arn:"):
        return code(user_id)
    if not PERSON.fullmatch(user_id):
        return text("somebody")
    return {"type": "user", "user_id": user_id}


def users(user_ids: Sequence[str]) -> list[Piece]:
    """“@a, @b and @c”."""
    pieces: list[Piece] = []
    for place, user_id in enumerate(user_ids):
        if place:
            pieces.append(text(" and " if place == len(user_ids) - 1 else ", "))
        pieces.append(user(user_id))
    return pieces or [text("nobody")]


def date(when: datetime, shape: str = DAY_AND_TIME) -> Piece:
    return {
        "type": "date",
        "timestamp": seconds(when),
        "format": shape,
        "fallback": utc(when, shape),
    }


def symbol(name: str) -> Piece:
    return {"type": "emoji", "name": name}


def line(*pieces: Piece) -> Block:
    """One rich text section, an element of `rich`."""
    return {"type": "rich_text_section", "elements": list(pieces)}


def items(style: str, lines: Iterable[Sequence[Piece]]) -> Block:
    """A bulleted or ordered list, an element of `rich`."""
    return {
        "type": "rich_text_list",
        "style": style,
        "elements": [line(*pieces) for pieces in lines],
    }


def typed(words: str) -> Block:
    """Commands to copy, an element of `rich`."""
    return {"type": "rich_text_preformatted", "elements": [text(words)]}


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def says(*pieces: Piece) -> Block:
    """A paragraph of rich text."""
    return rich(line(*pieces))


def button(
    label: str,
    action_id: str,
    *,
    value: str,
    spoken: str,
    style: str = "",
    confirm: Block | None = None,
) -> Block:
    block: Block = {
        "type": "button",
        "text": plain(label, 75),
        "action_id": action_id,
        "value": value,
        "accessibility_label": cut(spoken, 75),
    }
    if style:
        block["style"] = style
    return {**block, "confirm": confirm} if confirm else block


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """A menu behind three dots: of each option its words and its value. Slack takes five."""
    return {
        "type": "overflow",
        "action_id": action_id,
        "options": [{"text": plain(words, 75), "value": value} for words, value in options[:5]],
    }


def confirm(title: str, words: str, *, yes: str, no: str) -> Block:
    """The question that is asked before a click counts."""
    return {
        "title": plain(title, 100),
        "text": plain(words, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def actions(block_id: str, buttons: Sequence[Block]) -> list[Block]:
    """A row of buttons; none if there is no button, as Slack refuses an empty row."""
    if not buttons:
        return []
    return [{"type": "actions", "block_id": block_id, "elements": list(buttons)[:25]}]


def cell(words: str, *, strong: bool = False) -> Block:
    """A cell of a table; foreign words may stand in it, cleaned."""
    return says(bold(words)) if strong else {"type": "raw_text", "text": words or " "}


def table(
    block_id: str, heads: Sequence[str], rows: Iterable[Sequence[Block]], *, wrapped: int = 1
) -> Block:
    """A table whose first `wrapped` columns break long words into lines."""
    settings: list[Block] = [
        {"is_wrapped": True} if place < wrapped else {"align": "left"}
        for place in range(len(heads))
    ]
    return {
        "type": "table",
        "block_id": block_id,
        "column_settings": settings,
        "rows": [[cell(head) for head in heads], *(list(row) for row in rows)],
    }


def plan(block_id: str, title: str, tasks: Sequence[Block]) -> Block:
    return {"type": "plan", "block_id": block_id, "title": title, "tasks": list(tasks)}


def task(number: int, title: str, status: str, output: Sequence[Piece] = ()) -> Block:
    """One step of a plan. `status` is pending, in_progress, complete or error."""
    block: Block = {
        "type": "task_card",
        "task_id": f"step-{number}",
        "title": title,
        "status": status,
    }
    return {**block, "output": says(*output)} if output else block

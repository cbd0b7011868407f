"""Block Kit as HTML: what a message or a dialog shows. Knows no case and trusts no text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.page import words
from sandbox.page.inputs import People, input_block
from sandbox.page.markup import Html, join, tag
from sandbox.page.symbols import WARNING

Json = Mapping[str, Any]
TASK_WORDS = {"complete": "Done", "in_progress": "Now", "pending": "Next", "error": "Failed"}


def render(blocks: Sequence[Json], *, ts: str = "", people: People | None = None) -> Html:
    """`ts` is the message whose buttons these are; dialogs need `people` to choose from."""
    return join((_block(block, ts, people or {}) for block in blocks), "\n")


def words_of(text: Json) -> Html:
    """A text object of either kind."""
    if text["type"] == "mrkdwn":
        return words.mrkdwn(text["text"])
    return words.plain(text["text"], emoji=bool(text.get("emoji")))


def _block(block: Json, ts: str, people: People) -> Html:
    if block["type"] == "input":
        return input_block(block, people)
    if block["type"] in ("section", "actions"):
        return _section(block, ts) if block["type"] == "section" else _actions(block, ts)
    show = SHOWN.get(block["type"])
    # nothing that the bot sends is left out in silence
    return show(block) if show else tag("p", f"[{block['type']}]", class_="bk-context")


def _header(block: Json) -> Html:
    return tag("h3", words_of(block["text"]), class_="bk-header")


def _section(block: Json, ts: str) -> Html:
    fields = block.get("fields", [])
    said = [words_of(text) for text in [*([block["text"]] if "text" in block else []), *fields]]
    paragraphs = join(tag("p", text) for text in said)
    button = block.get("accessory")
    if button is None or button["type"] != "button":
        return tag("div", paragraphs, class_="bk-section")
    return tag("div", tag("div", paragraphs), _button(button, ts), class_="bk-section with")


def _context(block: Json) -> Html:
    said = [words_of(e) for e in block["elements"] if e["type"] in ("mrkdwn", "plain_text")]
    return tag("p", join(said, " "), class_="bk-context")


def _actions(block: Json, ts: str) -> Html:
    buttons = [_button(e, ts) for e in block["elements"] if e["type"] == "button"]
    return tag("div", *buttons, class_="bk-actions")


def _button(button: Json, ts: str) -> Html:
    label, style, action = words_of(button["text"]), button.get("style", ""), button["action_id"]
    post = {"act": "click", "ts": ts, "button": action, "value": button.get("value", "")}
    return tag(
        "button",
        label,
        type="button",
        id=f"b-{ts}-{action}",
        class_=f"b {style}".strip(),
        aria_label=_spoken(button),
        data_post=json.dumps(post),
        data_action=action,
        data_confirm=_question(button.get("confirm")),
    )


def _spoken(button: Json) -> str | None:
    """Begins with the visible label, so that people who speak to their screen can say it."""
    label, said = button["text"]["text"], button.get("accessibility_label")
    return f"{label}: {said}" if said and not said.startswith(label) else said


def _question(confirm: Json | None) -> str | None:
    if confirm is None:
        return None
    asked = {name: confirm[name]["text"] for name in ("title", "text", "confirm", "deny")}
    return json.dumps({**asked, "style": confirm.get("style", "primary")})


def _rich(block: Json) -> Html:
    return tag("div", *(_rich_element(e) for e in block["elements"]), class_="bk-rich")


def _rich_element(element: Json) -> Html:
    match element["type"]:
        case "rich_text_list":
            items = (tag("li", words.section(e["elements"])) for e in element["elements"])
            return tag("ol" if element["style"] == "ordered" else "ul", *items)
        case "rich_text_preformatted":
            return tag("pre", words.section(element["elements"]), tabindex="0")
        case "rich_text_quote":
            return tag("blockquote", words.section(element["elements"]))
    return tag("p", words.section(element["elements"]))


def _table(block: Json) -> Html:
    head, *rows = block["rows"]
    heads = tag("tr", *(tag("th", _cell(cell), scope="col") for cell in head))
    body = [tag("tr", *(tag("td", _cell(cell)) for cell in row)) for row in rows]
    table = tag("table", tag("thead", heads), tag("tbody", *body))
    return tag(
        "div", table, class_="bk-table", tabindex="0", role="group", aria_label="Table of keys"
    )


def _cell(cell: Json) -> Html:
    if cell["type"] != "rich_text":
        return words.plain(cell["text"])
    return join((words.section(e["elements"]) for e in cell["elements"]), Html("<br>"))


def _plan(block: Json) -> Html:
    tasks = tag("ol", *(_task(task) for task in block["tasks"]))
    return tag("div", tag("p", block["title"], class_="bk-plan-t"), tasks, class_="bk-plan")


def _task(task: Json) -> Html:
    status = task.get("status", "pending")
    said = [tag("span", TASK_WORDS[status], class_="st"), Html(" "), tag("span", task["title"])]
    parts = [e for n in ("details", "output") for e in task.get(n, {}).get("elements", [])]
    said += [tag("p", words.section(e["elements"]), class_="out") for e in parts]
    return tag("li", tag("i", aria_hidden="true"), tag("div", *said), class_=status)


def _task_alone(block: Json) -> Html:
    return tag("div", tag("ol", _task(block)), class_="bk-plan")


def _alert(block: Json) -> Html:
    level = block.get("level", "info")
    symbol = WARNING if level in ("error", "warning") else None
    return tag("div", symbol, tag("p", words_of(block["text"])), class_=f"bk-alert {level}")


def _divider(_: Json) -> Html:
    return tag("hr")


def _image(block: Json) -> Html:
    return tag("p", f"Picture: {block['alt_text']}", class_="bk-context")


def _markdown(block: Json) -> Html:
    return tag("div", tag("p", words.plain(block["text"])), class_="bk-section")


SHOWN: Mapping[str, Callable[[Json], Html]] = {
    "header": _header,
    "context": _context,
    "rich_text": _rich,
    "table": _table,
    "plan": _plan,
    "task_card": _task_alone,
    "alert": _alert,
    "divider": _divider,
    "image": _image,
    "markdown": _markdown,
}

"""A dialog's input blocks as HTML form controls. Decides nothing about what may be typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.page.markup import Html, tag

Json = Mapping[str, Any]
People = Mapping[str, str]
"""User ids with the names to show."""


def input_block(block: Json, people: People) -> Html:
    """A label, its control, and the line below it, where an error will stand too."""
    name, label = block["block_id"], block["label"]["text"]
    control = _control(block["element"], name, people)
    hint = block.get("hint", {}).get("text", "")
    told = {"class_": "bk-input", "data_block": name, "data_optional": block.get("optional", False)}
    below = tag("p", hint, class_="hint", id=f"f-{name}-h", data_hint=hint, hidden=not hint)
    if block["element"]["type"] in ("checkboxes", "radio_buttons"):
        parts = (tag("legend", label), control, below)
        return tag("fieldset", *parts, **told)
    shown = tag("label", label, for_=f"f-{name}")
    return tag("div", shown, control, below, **told)


def _control(element: Json, name: str, people: People) -> Html:
    match element["type"]:
        case "plain_text_input":
            return _text(element, name)
        case "checkboxes" | "radio_buttons":
            kind = "checkbox" if element["type"] == "checkboxes" else "radio"
            first = element.get("initial_options") or [element.get("initial_option")]
            boxes = [_box(option, name, kind, on=option in first) for option in element["options"]]
            return tag("div", *boxes)
        case "users_select":
            return _select(name, dict(people), element.get("initial_user"))
        case "datepicker":
            value = element.get("initial_date")
            return tag("input", id=f"f-{name}", type="date", value=value, **_described(name))
    options = {o["value"]: o["text"]["text"] for o in element["options"]}
    return _select(name, options, element.get("initial_option", {}).get("value"))


def _text(element: Json, name: str) -> Html:
    first, longest = element.get("initial_value", ""), element.get("max_length")
    if element.get("multiline"):
        return tag("textarea", first, id=f"f-{name}", rows=3, maxlength=longest, **_described(name))
    return tag(
        "input",
        id=f"f-{name}",
        type="text",
        value=first,
        maxlength=longest,
        autocomplete="off",
        spellcheck="false",
        **_described(name),
    )


def _box(option: Json, name: str, kind: str, *, on: bool) -> Html:
    box = tag("input", type=kind, name=name, value=option["value"], checked=on)
    return tag("label", box, Html(" "), tag("span", option["text"]["text"]), class_="tick")


def _select(name: str, options: Mapping[str, str], chosen: str | None) -> Html:
    shown = [
        tag("option", text, value=value, selected=value == chosen)
        for value, text in options.items()
    ]
    return tag("select", *shown, id=f"f-{name}", **_described(name))


def _described(name: str) -> dict[str, str]:
    return {"aria_describedby": f"f-{name}-h"}

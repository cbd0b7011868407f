"""HTML that is safe by construction: text is escaped unless it is HTML already. Knows no page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Attribute = str | int | bool | None
EMPTY = frozenset({"br", "hr", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already. Made by `tag` and `join`, and from constants of ours alone."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: Attribute) -> Html:
    """An element. `class_` is class, `aria_label` is aria-label; False and None leave it out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[str | None], between: str = "") -> Html:
    return Html(safe(between).join(safe(part) for part in parts if part is not None))


def safe(text: str) -> Html:
    return text if isinstance(text, Html) else Html(escape(text))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'

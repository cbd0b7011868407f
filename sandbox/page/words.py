"""Slack's two ways to write a line, rich text and mrkdwn, as HTML. Trusts no text in either."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.page.markup import Html, join, safe, tag
from sandbox.page.symbols import EMOJI

Json = Mapping[str, Any]
GROUPS = {"S0KEYS": "kms-approvers"}
MARKS = re.compile(
    r"<(?P<angle>[^<>\n]+)>|`(?P<code>[^`\n]+)`|(?<![\w*])\*(?P<b>[^*\n]+)\*(?![\w*])"
    r"|(?<!\w)_(?P<em>[^_\n]+)_(?!\w)|(?<!\w)~(?P<s>[^~\n]+)~(?!\w)|:(?P<emoji>[a-z0-9_+-]+):"
)
EMOJI_ALONE = re.compile(r":([a-z0-9_+-]+):")
DATE_PARTS = re.compile(r"\{(date|time|ago)[a-z_]*\}")
STYLES = {"bold": "b", "italic": "em", "strike": "s", "underline": "u"}


def plain(text: str, *, emoji: bool = False) -> Html:
    """A plain_text object's words; lines break where they do in Slack."""
    if not emoji:
        return _lines(text)
    return _pieces(EMOJI_ALONE, text, lambda found: _emoji(found[1]))


def mrkdwn(text: str) -> Html:
    return _pieces(MARKS, text, _marked)


def section(elements: list[Json]) -> Html:
    """The inline elements of a rich text section."""
    return join(_element(element) for element in elements)


def say_date(timestamp: int, shape: str) -> str:
    """A moment in UTC, in the shape that Slack's date tokens ask for."""
    when = datetime.fromtimestamp(timestamp, UTC)
    said = DATE_PARTS.sub(lambda found: _date_part(found[0], when), shape)
    return f"{said} UTC" if "{time" in shape else said


def _date_part(token: str, when: datetime) -> str:
    if token.startswith("{time"):
        return f"{when:%H:%M:%S}" if "secs" in token else f"{when:%H:%M}"
    if "long" in token or token in ("{date}", "{date_pretty}"):
        return f"{when.day} {when:%B %Y}"
    return f"{when:%Y-%m-%d}" if "num" in token else f"{when.day} {when:%b}"


def _element(element: Json) -> Html:
    match element["type"]:
        case "text":
            said = _lines(element["text"])
        case "emoji":
            said = _emoji(element["name"])
        case "user":
            said = _at(element["user_id"].title())
        case "usergroup":
            group = str(element["usergroup_id"])
            said = _at(GROUPS.get(group, group))
        case "date":
            said = safe(say_date(int(element["timestamp"]), element["format"]))
        case "link":
            # nothing here leads off this machine
            said = tag("u", element.get("text") or element["url"])
        case other:
            said = safe(str(element.get("text") or f"[{other}]"))
    return _styled(said, element.get("style") or {})


def _styled(said: Html, style: Json) -> Html:
    if style.get("code"):
        said = tag("code", said)
    for name, element in STYLES.items():
        if style.get(name):
            said = tag(element, said)
    return said


def _marked(found: re.Match[str]) -> Html:
    kind, inside = found.lastgroup or "", found[found.lastgroup or 0]
    match kind:
        case "angle":
            return _angle(inside)
        case "code":
            return tag("code", _unescaped(inside))
        case "emoji":
            return _emoji(inside)
    return tag(kind, mrkdwn(inside))


def _angle(inside: str) -> Html:
    """What stands in angle brackets: a mention, a date or a link."""
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return _at(label or target[1:].title())
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return _at(label or GROUPS.get(group, group))
    if target.startswith("!date^"):
        parts = target.split("^")
        return safe(say_date(int(parts[1]), parts[2]))
    return tag("u", _unescaped(label or target))


def _at(name: str) -> Html:
    return tag("span", f"@{name}", class_="at")


def _emoji(name: str) -> Html:
    return EMOJI.get(name) or safe(f":{name}:")


def _pieces(pattern: re.Pattern[str], text: str, show: Any) -> Html:
    def parts() -> Iterator[Html]:
        done = 0
        for found in pattern.finditer(text):
            yield _lines(_unescaped(text[done : found.start()]))
            yield show(found)
            done = found.end()
        yield _lines(_unescaped(text[done:]))

    return join(parts())


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _lines(text: str) -> Html:
    return join(text.split("\n"), Html("<br>"))

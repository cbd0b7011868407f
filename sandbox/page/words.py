"""Slack's two ways to write a line, rich text and mrkdwn, as HTML. Trusts no text in either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

Json = Mapping[str, Any]
GROUPS = {"S0KEYS": "kms-approvers"}
EMOJI = {
    "warning": "Warning",
    "hourglass_flowing_sand": "Under way",
    "white_check_mark": "Done",
}
MARKS = re.compile(
    r"<(?P<angle>[^<>\n]+)>|`(?P<code>[^`\n]+)`|(?<![\w*])\*(?P<b>[^*\n]+)\*(?![\w*])"
    r"|(?<!\w)_(?P<em>[^_\n]+)_(?!\w)|(?<!\w)~(?P<s>[^~\n]+)~(?!\w)|:(?P<emoji>[a-z0-9_+-]+):"
)
EMOJI_ALONE = re.compile(r":([a-z0-9_+-]+):")
DATE_PARTS = re.compile(r"\{(date|time|ago)[a-z_]*\}")
TO_A_MESSAGE = re.compile(r"https://local\.slack\.com/archives/\w+/p(\d{10})(\d{6})")
STYLES = {"code": "code", "bold": "b", "italic": "em", "strike": "s", "underline": "u"}
BREAK = Markup("<br>")


def text(given: Json) -> Markup:
    """A text object of either kind."""
    if given["type"] == "mrkdwn":
        return mrkdwn(given["text"])
    if given.get("emoji"):
        return _marked_up(EMOJI_ALONE, given["text"], lambda found: emoji(found[1]))
    return plain(given["text"])


def plain(said: str) -> Markup:
    """Words alone; lines break where they do in Slack."""
    return BREAK.join(said.split("\n"))


def mrkdwn(said: str) -> Markup:
    return _marked_up(MARKS, said, _mark)


def pieces(elements: list[Json]) -> Markup:
    """The inline elements of a rich text section."""
    return Markup("").join(map(_piece, elements))


def emoji(name: str) -> Markup:
    """One of the page's own pictures; a name that has none stays as it is written."""
    if name not in EMOJI:
        return escape(f":{name}:")
    return Markup('<svg class="sym" role="img" aria-label="{}"><use href="#i-{}"/></svg>').format(
        EMOJI[name], name
    )


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


def _piece(element: Json) -> Markup:
    match element["type"]:
        case "text":
            said = plain(element["text"])
        case "emoji":
            said = emoji(element["name"])
        case "user":
            said = _at(element["user_id"].title())
        case "usergroup":
            group = str(element["usergroup_id"])
            said = _at(GROUPS.get(group, group))
        case "broadcast":
            said = _at(element["range"])
        case "date":
            said = escape(say_date(int(element["timestamp"]), element["format"]))
        case "link":
            said = _link(element["url"], element.get("text") or element["url"])
        case other:
            said = escape(str(element.get("text") or f"[{other}]"))
    style = element.get("style") or {}
    for name, tag in STYLES.items():
        said = _in(tag, said) if style.get(name) else said
    return said


def _mark(found: re.Match[str]) -> Markup:
    kind, inside = found.lastgroup or "", found[found.lastgroup or 0]
    match kind:
        case "angle":
            return _angle(inside)
        case "code":
            return _in("code", _unescaped(inside))
        case "emoji":
            return emoji(inside)
    return _in(kind, mrkdwn(inside))


def _angle(inside: str) -> Markup:
    """What stands in angle brackets: a mention, a date or a link."""
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return _at(label or target[1:].title())
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return _at(label.removeprefix("@") or GROUPS.get(group, group))
    if target.startswith("!date^"):
        parts = target.split("^")
        return escape(say_date(int(parts[1]), parts[2]))
    if target.startswith("!"):
        return _at(target[1:])
    return _link(target, _unescaped(label or target))


def _link(url: str, label: str) -> Markup:
    """To a message of this page; nothing here leads off this machine."""
    here = TO_A_MESSAGE.fullmatch(url)
    if here is None:
        return _in("u", label)
    return Markup('<a href="#m-{}.{}" data-place="channel">{}</a>').format(*here.groups(), label)


def _at(name: str) -> Markup:
    return Markup('<span class="at">@{}</span>').format(name)


def _in(tag: str, inside: str) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(tag, inside)


def _marked_up(
    pattern: re.Pattern[str], said: str, show: Callable[[re.Match[str]], Markup]
) -> Markup:
    def parts() -> Iterator[Markup]:
        done = 0
        for found in pattern.finditer(said):
            yield plain(_unescaped(said[done : found.start()]))
            yield show(found)
            done = found.end()
        yield plain(_unescaped(said[done:]))

    return Markup("").join(parts())


def _unescaped(said: str) -> str:
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

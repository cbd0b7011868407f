"""Whom a message notifies: the mentions in what it shows. Pure."""

import re
from collections.abc import Iterator
from typing import Any

from sandbox.slack.limits import walk
from sandbox.slack.records import Json

IN_MARKUP = re.compile(r"<(?:@|!subteam\^|!(?=(?:here|channel|everyone)\b))([^>|^]+)[^>]*>")
IN_RICH_TEXT = {"user": "user_id", "usergroup": "usergroup_id", "broadcast": "range"}


def mentions_of(text: str, blocks: list[Json]) -> tuple[str, ...]:
    """Ids of people and groups, and `here` and its like, each once, as they come.

    Text beside blocks is for notifications alone, so a mention in it tells nobody.
    """
    found = _in_blocks(blocks) if blocks else iter(IN_MARKUP.findall(text))
    return tuple(dict.fromkeys(found))


def _in_blocks(blocks: list[Any]) -> Iterator[str]:
    for node, _ in walk(blocks):
        kind = node.get("type")
        if kind in ("mrkdwn", "markdown"):
            yield from IN_MARKUP.findall(node["text"])
        elif kind in IN_RICH_TEXT:
            yield node[IN_RICH_TEXT[kind]]

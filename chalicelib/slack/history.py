"""What a channel shows since a time, newest first, page after page: whether something stands there already. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

MOST_PAGES = 5


def history(
    call: Callable[..., Mapping[str, Any]], channel: str, since: datetime
) -> Iterator[Mapping[str, Any]]:
    """Its messages with their metadata; of a very busy channel the newest thousand. Raises SlackError."""
    cursor = ""
    for _ in range(MOST_PAGES):
        reply = call(
            "conversations.history",
            channel=channel,
            oldest=str(int(since.timestamp()) - 1),
            include_all_metadata=True,
            limit=200,
            cursor=cursor or None,
        )
        yield from reply.get("messages", ())
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return

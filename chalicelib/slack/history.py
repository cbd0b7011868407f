"""What we said in a channel since a time, newest first, page after page: whether it stands there already. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

MOST_PAGES = 5


def history(
    call: Callable[..., Mapping[str, Any]], channel: str, since: datetime, *, event: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`ts` and payload of the messages whose metadata has this event type; raises SlackError.

    Of a very busy channel the newest thousand messages are looked through.
    """
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
        for message in reply.get("messages", ()):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == event:
                yield str(message["ts"]), metadata.get("event_payload") or {}
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return

"""When a reply of Slack counts: whole, JSON, and with what its method always says. Makes no request."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST_WORD = 100
LONGEST_RETRY = 3_600

Shape = type | dict[str, Any] | list[Any]
ID: Shape = {"id": str}
SHAPES: Mapping[str, Shape] = {
    "auth.test": {"user_id": str},
    "chat.postEphemeral": {"message_ts": str},
    "chat.postMessage": {"ts": str},
    "chat.update": {"ts": str},
    "conversations.history": {
        "messages": [{"ts": str, "metadata?": {"event_payload?": dict}}],
    },
    "conversations.info": {"channel": ID},
    "usergroups.list": {"usergroups": [{"id": str, "handle": str}]},
    "usergroups.users.list": {"users": [str]},
    "users.info": {"user": {"id": str, "profile?": dict, "enterprise_user?": dict}},
    "users.lookupByEmail": {"user": ID},
    "views.open": {"view": ID},
    "views.publish": {"view": ID},
    "views.update": {"view": ID},
}
"""What marks a whole reply of each method; a name with ? may be absent or null."""


class SlackError(Exception):
    """Slack said no, or nothing that counts. `code` is Slack's error word, or NO_ANSWER."""

    def __init__(self, code: str, *, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


NO_ANSWER = "no_answer"


def believed(
    method: str, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> dict[str, Any]:
    """The reply of a call that Slack took. Raises SlackError for any other, and for what is torn."""
    if _is_torn(headers, body):
        raise SlackError(NO_ANSWER)
    told = _object(body)
    if status == 429:  # HTTP's "too many requests"
        raise SlackError("ratelimited", retry_after=seconds(headers.get("Retry-After"), now=now))
    refusal = told.get("error")
    if told.get("ok") is False and isinstance(refusal, str) and refusal:
        raise SlackError(refusal[:LONGEST_WORD])
    if (
        status != 200 or told.get("ok") is not True or not _fits(told, SHAPES.get(method, {}))
    ):  # HTTP's own
        raise SlackError(NO_ANSWER)
    return told


def demand_taken(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raises SlackError unless a response_url says ok, in the word or in JSON: its refusals may come with 200."""
    told = _object(body)
    says_ok = body.strip() == b"ok" or told.get("ok") is True
    if status == 200 and says_ok and not _is_torn(headers, body):  # HTTP's own
        return
    refusal = told.get("error")
    if isinstance(refusal, str) and refusal:
        raise SlackError(refusal[:LONGEST_WORD])
    raise SlackError(NO_ANSWER if status == 200 else f"response_url_{status}")


def seconds(text: str | None, *, now: datetime) -> int:
    """How long Slack asks to wait: whole or broken seconds, or a date; 0 if it can't be read."""
    try:
        wait = float(text or 0)
    except ValueError:
        wait = _until(text or "", now)
    return math.ceil(min(max(wait, 0), LONGEST_RETRY)) if math.isfinite(wait) else 0


def _until(date: str, now: datetime) -> float:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return 0
    return (when - now).total_seconds() if when.tzinfo else 0


def _is_torn(headers: Mapping[str, str], body: bytes) -> bool:
    """A connection may end early without an error: then fewer bytes came than were announced."""
    announced = headers.get("Content-Length")
    return announced is not None and announced.strip() != str(len(body))


def _object(body: bytes) -> dict[str, Any]:
    """{} for anything but a JSON object."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _fits(value: Any, shape: Shape) -> bool:
    match shape:
        case dict():
            return isinstance(value, dict) and all(_has(value, *item) for item in shape.items())
        case [each]:
            return isinstance(value, list) and all(_fits(item, each) for item in value)
    return isinstance(value, shape) and value != ""  # type: ignore[arg-type]  # a plain type


def _has(value: dict[str, Any], name: str, shape: Shape) -> bool:
    found = value.get(name.removesuffix("?"))
    return (name.endswith("?") and found is None) or _fits(found, shape)

"""What somebody stored as a secret: taken as it was meant, or said what is wrong. Never in a message or log."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any


class Secret(Enum):
    """The two that Slack gives, each with what its value begins with, if that is known."""

    SIGNING = "signing secret"
    TOKEN = "bot token"  # noqa: S105  # a name


BOT, ANY_TOKEN = ("xoxb-", "xoxe.xoxb-"), "xox"
APP_TOKEN = "xapp-"  # noqa: S105  # how Slack's app-level tokens begin


def value_of(stored: str, kind: Secret) -> str:
    """Without blanks around it; of JSON the one value that it can be. "" if nobody can say which."""
    text = stored.strip().removeprefix("\ufeff").strip()
    if not text.startswith(("{", '"')):
        return text
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    values = [v.strip() for v in _values(told) if isinstance(v, str) and v.strip()]
    fitting = values if len(values) == 1 else [v for v in values if _fits(v, kind)]
    return fitting[0] if len(fitting) == 1 else ""


def what_is_wrong(stored: str, kind: Secret) -> str:
    """In words that tell nothing of the value; "" if nothing is known to be wrong."""
    value = value_of(stored, kind)
    if not stored.strip():
        return "is empty"
    if not value:
        return f"is JSON in which nobody can tell which value is the {kind.value}"
    if not value.isascii() or not value.isprintable() or " " in value:
        return "has blanks or odd characters inside"
    if not _fits(value, kind):
        return f"does not look like a {kind.value}"
    return ""


def _values(told: Any) -> list[Any]:
    return list(told.values()) if isinstance(told, dict) else [told]


def _fits(value: str, kind: Secret) -> bool:
    if kind is Secret.TOKEN:
        return value.startswith(BOT)
    return not value.startswith((ANY_TOKEN, APP_TOKEN))

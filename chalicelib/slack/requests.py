"""Requests from Slack: the signature over the raw body, and what was clicked. No SDK, no calls."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from chalicelib.ports import Interaction

FIVE_MINUTES = 300
LONGEST_WORD, LONGEST_ADDRESS, LONGEST_TEXT = 200, 500, 3_000
"""Slack's ids, addresses and typed texts are shorter; what is longer is cut, and then fits nothing."""
MENU = "more"
"""What its options ask for stands in their values, behind case and version."""
VERSION = re.compile(r"[0-9]{1,12}")


class UnsignedError(Exception):
    """The request does not prove that it comes from Slack.

    `may_be_rotation`: all but the signature itself was in order, so the secret may be a new one.
    """

    def __init__(self, reason: str, *, may_be_rotation: bool = False) -> None:
        super().__init__(reason)
        self.may_be_rotation = may_be_rotation


class UnreadableError(ValueError):
    """A signed request that can't be understood; the reason is a sentence."""


def verify(body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime) -> None:
    """Raises UnsignedError unless the signature holds and is at most five minutes old."""
    stamp = headers.get("x-slack-request-timestamp") or ""
    given = headers.get("x-slack-signature") or ""
    if not secret.strip():
        raise UnsignedError("no signing secret is set")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise UnsignedError("the timestamp is missing or not a number")
    if abs(now.timestamp() - int(stamp)) > FIVE_MINUTES:
        raise UnsignedError("the timestamp is more than five minutes off")
    expected = signature(secret, stamp, body)
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise UnsignedError("the signature does not fit the body", may_be_rotation=bool(given))


def signature(secret: str, stamp: str, body: bytes) -> str:
    """As Slack signs: the time and the body, under the app's signing secret."""
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={mac.hexdigest()}"


def is_ssl_check(body: bytes) -> bool:
    """Slack looks whether the address has a good certificate: it wants a yes, and means nothing else."""
    if b"ssl_check" not in body:  # a click is no form worth reading twice
        return False
    try:
        return _form(body).get("ssl_check") == "1"
    except UnreadableError:
        return False


def challenge(body: bytes) -> str:
    """What Slack wants to hear back when somebody sets this address in the app's settings; else ""."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or told.get("type") != "url_verification":
        return ""
    return _get(told, "challenge")[:LONGEST_WORD]


@dataclass(frozen=True)
class Opened:
    """Somebody opened the app's Home tab."""

    user_id: str
    team_id: str


def parse_event(body: bytes) -> Opened | None:
    """An event; None for one that means nothing here."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None
    if _get(told, "event", "type") != "app_home_opened" or _get(told, "event", "tab") != "home":
        return None
    return Opened(_word(_get(told, "event", "user"), "event.user"), _get(told, "team_id"))


def parse_command(body: bytes) -> Interaction:
    """A slash command's form."""
    form = _form(body)
    return Interaction(
        kind="command",
        user_id=_word(form.get("user_id"), "user_id"),
        team_id=form.get("team_id", "")[:LONGEST_WORD],
        channel=form.get("channel_id", "")[:LONGEST_WORD],
        trigger_id=form.get("trigger_id", "")[:LONGEST_WORD],
        text=form.get("text", "").strip()[:LONGEST_WORD],
    )


def parse(body: bytes) -> Interaction:
    """A button or a submitted dialog. Raises UnreadableError with the reason."""
    text = _form(body).get("payload", "")
    try:
        payload = json.loads(text)
        # Half a character (such as \ud800) can be written in JSON, but neither sealed nor stored.
        json.dumps(payload, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableError("the payload is not JSON") from None
    if not isinstance(payload, dict):
        raise UnreadableError("the payload is not a JSON object")
    kind = payload.get("type")
    if kind == "block_actions":
        return _button(payload)
    if kind == "view_submission":
        return _submission(payload)
    return Interaction(str(kind)[:50], *_who(payload))


def _button(payload: dict[str, Any]) -> Interaction:
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise UnreadableError("the payload does not hold exactly one action")
    chosen = _get(actions[0], "selected_option", "value")
    case_id, version, remedy = (*(chosen or _get(actions[0], "value")).split(":"), "", "")[:3]
    action = _get(actions[0], "action_id")
    return Interaction(
        "button",
        *_who(payload),
        channel=_get(payload, "channel", "id"),
        action=remedy if action == MENU and chosen else action,
        case_id=case_id,
        version=_version(version),
        trigger_id=_get(payload, "trigger_id"),
        response_url=_get(payload, "response_url", most=LONGEST_ADDRESS),
    )


def _submission(payload: dict[str, Any]) -> Interaction:
    metadata = _get(payload, "view", "private_metadata").split(":")
    case_id, version, remedy, plan_hash = (*metadata, "", "", "", "")[:4]
    return Interaction(
        "submission",
        *_who(payload),
        action=_get(payload, "view", "callback_id"),
        case_id=case_id,
        version=_version(version),
        remedy=remedy,
        plan_hash=plan_hash,
        view_id=_get(payload, "view", "id"),
        values=_values(payload),
    )


def _values(payload: dict[str, Any]) -> dict[str, str]:
    """What was typed or chosen, by block id; several choices with commas."""
    view = payload.get("view")
    state = view.get("state") if isinstance(view, dict) else None
    blocks = state.get("values") if isinstance(state, dict) else None
    found = {}
    for block_id, actions in (blocks if isinstance(blocks, dict) else {}).items():
        for value in (actions if isinstance(actions, dict) else {}).values():
            found[block_id] = _value(value)
    return found


def _value(element: Any) -> str:
    many = element.get("selected_options") if isinstance(element, dict) else None
    if isinstance(many, list):
        return ",".join(_get(option, "value") for option in many)[:LONGEST_TEXT]
    return (
        _get(element, "selected_option", "value")
        or _get(element, "value", most=LONGEST_TEXT)
        or _get(element, "selected_user")
    )


def _who(payload: dict[str, Any]) -> tuple[str, str]:
    """The clicker's user id and own workspace."""
    return _word(_get(payload, "user", "id"), "user.id"), _get(payload, "user", "team_id")


def _version(text: str) -> int:
    return int(text) if VERSION.fullmatch(text) else -1


def _get(payload: Any, *path: str, most: int = LONGEST_WORD) -> str:
    """The text at this path, cut; "" if there is none."""
    value = payload
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value[:most] if isinstance(value, str) else ""


def _word(value: str | None, name: str) -> str:
    if not value or len(value) > 100 or not all(c.isalnum() or c in "._-" for c in value):
        raise UnreadableError(f"{name} is missing or not an id")
    return value


def _form(body: bytes) -> dict[str, str]:
    try:
        text = body.decode()
        return {k: v[0] for k, v in parse_qs(text, max_num_fields=50).items()}
    except ValueError:
        raise UnreadableError("the body is not a form") from None

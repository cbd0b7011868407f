"""What Slack tells an app when people act: pure functions from what is shown to a payload."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.slack.limits import walk
from sandbox.slack.methods import message_to_api
from sandbox.slack.people import Person
from sandbox.slack.records import APP, TEAM, Json, Message, View, with_ids

COMMAND = "/unlatch"
VERIFICATION_TOKEN = "local-legacy-token"  # noqa: S105 - Slack still sends one; nobody may trust it


def form(payload: Json) -> str:
    """The body of an interaction: one form field that holds JSON."""
    return urlencode({"payload": json.dumps(payload)})


def _who(person: Person, trigger_id: str) -> Json:
    # `team` is where the app is installed; where the person is from is in `user` alone.
    return {
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": person.team,
        },
        "team": {"id": TEAM, "domain": "local"},
        "enterprise": None,
        "is_enterprise_install": False,
        "api_app_id": APP,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
    }


def block_actions(
    person: Person,
    message: Message,
    *,
    action: Json,
    channel_name: str,
    trigger_id: str,
    response_url: str,
) -> Json:
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": False,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {
        "type": "block_actions",
        **_who(person, trigger_id),
        "container": container,
        "channel": {"id": message.channel, "name": channel_name},
        "message": message_to_api(message),
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }


def action_of(message: Message, button: str, *, value: str | None, action_ts: str) -> Json:
    """The click on this button. Where the message has none, as an old screen would send it."""
    shown = next(
        (
            (block, node)
            for block in with_ids(message.blocks)
            for node, _ in walk(block)
            if node.get("type") == "button" and node.get("action_id") == button
        ),
        None,
    )
    block, node = shown or ({}, {"text": {"type": "plain_text", "text": button, "emoji": False}})
    looks: Json = {key: node[key] for key in ("text", "style", "confirm") if key in node}
    return {
        **looks,
        "type": "button",
        "action_id": button,
        "block_id": block.get("block_id", "gone"),
        "value": value or node.get("value") or message.last_value or "",
        "action_ts": action_ts,
    }


def view_submission(person: Person, view: View, *, values: Json, trigger_id: str) -> Json:
    return {
        "type": "view_submission",
        **_who(person, trigger_id),
        "view": view.to_api(values),
        "response_urls": [],
    }


def slash_command(
    person: Person, text: str, *, channel: tuple[str, str], trigger_id: str, response_url: str
) -> str:
    """The body of a command: a flat form, not JSON."""
    return urlencode(
        {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "team_domain": "local",
            "channel_id": channel[0],
            "channel_name": channel[1],
            "user_id": person.id,
            "user_name": person.name,
            "command": COMMAND,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id,
        }
    )


def state_values(view: View, wanted: Mapping[str, Any]) -> Json:
    """What the modal's inputs hold once a person filled in these fields, by block id.

    Fields that the modal lacks are left out; an input not filled in keeps what it began with.
    """
    return {
        block["block_id"]: {
            block["element"].get("action_id", "auto"): _typed(
                block["element"], wanted.get(block["block_id"])
            )
        }
        for block in view.blocks
        if block["type"] == "input"
    }


def _typed(element: Json, wanted: Any) -> Json:
    kind = element["type"]
    match kind:
        case "plain_text_input":
            held: Json = {"value": element.get("initial_value") if wanted is None else str(wanted)}
        case "checkboxes":
            ticked = element["options"] if wanted else element.get("initial_options", [])
            held = {"selected_options": [] if wanted is False else ticked}
        case "users_select":
            held = {"selected_user": wanted or element.get("initial_user")}
        case "datepicker":
            held = {"selected_date": wanted or element.get("initial_date")}
        case _:
            held = {"selected_option": _picked(element, wanted)}
    return {"type": kind, **held}


def _picked(element: Json, wanted: Any) -> Json | None:
    if wanted is None:
        return element.get("initial_option")
    # A value that is not offered is sent as a forged request would send it: to be refused.
    made_up = {"text": {"type": "plain_text", "text": str(wanted)}, "value": str(wanted)}
    return next((o for o in element["options"] if o["value"] == wanted), made_up)

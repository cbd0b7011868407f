"""What Slack tells an app when people act: pure functions from what is shown to a payload."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.slack.limits import walk
from sandbox.slack.people import Person
from sandbox.slack.records import (
    APP,
    BOT_USER,
    ORGANISATION,
    ORGANISATION_NAME,
    TEAM,
    Channel,
    Json,
    Message,
    View,
    with_ids,
)
from sandbox.slack.web_api import message_to_api

COMMAND = "/unlatch"
VERIFICATION_TOKEN = "local-legacy-token"  # noqa: S105 - Slack still sends one; nobody may trust it


def form(payload: Json) -> str:
    """The body of an interaction: one form field that holds JSON."""
    return urlencode({"payload": json.dumps(payload)})


def _who(person: Person, trigger_id: str, *, is_org_wide: bool) -> Json:
    # `team` is where the app is installed; where the person is from is in `user` alone.
    return {
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": person.home,
        },
        "team": {
            "id": TEAM,
            "domain": "local",
            "enterprise_id": ORGANISATION,
            "enterprise_name": ORGANISATION_NAME,
        },
        "enterprise": {"id": ORGANISATION, "name": ORGANISATION_NAME},
        "is_enterprise_install": is_org_wide,
        "api_app_id": APP,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
    }


def block_actions(
    person: Person, place: Json, *, action: Json, trigger_id: str, is_org_wide: bool
) -> Json:
    """A click on a button in this place: `on_message` or `on_home`."""
    return {
        "type": "block_actions",
        **_who(person, trigger_id, is_org_wide=is_org_wide),
        "state": {"values": {}},
        "actions": [action],
        **place,
    }


def on_message(message: Message, channel: Channel, *, response_url: str) -> Json:
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": False,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    return {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "message": message_to_api(message),
        "response_url": response_url,
    }


def on_home(view: View) -> Json:
    """A Home tab is in no channel, so there is nothing to respond to but the view."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view.to_api()}


def action_of(
    blocks: list[Json], button: str, *, value: str | None, last_value: str, action_ts: str
) -> Json:
    """The click on this button. If the blocks have none, as an old screen would send it.

    `value` counts before the button's own, and that before the last that was seen.
    """
    if chosen := _chosen(blocks, button, value=value, action_ts=action_ts):
        return chosen
    shown = next(
        (
            (block, node)
            for block in with_ids(blocks)
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
        "value": value or node.get("value") or last_value,
        "action_ts": action_ts,
    }


def _chosen(blocks: list[Json], menu: str, *, value: str | None, action_ts: str) -> Json | None:
    """A choice from the menu of this action: the option of this value, else the first."""
    for block in with_ids(blocks):
        for node, _ in walk(block):
            if node.get("type") == "overflow" and node.get("action_id") == menu:
                options = node["options"]
                option = next((one for one in options if one["value"] == value), options[0])
                return {
                    "type": "overflow",
                    "action_id": menu,
                    "block_id": block.get("block_id", "gone"),
                    "selected_option": option,
                    "action_ts": action_ts,
                }
    return None


def view_submission(
    person: Person, view: View, *, values: Json, trigger_id: str, is_org_wide: bool
) -> Json:
    who = _who(person, trigger_id, is_org_wide=is_org_wide)
    if is_org_wide:  # a modal belongs to no workspace of the organisation
        who["team"] = None
    return {
        "type": "view_submission",
        **who,
        "view": view.to_api(values),
        "response_urls": [],
    }


def home_opened(person: Person, channel: str, view: View | None, *, at: float) -> Json:
    """The event; `view` is what the Home tab shows, if anything was ever published."""
    shown = {} if view is None else {"view": view.to_api()}
    return {
        "type": "app_home_opened",
        "user": person.id,
        "channel": channel,
        "tab": "home",
        "event_ts": f"{at:.6f}",
        **shown,
    }


def event_callback(event: Json, *, event_id: str, at: float, is_org_wide: bool) -> Json:
    """The envelope of an event, which names one installation that it is for."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "enterprise_id": ORGANISATION,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": ORGANISATION,
                "team_id": None if is_org_wide else TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": is_org_wide,
            }
        ],
        "is_ext_shared_channel": False,
    }


def slash_command(
    person: Person,
    text: str,
    *,
    channel: Channel,
    trigger_id: str,
    response_url: str,
    is_org_wide: bool,
) -> str:
    """The body of a command: a flat form, not JSON."""
    return urlencode(
        {
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "team_domain": "local",
            "enterprise_id": ORGANISATION,
            "enterprise_name": ORGANISATION_NAME,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": COMMAND,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": str(is_org_wide).lower(),
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
            held = {"selected_options": _ticked(element, wanted)}
        case "users_select":
            held = {"selected_user": wanted or element.get("initial_user")}
        case "datepicker":
            held = {"selected_date": wanted or element.get("initial_date")}
        case _:
            held = {"selected_option": _picked(element, wanted)}
    return {"type": kind, **held}


def _ticked(element: Json, wanted: Any) -> list[Json]:
    """All or none for true or false, and for nothing what it began with.

    Of a list: the options with these values, or for each word the first option that has it in its text.
    """
    if isinstance(wanted, list):
        options = element["options"]
        by_value = [option for option in options if option["value"] in wanted]
        said = (next((o for o in options if str(w) in o["text"]["text"]), None) for w in wanted)
        return by_value or [option for option in said if option]
    if wanted is None:
        return list(element.get("initial_options", []))
    return list(element["options"]) if wanted else []


def _picked(element: Json, wanted: Any) -> Json | None:
    if wanted is None:
        return element.get("initial_option")
    # A value that is not offered is sent as a forged request would send it: to be refused.
    made_up = {"text": {"type": "plain_text", "text": str(wanted)}, "value": str(wanted)}
    return next((o for o in element["options"] if o["value"] == wanted), made_up)

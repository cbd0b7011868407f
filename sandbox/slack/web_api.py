"""What the methods of the Web API share: the local Slack that they act on, and their arguments."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.slack.limits import MESSAGE_TEXT, check_message, is_too_long
from sandbox.slack.manifest import Manifest
from sandbox.slack.people import Directory
from sandbox.slack.records import (
    APP,
    BOT,
    BOT_USER,
    TEAM,
    Channel,
    Json,
    Message,
    SlackRefusal,
    missing,
    with_ids,
)
from sandbox.slack.state import State
from sandbox.slack.views import Views
from sandbox.slack.workspace import Workspace


@dataclass
class WebApi:
    """A call that Slack would refuse raises Refused."""

    state: State
    workspace: Workspace
    views: Views
    directory: Directory
    manifest: Manifest
    is_org_wide: bool = False
    supports_plan_blocks: bool = True

    def content(self, args: Json) -> tuple[str, list[Json]]:
        """Text and blocks of a message, refused if Slack would not show them."""
        text, blocks = str(args.get("text") or ""), decoded(args, "blocks", "invalid_blocks_format")
        if not text and not blocks:
            raise SlackRefusal("no_text")
        if len(text) > MESSAGE_TEXT:
            raise SlackRefusal("msg_too_long")
        problems = check_message(blocks, text, plan_blocks=self.supports_plan_blocks)
        if problems:
            raise SlackRefusal("invalid_blocks", problems)
        if is_too_long(blocks or []):
            raise SlackRefusal("msg_blocks_too_long")
        return text, blocks or []

    def channel(self, args: Json) -> Channel:
        return self.workspace.channel(str(required(args, "channel")))

    def channel_to_write(self, args: Json) -> Channel:
        """The channel of this message; a person's id stands for their direct messages."""
        person = self.directory.find(str(required(args, "channel")))
        channel = self.workspace.direct(person.id) if person else self.channel(args)
        if channel.is_archived:
            raise SlackRefusal("is_archived")
        if not channel.is_member:
            raise SlackRefusal("not_in_channel")
        if channel.is_restricted:
            raise SlackRefusal("restricted_action")
        if channel.user and not self.manifest.has_messages_tab:
            raise SlackRefusal("messages_tab_disabled")
        return channel


def decoded(args: Json, name: str, error: str) -> Any:
    """A complex argument, which comes as JSON or as a string of JSON."""
    value = args.get(name)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as unreadable:
            raise SlackRefusal(error) from unreadable
    return value


def required(args: Json, *names: str) -> Any:
    absent = [name for name in names if args.get(name) in (None, "")]
    if absent:
        raise missing(*absent)
    return args[names[0]]


def message_to_api(message: Message) -> Json:
    """A message as Slack puts it into answers and payloads."""
    body: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": TEAM,
        "blocks": with_ids(message.blocks),
    }
    if message.user == BOT_USER:
        body |= {"bot_id": BOT, "app_id": APP}
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    if message.is_broadcast:
        body["subtype"] = "thread_broadcast"
    if message.updates:
        body["edited"] = {"user": message.user, "ts": message.ts}
    if message.metadata:
        body["metadata"] = message.metadata
    return body

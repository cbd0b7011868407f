"""The methods of Slack's Web API that Unlatch calls, each a function of workspace and arguments."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.slack.limits import MESSAGE_TEXT, check_message, check_view
from sandbox.slack.people import Directory
from sandbox.slack.records import (
    APP,
    BOT,
    BOT_USER,
    TEAM,
    File,
    Json,
    Message,
    Refused,
    missing,
    with_ids,
)
from sandbox.slack.workspace import Workspace


@dataclass
class WebApi:
    """Answers calls by name. A call that Slack would refuse raises Refused."""

    workspace: Workspace
    directory: Directory
    base_url: str = ""
    supports_plan_blocks: bool = True

    def call(self, method: str, args: Json) -> Json:
        if method not in METHODS:
            raise Refused("unknown_method")
        return {"ok": True, **METHODS[method](self, args)}

    def content(self, args: Json) -> tuple[str, list[Json]]:
        """Text and blocks of a message, refused where Slack would not show them."""
        text, blocks = str(args.get("text") or ""), decoded(args, "blocks", "invalid_blocks_format")
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > MESSAGE_TEXT:
            raise Refused("msg_too_long")
        problems = check_message(blocks, text, plan_blocks=self.supports_plan_blocks)
        if problems:
            raise Refused("invalid_blocks", problems)
        return text, blocks or []

    def channel(self, args: Json) -> str:
        channel = str(required(args, "channel"))
        if channel not in self.workspace.channels:
            raise Refused("channel_not_found")
        return channel


def decoded(args: Json, name: str, error: str) -> Any:
    """A complex argument, which comes as JSON or as a string of JSON."""
    value = args.get(name)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as unreadable:
            raise Refused(error) from unreadable
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
    if message.updates:
        body["edited"] = {"user": message.user, "ts": message.ts}
    if message.metadata:
        body["metadata"] = message.metadata
    return body


def post_message(api: WebApi, args: Json) -> Json:
    channel = api.channel(args)
    text, blocks = api.content(args)
    posted = api.workspace.post(
        Message(
            channel=channel,
            ts="",
            thread_ts=args.get("thread_ts"),
            text=text,
            blocks=blocks,
            metadata=decoded(args, "metadata", "invalid_metadata_format"),
        )
    )
    return {"channel": channel, "ts": posted.ts, "message": message_to_api(posted)}


def update_message(api: WebApi, args: Json) -> Json:
    required(args, "channel", "ts")
    channel, ts = api.channel(args), str(args["ts"])
    old = api.workspace.find_message(ts)
    if old is None or old.channel != channel:
        raise Refused("message_not_found")
    if old.user != BOT_USER:
        raise Refused("cant_update_message")
    # A call with text alone takes the blocks away, as Slack does.
    text, blocks = api.content(args)
    new = api.workspace.update(ts, text=text, blocks=blocks)
    return {"channel": channel, "ts": ts, "text": text, "message": message_to_api(new)}


def post_ephemeral(api: WebApi, args: Json) -> Json:
    required(args, "channel", "user")
    channel = api.channel(args)
    text, blocks = api.content(args)
    if api.directory.find(str(args["user"])) is None:
        raise Refused("user_not_in_channel")
    told = api.workspace.whisper(
        str(args["user"]), channel, text=text, blocks=blocks, thread_ts=args.get("thread_ts")
    )
    return {"message_ts": told.ts}


def open_view(api: WebApi, args: Json) -> Json:
    required(args, "trigger_id", "view")
    view = _view(args)
    user = api.workspace.use_trigger(str(args["trigger_id"]))
    return {"view": api.workspace.open_view(user, view).to_api()}


def update_view(api: WebApi, args: Json) -> Json:
    required(args, "view_id", "view")
    updated = api.workspace.update_view(
        str(args["view_id"]), _view(args), expected_hash=args.get("hash")
    )
    return {"view": updated.to_api()}


def _view(args: Json) -> Json:
    view = decoded(args, "view", "invalid_arguments")
    problems = check_view(view)
    if problems:
        raise Refused("invalid_arguments", problems)
    return dict(view)


def user_info(api: WebApi, args: Json) -> Json:
    user = api.directory.describe(str(required(args, "user")))
    if user is None:
        raise Refused("user_not_found")
    return {"user": user}


def look_up_by_email(api: WebApi, args: Json) -> Json:
    person = api.directory.find_by_email(str(required(args, "email")))
    if person is None:
        raise Refused("users_not_found")
    return {"user": person.to_api()}


def list_group(api: WebApi, args: Json) -> Json:
    group = str(required(args, "usergroup"))
    if group not in api.directory.groups:
        raise Refused("no_such_subteam")
    return {"users": list(api.directory.groups[group])}


def who_am_i(api: WebApi, _: Json) -> Json:
    return {
        "url": api.base_url,
        "team": "Local",
        "team_id": TEAM,
        "user": "unlatch",
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def channel_info(api: WebApi, args: Json) -> Json:
    channel = api.channel(args)
    shared = channel in api.workspace.shared_channels
    return {
        "channel": {
            "id": channel,
            "name": api.workspace.channels[channel],
            "is_channel": True,
            "is_private": False,
            "is_archived": False,
            "is_member": True,
            "is_shared": shared,
            "is_ext_shared": shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
        }
    }


def read_history(api: WebApi, args: Json) -> Json:
    """Top-level messages, newest first; `oldest` and `latest` are left out unless `inclusive`."""
    channel = api.channel(args)
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9" * 10)
    edges = {oldest, latest} if args.get("inclusive") in (True, "1", "true") else set()
    found = [
        message_to_api(m)
        for m in reversed(api.workspace.messages)
        if m.channel == channel
        and m.thread_ts is None
        and (oldest < m.ts < latest or m.ts in edges)
    ]
    limit = int(args.get("limit") or 100)
    return {"messages": found[:limit], "has_more": len(found) > limit}


def get_upload_url(api: WebApi, args: Json) -> Json:
    required(args, "filename", "length")
    file_id = api.workspace.reserve_file(str(args["filename"]))
    return {"upload_url": f"{api.base_url}/upload/{file_id}", "file_id": file_id}


def complete_upload(api: WebApi, args: Json) -> Json:
    """Shares the uploaded files; without a channel they stay with the bot, as in Slack."""
    required(args, "files")
    channel = api.channel({"channel": args["channel_id"]}) if args.get("channel_id") else None
    shared: list[File] = [
        api.workspace.change_file(
            str(wanted.get("id")),
            channel=channel,
            thread_ts=args.get("thread_ts"),
            **({"title": wanted["title"]} if wanted.get("title") else {}),
        )
        for wanted in decoded(args, "files", "invalid_arguments")
    ]
    return {"files": [{"id": file.id, "title": file.title} for file in shared]}


METHODS: Mapping[str, Callable[[WebApi, Json], Json]] = {
    "auth.test": who_am_i,
    "chat.postEphemeral": post_ephemeral,
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "conversations.history": read_history,
    "conversations.info": channel_info,
    "files.completeUploadExternal": complete_upload,
    "files.getUploadURLExternal": get_upload_url,
    "usergroups.users.list": list_group,
    "users.info": user_info,
    "users.lookupByEmail": look_up_by_email,
    "views.open": open_view,
    "views.update": update_view,
}

"""Messages: chat.* and conversations.open, each a function of its arguments."""

from sandbox.slack.records import BOT_USER, Json, Message, SlackRefusal
from sandbox.slack.web_api import WebApi, decoded, message_to_api, required


def post_message(api: WebApi, args: Json) -> Json:
    channel = api.channel_to_write(args)
    text, blocks = api.content(args)
    posted = api.workspace.post(
        Message(
            channel=channel.id,
            ts="",
            thread_ts=args.get("thread_ts"),
            text=text,
            blocks=blocks,
            metadata=decoded(args, "metadata", "invalid_metadata_format"),
            is_broadcast=args.get("reply_broadcast") in (True, "1", "true"),
        )
    )
    return {"channel": channel.id, "ts": posted.ts, "message": message_to_api(posted)}


def update_message(api: WebApi, args: Json) -> Json:
    required(args, "channel", "ts")
    channel, ts = api.channel(args), str(args["ts"])
    old = api.workspace.find_message(ts)
    if old is None or old.channel != channel.id:
        raise SlackRefusal("message_not_found")
    if old.user != BOT_USER:
        raise SlackRefusal("cant_update_message")
    if channel.is_archived:
        raise SlackRefusal("is_inactive")
    window = channel.editable_seconds
    if window is not None and api.state.now() - float(ts) > window:
        raise SlackRefusal("edit_window_closed")
    # A call with text alone takes the blocks away, as Slack does.
    text, blocks = api.content(args)
    # Metadata that is not given stays as it was.
    metadata = decoded(args, "metadata", "invalid_metadata_format") or old.metadata
    new = api.workspace.update(ts, text=text, blocks=blocks, metadata=metadata)
    return {"channel": channel.id, "ts": ts, "text": text, "message": message_to_api(new)}


def delete_message(api: WebApi, args: Json) -> Json:
    required(args, "channel", "ts")
    channel, ts = api.channel(args), str(args["ts"])
    found = api.workspace.find_message(ts)
    if found is None or found.channel != channel.id:
        raise SlackRefusal("message_not_found")
    if found.user != BOT_USER:
        raise SlackRefusal("cant_delete_message")
    api.workspace.remove(ts)
    return {"channel": channel.id, "ts": ts}


def post_ephemeral(api: WebApi, args: Json) -> Json:
    required(args, "channel", "user")
    channel, user = api.channel_to_write(args), str(args["user"])
    text, blocks = api.content(args)
    person = api.directory.find(user)
    if person is None or person.deleted or user in channel.absent:
        raise SlackRefusal("user_not_in_channel")
    told = api.workspace.whisper(
        user, channel.id, text=text, blocks=blocks, thread_ts=args.get("thread_ts")
    )
    return {"message_ts": told.ts}


def link_to_message(api: WebApi, args: Json) -> Json:
    required(args, "channel", "message_ts")
    channel, ts = api.channel(args), str(args["message_ts"])
    if api.workspace.find_message(ts) is None:
        raise SlackRefusal("message_not_found")
    place = f"{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": f"https://local.slack.com/archives/{place}"}


def open_conversation(api: WebApi, args: Json) -> Json:
    """Direct messages with one person, as the bot has no use for more."""
    if not args.get("users"):
        raise SlackRefusal("users_list_not_supplied")
    person = api.directory.find(str(args["users"]))
    if person is None:
        raise SlackRefusal("user_not_found")
    if person.deleted:
        raise SlackRefusal("user_disabled")
    if person.bot:
        raise SlackRefusal("cannot_dm_bot")
    return {"channel": {"id": api.workspace.direct(person.id).id}}

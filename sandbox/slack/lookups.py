"""What the bot may ask: who people are, who it is itself, channels and their history. Changes nothing."""

from sandbox.slack.people import APPROVER_GROUP
from sandbox.slack.records import (
    APP,
    BOT,
    BOT_USER,
    ORGANISATION,
    ORGANISATION_NAME,
    TEAM,
    Json,
    SlackRefusal,
)
from sandbox.slack.web_api import WebApi, message_to_api, required

HANDLES = {APPROVER_GROUP: "kms-approvers"}


def user_info(api: WebApi, args: Json) -> Json:
    user = api.directory.describe(str(required(args, "user")))
    if user is None:
        raise SlackRefusal("user_not_found")
    return {"user": user}


def look_up_by_email(api: WebApi, args: Json) -> Json:
    person = api.directory.find_by_email(str(required(args, "email")))
    if person is None:
        raise SlackRefusal("users_not_found")
    return {"user": person.to_api()}


def list_group(api: WebApi, args: Json) -> Json:
    group = str(required(args, "usergroup"))
    if group not in api.directory.groups:
        raise SlackRefusal("no_such_subteam")
    return {"users": list(api.directory.groups[group])}


def list_groups(api: WebApi, _: Json) -> Json:
    """All groups that are not disabled; the handle is what people type after the @."""
    groups = [{"id": one, "handle": HANDLES.get(one, one.lower())} for one in api.directory.groups]
    return {"usergroups": groups}


def who_am_i(api: WebApi, _: Json) -> Json:
    name, team = (ORGANISATION_NAME, ORGANISATION) if api.is_org_wide else ("Local", TEAM)
    return {
        "url": "https://local.slack.com/",
        "team": name,
        "team_id": team,
        "user": "unlatch",
        "user_id": BOT_USER,
        "bot_id": BOT,
        "app_id": APP,
        "enterprise_id": ORGANISATION,
        "is_enterprise_install": api.is_org_wide,
    }


def channel_info(api: WebApi, args: Json) -> Json:
    channel = api.channel(args)
    if channel.user:
        return {"channel": {"id": channel.id, "is_im": True, "user": channel.user}}
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "is_channel": True,
            "is_private": False,
            "is_archived": channel.is_archived,
            "is_member": channel.is_member,
            "is_shared": channel.is_shared,
            "is_ext_shared": channel.is_shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "context_team_id": TEAM,
        }
    }


def read_history(api: WebApi, args: Json) -> Json:
    """What the channel shows, newest first; `oldest` and `latest` are left out unless `inclusive`."""
    channel = api.channel(args)
    if not channel.is_member:
        raise SlackRefusal("not_in_channel")
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9" * 10)
    edges = {oldest, latest} if args.get("inclusive") in (True, "1", "true") else set()
    found = [
        message_to_api(m)
        for m in reversed(api.workspace.messages)
        if m.channel == channel.id and m.in_channel and (oldest < m.ts < latest or m.ts in edges)
    ]
    begin, limit = int(args.get("cursor") or 0), int(args.get("limit") or 100)
    end = begin + limit
    more = {"response_metadata": {"next_cursor": str(end)}} if len(found) > end else {}
    return {"messages": found[begin:end], "has_more": bool(more), **more}

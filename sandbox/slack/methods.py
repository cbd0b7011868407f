"""The methods of Slack's Web API that the local Slack knows, with what Slack asks of a caller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.slack import chat, lookups
from sandbox.slack.limits import check_view
from sandbox.slack.records import TEAM, Json, SlackRefusal
from sandbox.slack.web_api import WebApi, decoded, required


@dataclass(frozen=True, kw_only=True)
class Method:
    """Any of the `scopes` will do; they differ by kind of channel. `of_team`: a token of a whole
    organisation must say in which workspace."""

    answer: Callable[[WebApi, Json], Json]
    scopes: frozenset[str] = frozenset()
    of_team: bool = False


def open_view(api: WebApi, args: Json) -> Json:
    required(args, "trigger_id", "view")
    view = _view(args, "modal")
    user = api.views.use_trigger(str(args["trigger_id"]))
    return {"view": api.views.open(user, view).to_api()}


def update_view(api: WebApi, args: Json) -> Json:
    required(args, "view_id", "view")
    view = _view(args, "modal")
    updated = api.views.update(str(args["view_id"]), view, expected_hash=args.get("hash"))
    return {"view": updated.to_api()}


def publish_view(api: WebApi, args: Json) -> Json:
    required(args, "user_id", "view")
    if not api.manifest.has_home_tab:
        raise SlackRefusal("not_enabled")
    view, user = _view(args, "home"), str(args["user_id"])
    if api.directory.find(user) is None:
        raise SlackRefusal("invalid_arguments", ["invalid `user_id`"])
    published = api.views.publish(user, view, expected_hash=args.get("hash"))
    return {"view": published.to_api()}


def _view(args: Json, surface: str) -> Json:
    view = decoded(args, "view", "invalid_arguments")
    problems = check_view(view, surface)
    if problems:
        raise SlackRefusal("invalid_arguments", problems)
    return dict(view)


def _method(answer: Callable[[WebApi, Json], Json], *scopes: str, of_team: bool = False) -> Method:
    return Method(answer=answer, scopes=frozenset(scopes), of_team=of_team)


METHODS: Mapping[str, Method] = {
    "auth.test": _method(lookups.who_am_i),
    "chat.delete": _method(chat.delete_message, "chat:write"),
    "chat.getPermalink": _method(chat.link_to_message),
    "chat.postEphemeral": _method(chat.post_ephemeral, "chat:write"),
    "chat.postMessage": _method(chat.post_message, "chat:write"),
    "chat.update": _method(chat.update_message, "chat:write"),
    "conversations.history": _method(
        lookups.read_history, "channels:history", "groups:history", "im:history"
    ),
    "conversations.info": _method(lookups.channel_info, "channels:read", "groups:read", "im:read"),
    "conversations.open": _method(chat.open_conversation, "im:write"),
    "usergroups.list": _method(lookups.list_groups, "usergroups:read", of_team=True),
    "usergroups.users.list": _method(lookups.list_group, "usergroups:read", of_team=True),
    "users.info": _method(lookups.user_info, "users:read"),
    "users.lookupByEmail": _method(lookups.look_up_by_email, "users:read.email"),
    "views.open": _method(open_view),
    "views.publish": _method(publish_view),
    "views.update": _method(update_view),
}


def call(api: WebApi, name: str, args: Json) -> Json:
    """The answer to this call. Raises Refused if Slack would say no."""
    method = METHODS.get(name)
    if method is None:
        raise SlackRefusal("unknown_method")
    if method.scopes and not method.scopes & api.manifest.scopes:
        needed = ",".join(sorted(method.scopes))
        raise SlackRefusal("missing_scope", needed=needed, provided=scopes_of(api))
    if method.of_team and api.is_org_wide:
        _require_team(args)
    return {"ok": True, **method.answer(api, args)}


def scopes_of(api: WebApi) -> str:
    return ",".join(sorted(api.manifest.scopes))


def _require_team(args: Json) -> None:
    if not args.get("team_id"):
        raise SlackRefusal("missing_argument", ["missing required field: team_id"])
    if args["team_id"] != TEAM:
        raise SlackRefusal("invalid_team")

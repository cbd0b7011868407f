"""The Slack app asks for exactly the scopes that the methods called need."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
SCOPES = {
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.delete": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
    "users.info": {"users:read"},
    "users.lookupByEmail": {"users:read.email"},
    "usergroups.list": {"usergroups:read"},
    "usergroups.users.list": {"usergroups:read"},
    "conversations.history": {"channels:history", "groups:history"},
    "conversations.info": {"channels:read", "groups:read"},
    "auth.test": set(),
}
"""What Slack's method reference asks of a bot token; for conversations.* by kind of channel."""
ALSO = {"commands", "users:read.email"}
"""The slash command, and the e-mail in users.info that tells the requester."""
METHOD = re.compile(r'"((?:chat|views|users|usergroups|conversations|auth)\.[A-Za-z.]+)"')


def test_scopes_are_those_of_the_methods_called() -> None:
    manifest = yaml.safe_load((ROOT / "infra/slack-manifest.yaml").read_text())
    files = [*(ROOT / "chalicelib/slack").rglob("*.py"), *(ROOT / "ops").rglob("*.py")]
    called = {name for path in files for name in METHOD.findall(path.read_text())}
    assert called <= set(SCOPES), "a method without its scopes in the table above"
    needed = ALSO.union(*(SCOPES[name] for name in called))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def text(most: int, least: int = 1) -> dict[str, object]:
    return {"type": "string", "minLength": least, "maxLength": most}


def exactly(needed: str = "", **parts: object) -> dict[str, object]:
    """An object with these parts and no other."""
    wanted = needed.split()
    return {
        "type": "object",
        "properties": parts,
        "required": wanted,
        "additionalProperties": False,
    }


FLAG = {"type": "boolean"}
URL = {"type": "string", "pattern": "^https://", "maxLength": 3000}
COMMAND = exactly(
    "command description",
    command={"type": "string", "pattern": r"^/\S+$", "maxLength": 32},
    description=text(2000),
    url=URL,
    usage_hint=text(1000),
    should_escape=FLAG,
)
SCHEMA = exactly(
    "display_information features oauth_config settings",
    _metadata=exactly(major_version={"type": "integer"}, minor_version={"type": "integer"}),
    display_information=exactly(
        "name",
        name=text(35),
        description=text(140),
        background_color={"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
    ),
    features=exactly(
        app_home=exactly(
            home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG
        ),
        bot_user=exactly("display_name", display_name=text(80), always_online=FLAG),
        slash_commands={"type": "array", "items": COMMAND, "minItems": 1, "maxItems": 50},
    ),
    oauth_config=exactly(
        scopes=exactly(bot={"type": "array", "items": text(100), "uniqueItems": True})
    ),
    settings=exactly(
        event_subscriptions=exactly(
            request_url=URL,
            bot_events={"type": "array", "items": text(50), "maxItems": 100, "uniqueItems": True},
        ),
        interactivity=exactly("is_enabled", is_enabled=FLAG, request_url=URL),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled=FLAG,
    ),
)
"""The parts of Slack's manifest schema 1 that this app uses, with Slack's limits; no others may stand in it."""


def test_slack_would_take_it() -> None:
    manifest = yaml.safe_load((ROOT / "infra/slack-manifest.yaml").read_text())
    wrong = Draft7Validator(SCHEMA).iter_errors(manifest)
    assert [f"{list(error.path)}: {error.message}" for error in wrong] == []


def test_each_event_that_is_heard_asks_for_no_further_scope() -> None:
    manifest = yaml.safe_load((ROOT / "infra/slack-manifest.yaml").read_text())
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True

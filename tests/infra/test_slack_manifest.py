"""The Slack app asks for exactly the scopes that the methods called need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).with_name("slack_manifest") / "manifest.schema.1.0.0.json"
"""As Slack publishes it in github.com/slackapi/manifest-schema, under the licence beside it."""
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
    files = [*(ROOT / "chalicelib/slack").rglob("*.py"), *(ROOT / "ops").rglob("*.py")]
    called = {name for path in files for name in METHOD.findall(path.read_text())}
    assert called <= set(SCOPES), "a method without its scopes in the table above"
    needed = ALSO.union(*(SCOPES[name] for name in called))
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == needed


def manifest() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "infra/slack-manifest.yaml").read_text())
    return told


def wrong(told: object) -> list[str]:
    schema = json.loads(SCHEMA.read_text())
    Draft7Validator.check_schema(schema)
    found = Draft7Validator(schema).iter_errors(told)
    return [f"{list(error.path)}: {error.message}" for error in found]


def test_slack_would_take_it() -> None:
    assert wrong(manifest()) == []
    assert manifest()["_metadata"]["major_version"] == 1, "of which the schema is"


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("display_information", "name", "x" * 36),
        ("features", "app_home", {"home_tab": True}),
        ("features", "slash_commands", [{"command": "unlatch", "description": "no slash"}]),
        ("oauth_config", "scopes", {"bot": "chat:write"}),
        ("settings", "socket_mode_enabled", "no"),
    ],
)
def test_the_schema_notices(part: str, name: str, value: object) -> None:
    told = manifest()
    told[part][name] = value
    assert wrong(told) != []


def test_each_event_that_is_heard_asks_for_no_further_scope() -> None:
    assert manifest()["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    assert manifest()["features"]["app_home"]["home_tab_enabled"] is True


def test_a_whole_organisation_may_install_it() -> None:
    """Slack’s own command line says of apps without it that they never receive an event there."""
    assert manifest()["settings"]["org_deploy_enabled"] is True

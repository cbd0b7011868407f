"""The Slack app asks for exactly the scopes that the methods called need."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

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

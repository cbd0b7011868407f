"""What the Slack app may do and hears of, read from the manifest that people install it with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

MANIFEST = Path(__file__).parents[2] / "infra/slack-manifest.yaml"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The paths are those of the app's request URLs; "" if it has none.

    `is_org_ready`: it may be installed in a whole organisation.
    """

    scopes: frozenset[str]
    events: frozenset[str] = frozenset()
    has_home_tab: bool = False
    has_messages_tab: bool = True
    is_org_ready: bool = False
    interactions_path: str = ""
    commands_path: str = ""
    events_path: str = ""

    def installed(self, *, is_org_wide: bool) -> Self:
        """ValueError if it can't be installed so."""
        if is_org_wide and not self.is_org_ready:
            raise ValueError("the manifest has no org_deploy_enabled: true")
        return self


@cache
def read_manifest(file: Path = MANIFEST) -> Manifest:
    told: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    features, settings = told["features"], told["settings"]
    tabs, heard = features.get("app_home", {}), settings.get("event_subscriptions", {})
    (command,) = features["slash_commands"]
    return Manifest(
        scopes=frozenset(told["oauth_config"]["scopes"]["bot"]),
        events=frozenset(heard.get("bot_events", ())),
        has_home_tab=tabs.get("home_tab_enabled", False),
        has_messages_tab=tabs.get("messages_tab_enabled", True),
        is_org_ready=settings.get("org_deploy_enabled", False),
        interactions_path=_path(settings["interactivity"]["request_url"]),
        commands_path=_path(command["url"]),
        events_path=_path(heard.get("request_url", "")),
    )


def _path(url: str) -> str:
    return urlsplit(url).path

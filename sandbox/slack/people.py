"""Who is in the local workspace and its user groups, told as users.info tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.slack.records import (
    BOT,
    BOT_USER,
    ORGANISATION,
    ORGANISATION_NAME,
    OTHER_TEAM,
    TEAM,
    Json,
)

APPROVER_GROUP = "S0KEYS"


@dataclass(frozen=True, kw_only=True)
class Person:
    """One Slack user. The id is the name, so that a scenario reads as it runs.

    `team` is another workspace of the organisation, or the organisation itself.
    """

    name: str
    approver: bool = False
    external: bool = False
    guest: bool = False
    bot: bool = False
    deleted: bool = False
    email: str = ""
    team: str = TEAM

    @property
    def id(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        return self.email or f"{self.name}@example.com"

    @property
    def home(self) -> str:
        """The workspace that payloads and users.info name."""
        return OTHER_TEAM if self.external else self.team

    def to_api(self) -> Json:
        profile = {
            "real_name": self.name.title(),
            "display_name": self.name,
            "team": self.home,
            **({"bot_id": BOT} if self.bot else {"email": self.address}),
        }
        return {
            "id": self.id,
            "team_id": self.home,
            "name": self.name,
            "real_name": profile["real_name"],
            "deleted": self.deleted,
            "tz": "Etc/UTC",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_bot": self.bot,
            "is_app_user": False,
            "is_workflow_bot": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "is_stranger": self.external,
            **({} if self.external else {"enterprise_user": self._in_organisation()}),
        }

    def _in_organisation(self) -> Json:
        return {
            "id": self.id,
            "enterprise_id": ORGANISATION,
            "enterprise_name": ORGANISATION_NAME,
            "is_admin": False,
            "is_owner": False,
            "teams": [TEAM if self.team == ORGANISATION else self.team],
        }


class Directory:
    """The people and groups of the workspace. `groups` may be changed at any time."""

    def __init__(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        self._people = {name: Person(name=name, **(facts or {})) for name, facts in people.items()}
        self.groups: dict[str, list[str]] = {
            APPROVER_GROUP: [p.id for p in self._people.values() if p.approver]
        }

    def find(self, user: str) -> Person | None:
        return self._people.get(user)

    def get(self, user: str) -> Person:
        person = self.find(user)
        if person is None:
            raise LookupError(f"{user} is no Slack user of this sandbox")
        return person

    def find_by_email(self, email: str) -> Person | None:
        """Nobody for bots, which have no address, and for people who have left, as in Slack."""
        living = (p for p in self._people.values() if not p.bot and not p.deleted)
        return next((p for p in living if p.address.lower() == email.lower()), None)

    def describe(self, user: str) -> Json | None:
        if user == BOT_USER:
            return Person(name="unlatch", bot=True).to_api() | {"id": BOT_USER}
        person = self.find(user)
        return person.to_api() if person else None

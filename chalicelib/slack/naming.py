"""Looks up what people call things in Slack, and remembers it for an hour. A name that is not found is left out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chalicelib.aside import Aside, in_turn
from chalicelib.config import Settings
from chalicelib.domain.state.case import Case
from chalicelib.slack.messages.names import MOST_APPROVERS, Names
from chalicelib.slack.messages.text import GROUP
from chalicelib.slack.people import addresses
from chalicelib.slack.replies import SlackError

REMEMBER_SECONDS = 3_600
MAIL = re.compile(r"[^@\s<>|]+@[^@\s<>|]+\.[^@\s<>|]+")
SLACK_ID = re.compile(r"[UW][A-Z0-9]{4,}")
OWNER_ID = re.compile(r"(?=.*[0-9])[UWS][A-Z0-9]{5,}")
"""Of a user or group; the name of a team, such as SRE or WEBTEAM, is none."""
HOME = re.compile(r"https://[A-Za-z0-9.-]+/")
MOST_OWNERS, MOST_WORDS = 5, 10


@dataclass
class Naming:
    """`call` makes a Web API request and raises SlackError; `domains` are other ones of the same people's e-mail."""

    call: Callable[..., Mapping[str, Any]]
    accounts: Mapping[str, str] = field(default_factory=dict)
    owner_tag: str = ""
    domains: Sequence[str] = ()
    clock: Callable[[], float] = time.time
    aside: Aside = in_turn
    _known: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, call: Callable[..., Mapping[str, Any]], settings: Settings, *, aside: Aside
    ) -> Naming:
        names = dict(settings.account_names)
        return cls(call, names, settings.owner_tag, settings.email_domains, aside=aside)

    def names(self, case: Case | None, approvers: Sequence[str]) -> Names:
        """All that a message about this case may need. Slack is asked for each side by side."""
        shown = approvers[:MOST_APPROVERS]
        home, users = self._home(), {one: self._user(one) for one in shown}
        groups = self._groups() if any(GROUP.fullmatch(one) for one in shown) else {}
        people = {one: groups.get(one) or user() for one, user in users.items()}
        return Names(
            accounts=self.accounts,
            people={one: name for one, name in people.items() if name},
            owners=self._owners(case) if case else (),
            owner_tag=self.owner_tag,
            home=home(),
        )

    def user_of(self, email: str) -> str:
        """The Slack user with this e-mail, here or in another of the domains; "" if there is none."""
        return next(filter(None, map(self._by_email, addresses(email, self.domains))), "")

    def _owners(self, case: Case) -> tuple[str, ...]:
        """By the tag of cluster and keys: an e-mail, a user or a group; several with commas or blanks."""
        tags = dict(case.snapshot.cluster.tags) if case.snapshot and case.snapshot.cluster else {}
        of_keys = case.key_owners.named if case.key_owners else ()
        told = ",".join((tags.get(self.owner_tag, ""), *of_keys))
        words = dict.fromkeys(told.replace(",", " ").split())
        found = filter(None, map(self._owner, list(words)[:MOST_WORDS]))
        return tuple(dict.fromkeys(found))[:MOST_OWNERS]

    def _owner(self, word: str) -> str:
        if OWNER_ID.fullmatch(word):
            return word
        return self.user_of(word) if MAIL.fullmatch(word) else ""

    def _by_email(self, email: str) -> str:
        def ask() -> str:
            return str(self.call("users.lookupByEmail", email=email)["user"]["id"])

        return self._remembered("email", email.lower(), ask)()

    def _user(self, user_id: str) -> Callable[[], str]:
        def ask() -> str:
            user = self.call("users.info", user=user_id)["user"]
            profile = user.get("profile") or {}
            return str(profile.get("display_name") or user.get("name") or "")

        if not SLACK_ID.fullmatch(user_id):  # a group; elsewhere than in Slack, a name
            return lambda: "" if GROUP.fullmatch(user_id) else user_id
        return self._remembered("user", user_id, ask)

    def _groups(self) -> dict[str, str]:
        def ask() -> str:
            groups = self.call("usergroups.list")["usergroups"]
            return " ".join(f"{g['id']}={g['handle']}" for g in groups)

        told = self._remembered("groups", "", ask)()
        return dict(pair.split("=", 1) for pair in told.split())

    def _home(self) -> Callable[[], str]:
        def ask() -> str:
            url = str(self.call("auth.test").get("url") or "")
            return url if HOME.fullmatch(url) else ""

        return self._remembered("home", "", ask)

    def _remembered(self, kind: str, what: str, ask: Callable[[], str]) -> Callable[[], str]:
        """What is known, or what Slack is being asked for.

        What Slack refuses or does not know is asked again after an hour only.
        """
        until, value = self._known.get((kind, what), (0.0, ""))
        if self.clock() < until:
            return lambda: value
        return self.aside(partial(self._asked, kind, what, ask))

    def _asked(self, kind: str, what: str, ask: Callable[[], str]) -> str:
        try:
            value = ask()
        except SlackError:
            value = ""
        self._known[kind, what] = (self.clock() + REMEMBER_SECONDS, value)
        return value

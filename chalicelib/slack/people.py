"""Who somebody is, asked of Slack each time; groups are remembered for a minute. Fails closed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.aside import Aside, in_turn
from chalicelib.domain.state.caller import SLACK_USER, Caller
from chalicelib.domain.state.person import Person
from chalicelib.slack.replies import SlackError

GROUP = re.compile(r"S[A-Z0-9]{2,}")
REMEMBER_SECONDS = 60
NO = frozenset(
    {
        "access_denied",
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
    }
)
"""Slack's definite answers that it will not tell us: waiting changes nothing."""
GROUP_GONE = frozenset({"no_such_subteam", "subteam_disabled"})
Found = frozenset[str] | SlackError | None
"""The members of a group; Slack's definite no as the error; None if it can't say now."""
Members = Mapping[str, Callable[[], Found]]


class SlackPeople:
    """`call(method, **arguments)` is one Web API request; it raises SlackError."""

    def __init__(
        self,
        call: Callable[..., Mapping[str, Any]],
        approvers: Sequence[str],
        *,
        principals: Mapping[str, str] | None = None,
        domains: Sequence[str] = (),
        members: dict[str, tuple[float, frozenset[str]]] | None = None,
        clock: Callable[[], float] = time.time,
        aside: Aside = in_turn,
    ) -> None:
        self._call, self._clock, self._aside = call, clock, aside
        self._principals, self._domains = dict(principals or {}), tuple(domains)
        self._users = {a for a in approvers if not GROUP.fullmatch(a)}
        self._groups = [a for a in approvers if GROUP.fullmatch(a)]
        self._members = {} if members is None else members

    def among(self, approvers: Sequence[str]) -> SlackPeople:
        """The same, judging by these; what is known of groups is shared."""
        return SlackPeople(
            self._call,
            approvers,
            principals=self._principals,
            domains=self._domains,
            clock=self._clock,
            members=self._members,
            aside=self._aside,
        )

    def fetch(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        """Those that Slack said something of, be it that it refuses; the others it can't tell now.

        They, and the groups that have to be read again, are asked for side by side.
        """
        wanted = list(dict.fromkeys(user_ids))
        groups = self._groups if set(wanted) - self._users else ()
        members = {group: self._reading(group) for group in groups}
        tell = {user_id: partial(self._told, user_id, members) for user_id in wanted}
        told = {user_id: self._aside(tell[user_id]) for user_id in wanted[1:]}
        people = {user_id: (told.get(user_id) or tell[user_id])() for user_id in wanted}
        return {user_id: person for user_id, person in people.items() if person}

    def _told(self, user_id: str, members: Members) -> Person | None:
        try:
            user = self._call("users.info", user=user_id)["user"]
        except SlackError as failed:
            if failed.code in ("user_not_found", "user_not_visible"):
                return Person(user_id, is_gone=True)
            return Person(user_id, is_refused=True) if failed.code in NO else None
        return self._person(user_id, user, members)

    def find(self, caller: Caller) -> str:
        """The Slack user id behind an AWS principal, if it is known for sure; else ""."""
        if caller.kind == SLACK_USER:
            return caller.session_name
        known = self._principals.get(caller.arn, "")
        if known or not caller.email:
            return known
        for address in addresses(caller.email, self._domains):
            try:
                return str(self._call("users.lookupByEmail", email=address)["user"]["id"])
            except SlackError:
                continue
        return ""

    def _person(self, user_id: str, user: Mapping[str, Any], members: Members) -> Person:
        is_approver, unread = self._is_approver(user_id, members)
        profile = user.get("profile") or {}
        enterprise = user.get("enterprise_user") or {}
        return Person(
            user_id=user_id,
            team_id=str(user.get("team_id") or ""),
            teams=_words(enterprise.get("teams")),
            org_id=str(enterprise.get("enterprise_id") or ""),
            name=str(user.get("name") or ""),
            email=str(profile.get("email") or ""),
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_bot=bool(user.get("is_bot") or user.get("is_workflow_bot")),
            is_gone=bool(user.get("deleted")),
            is_stranger=bool(user.get("is_stranger")),
            is_approver=is_approver,
            unread=unread,
        )

    def _is_approver(self, user_id: str, members: Members) -> tuple[bool | None, tuple[str, ...]]:
        """By name or group; None if only a group that Slack can't read now could tell. And the unread."""
        if user_id in self._users:
            return True, ()
        told = {group: read() for group, read in members.items()}
        if any(user_id in found for found in told.values() if isinstance(found, frozenset)):
            return True, ()
        unread = tuple(g for g, found in told.items() if not isinstance(found, frozenset))
        can_not_say_now = any(found is None for found in told.values())
        return None if can_not_say_now else False, unread

    def _reading(self, group: str) -> Callable[[], Found]:
        """Its members, as they are remembered, or as Slack is being asked for."""
        until, members = self._members.get(group, (0.0, frozenset()))
        if self._clock() < until:
            return lambda: members
        return self._aside(partial(self._members_of, group))

    def _members_of(self, group: str) -> Found:
        try:
            found = frozenset(self._call("usergroups.users.list", usergroup=group)["users"])
        except SlackError as failed:
            return failed if failed.code in NO | GROUP_GONE else None
        self._members[group] = (self._clock() + REMEMBER_SECONDS, found)
        return found


def _words(listed: Any) -> tuple[str, ...]:
    return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()


def addresses(email: str, domains: Iterable[str]) -> tuple[str, ...]:
    """The same mailbox under each domain, its own first."""
    mailbox, sign, domain = email.rpartition("@")
    if not sign or not mailbox:
        return ()
    return tuple(dict.fromkeys(f"{mailbox}@{one}" for one in (domain, *domains)))

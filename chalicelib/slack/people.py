"""Who somebody is, asked of Slack each time; groups are remembered for a minute. Fails closed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.domain.approval import SLACK_USER, Person
from chalicelib.domain.caller import Caller
from chalicelib.slack.replies import SlackFailed

GROUP = re.compile(r"S[A-Z0-9]{2,}")
REMEMBER_SECONDS = 60


class SlackPeople:
    """`call(method, **arguments)` is one Web API request; it raises SlackFailed."""

    def __init__(
        self,
        call: Callable[..., Mapping[str, Any]],
        approvers: Sequence[str],
        *,
        principals: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._call, self._clock = call, clock
        self._principals = dict(principals or {})
        self._users = {a for a in approvers if not GROUP.fullmatch(a)}
        self._groups = [a for a in approvers if GROUP.fullmatch(a)]
        self._members: tuple[float, frozenset[str] | None] = (0.0, None)

    def fetch(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        """Those that Slack could say something of; `is_approver` None where a group stayed unknown."""
        found = {}
        for user_id in dict.fromkeys(user_ids):
            try:
                user = self._call("users.info", user=user_id)["user"]
            except SlackFailed as failed:
                if failed.code in ("user_not_found", "user_not_visible"):
                    found[user_id] = Person(user_id, is_gone=True)
                continue
            found[user_id] = self._person(user_id, user)
        return found

    def find(self, caller: Caller) -> str:
        """The Slack user id behind an AWS principal, where it is known for sure; else ""."""
        if caller.kind == SLACK_USER:
            return caller.session_name
        known = self._principals.get(caller.arn, "")
        if known or not caller.email:
            return known
        try:
            return str(self._call("users.lookupByEmail", email=caller.email)["user"]["id"])
        except SlackFailed:
            return ""

    def _person(self, user_id: str, user: Mapping[str, Any]) -> Person:
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
            is_approver=self._is_approver(user_id),
        )

    def _is_approver(self, user_id: str) -> bool | None:
        if user_id in self._users:
            return True
        members = self._group_members()
        return None if members is None else user_id in members

    def _group_members(self) -> frozenset[str] | None:
        """Members of all approver groups; None where Slack could not say."""
        until, members = self._members
        if members is not None and self._clock() < until:
            return members
        found: set[str] = set()
        for group in self._groups:
            try:
                found.update(self._call("usergroups.users.list", usergroup=group)["users"])
            except SlackFailed:
                return None
        self._members = (self._clock() + REMEMBER_SECONDS, frozenset(found))
        return frozenset(found)


def _words(listed: Any) -> tuple[str, ...]:
    return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()

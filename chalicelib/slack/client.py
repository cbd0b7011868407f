"""Slack's Web API through slack_sdk: one request at a time, and whatever goes wrong is SlackError."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.slack.replies import SlackError

if TYPE_CHECKING:
    from chalicelib.slack.whole import WebApi

READS = frozenset(
    {
        "conversations.history",
        "conversations.info",
        "usergroups.list",
        "usergroups.users.list",
        "users.info",
        "users.lookupByEmail",
    }
)
"""Slack takes the arguments of these as a form only; JSON is for methods that write."""
TOKEN_GONE = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
    }
)
"""Somebody may have put a new token in the secret's place since."""
ANSWERS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where Slack lets apps answer a click; a payload must not send us anywhere else."""


class SlackClient:
    """`token` is asked for on first use, and again after Slack refused it (rotation).

    `team_id`: org-wide tokens are good for many workspaces; user groups are looked for in this one.
    """

    def __init__(self, token: Callable[[bool], str], base_url: str, *, team_id: str = "") -> None:
        self._read_token, self._base_url, self._team_id = token, base_url, team_id
        self._token: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """Those of the token, as the last reply named them."""
        return self._web.scopes

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One request, tried again once if the secret holds another token than Slack refused."""
        used = self._token = self._token or self._read(fresh=False)
        try:
            return self._call(method, arguments)
        except SlackError as failed:
            if failed.code not in TOKEN_GONE:
                raise
            self._token = self._read(fresh=True)
            if self._token == used:
                raise
        return self._call(method, arguments)

    def respond(self, response_url: str, **message: Any) -> None:
        """Answers a click by the address that came with it."""
        if not self._is_slacks(response_url):
            raise SlackError("response_url_refused")
        from chalicelib.slack.whole import ResponseUrl

        ResponseUrl(response_url).post(message)

    def _is_slacks(self, url: str) -> bool:
        try:
            place = urlsplit(url)
        except ValueError:
            return False
        own = urlsplit(self._base_url)
        is_own = (place.scheme, place.netloc) == (own.scheme, own.netloc)
        return is_own or (place.scheme == "https" and place.netloc in ANSWERS)

    def _read(self, *, fresh: bool) -> str:
        try:
            return self._read_token(fresh)
        except (TemporaryError, PermanentError) as trouble:
            raise SlackError("token_not_read") from trouble

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        token = self._token or ""
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise SlackError("invalid_auth")
        self._web.token = token
        form = "params" if method in READS else "json"
        return self._web.ask(method, **{form: self._given(method, arguments)})

    def _given(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        if method.startswith("usergroups.") and self._team_id:
            given["team_id"] = self._team_id
        return given

    @functools.cached_property
    def _web(self) -> WebApi:
        from chalicelib.slack.whole import WebApi  # 30 ms that others don't pay

        return WebApi(self._base_url)

"""Slack's Web API over HTTP: one request at a time, no redirects, and whatever goes wrong is SlackFailed."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib.failures import GiveUp, TryLater
from chalicelib.slack.replies import NO_ANSWER, SlackFailed, believed

TIMEOUT_SECONDS = 3
LONGEST_REPLY = 20_000_000
READS = frozenset(
    {
        "conversations.history",
        "conversations.info",
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

    `scopes` are those of the token, as the last reply named them. `team_id`: see `_arguments`.
    """

    def __init__(self, token: Callable[[bool], str], base_url: str, *, team_id: str = "") -> None:
        self._read_token, self._base_url = token, base_url.rstrip("/")
        self._team_id = team_id
        self._token: str | None = None
        self.scopes: frozenset[str] = frozenset()

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One request, tried again once where the secret holds another token than Slack refused."""
        used = self._token = self._token or self._read(fresh=False)
        try:
            return self._call(method, arguments)
        except SlackFailed as failed:
            if failed.code not in TOKEN_GONE:
                raise
            self._token = self._read(fresh=True)
            if self._token == used:
                raise
        return self._call(method, arguments)

    def respond(self, response_url: str, **message: Any) -> None:
        """Answers a click by the address that came with it."""
        if not self._is_slacks(response_url):
            raise SlackFailed("response_url_refused")
        status, _, _ = _post(response_url, json.dumps(message).encode(), {"Content-Type": JSON})
        if status != 200:  # HTTP's own
            raise SlackFailed(f"response_url_{status}")

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
        except (TryLater, GiveUp) as trouble:
            raise SlackFailed("token_not_read") from trouble

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        token = self._token or ""
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise SlackFailed("invalid_auth")
        body, kind = self._body(method, arguments)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        status, told, reply = _post(f"{self._base_url}/{method}", body, headers)
        self.scopes = frozenset(s.strip() for s in told.get("X-OAuth-Scopes", "").split(",")) - {""}
        return believed(method, status, told, reply, now=datetime.now(UTC))

    def _body(self, method: str, arguments: Mapping[str, Any]) -> tuple[bytes, str]:
        """Org-wide tokens are good for many workspaces: a user group is looked for in `team_id`."""
        given = {name: value for name, value in arguments.items() if value is not None}
        if method == "usergroups.users.list" and self._team_id:
            given["team_id"] = self._team_id
        if method in READS:
            plain = {n: int(v) if isinstance(v, bool) else v for n, v in given.items()}
            return urlencode(plain, errors="replace").encode(), FORM
        return json.dumps(given).encode(), JSON


FORM, JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"


def _post(
    url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body, whatever the status."""
    from http.client import HTTPException  # noqa: PLC0415  # 20 ms that other functions don't pay
    from urllib.error import HTTPError  # noqa: PLC0415  # same
    from urllib.request import Request  # noqa: PLC0415  # same

    try:
        request = Request(url, body, dict(headers), method="POST")  # noqa: S310  # Slack's own or checked
        try:
            reply = _opener().open(request, timeout=TIMEOUT_SECONDS)
        except HTTPError as refused:
            reply = refused
        with reply:
            return reply.status, reply.headers, _read(reply)
    except (OSError, HTTPException, ValueError) as error:
        raise SlackFailed(NO_ANSWER) from error


@functools.cache
def _opener() -> Any:
    """Follows no redirect, which would take the token along; minds HTTPS_PROXY and NO_PROXY."""
    from urllib.request import HTTPRedirectHandler, build_opener  # noqa: PLC0415  # on first use

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """None: the redirect itself is the answer."""

    return build_opener(Stay)


def _read(reply: Any) -> bytes:
    """The whole body; TimeoutError for one that drips in slower than anybody waits."""
    until, found = time.monotonic() + TIMEOUT_SECONDS, b""
    while piece := reply.read1(65_536):
        found += piece
        if time.monotonic() > until or len(found) > LONGEST_REPLY:
            raise TimeoutError
    return found

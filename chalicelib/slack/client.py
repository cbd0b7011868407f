"""Slack's Web API through slack_sdk: one request at a time, failures as one exception."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

TIMEOUT_SECONDS = 3
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


class SlackFailed(Exception):  # noqa: N818  # a word of the house, not a kind of error
    """Slack said no, or nothing. `code` is Slack's error word, or `no_answer`."""

    def __init__(self, code: str, *, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class SlackClient:
    """`token` is asked for on first use, and again after Slack refused it (rotation)."""

    def __init__(self, token: Callable[[bool], str], base_url: str) -> None:
        self._token, self._base_url = token, base_url
        self._client: Any = None

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One request, tried again once with a fresh token where Slack refuses the old one."""
        try:
            return self._call(method, arguments, fresh=False)
        except SlackFailed as failed:
            if failed.code not in ("invalid_auth", "token_revoked", "token_expired"):
                raise
            return self._call(method, arguments, fresh=True)

    def _call(self, method: str, arguments: dict[str, Any], *, fresh: bool) -> Mapping[str, Any]:
        from slack_sdk import WebClient  # noqa: PLC0415  # 60 ms that other functions don't pay
        from slack_sdk.errors import SlackApiError  # noqa: PLC0415  # same

        if self._client is None or fresh:
            # No retries here: a post that is tried again can appear twice.
            self._client = WebClient(
                token=self._token(fresh),
                base_url=self._base_url,
                timeout=TIMEOUT_SECONDS,
                retry_handlers=[],
            )
        try:
            form = "params" if method in READS else "json"
            reply = self._client.api_call(method, **{form: _worded(arguments)})
        except SlackApiError as error:
            headers = error.response.headers or {}
            after = headers.get("Retry-After") or headers.get("retry-after") or 0
            raise SlackFailed(
                str(error.response.get("error", "unknown")), retry_after=int(after)
            ) from error
        except (OSError, ValueError, json.JSONDecodeError) as error:
            raise SlackFailed("no_answer") from error
        data = reply.data
        return data if isinstance(data, Mapping) else {}


def _worded(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}

"""slack_sdk's two clients, whose replies are judged before the SDK reads them. No redirects, no second try.

The SDK hides the bytes of a reply, and urllib would follow a redirect with the token. So the one
method of each client that opens a connection is ours; requests and answers stay the SDK's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient, WebhookResponse

from chalicelib.slack.replies import NO_ANSWER, SlackError, believed, demand_taken

TIMEOUT_SECONDS = 3
LONGEST_REPLY = 20_000_000
QUIET = logging.getLogger("unlatch.slack_sdk")
QUIET.setLevel(logging.CRITICAL)  # whoever calls logs what failed; the SDK would quote replies


class WebApi(WebClient):
    """`scopes` are those of the token, as the last reply named them."""

    def __init__(self, base_url: str) -> None:
        # A post that is tried again can appear twice.
        super().__init__(
            base_url=base_url, timeout=TIMEOUT_SECONDS, logger=QUIET, retry_handlers=[]
        )
        self.scopes: frozenset[str] = frozenset()

    def ask(self, method: str, **form: Any) -> Mapping[str, Any]:
        """`form`: the arguments as `params` or as `json`. Raises SlackError."""
        with _one_failure():
            reply: Any = self.api_call(method, **form).data
        return dict(reply)

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        status, headers, body = _exchanged(req)
        named = headers.get("X-OAuth-Scopes", "").split(",")
        self.scopes = frozenset(scope.strip() for scope in named) - {""}
        method = url.removeprefix(self.base_url)
        believed(method, status, headers, body, now=datetime.now(UTC))
        return {"status": status, "headers": headers, "body": body.decode()}


class ResponseUrl(WebhookClient):
    """The address that came with one click."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout=TIMEOUT_SECONDS, logger=QUIET, retry_handlers=[])

    def post(self, message: Mapping[str, Any]) -> None:
        """Raises SlackError unless Slack took it."""
        with _one_failure():
            self.send_dict(dict(message))

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        status, headers, body = _exchanged(req)
        demand_taken(status, headers, body)
        return WebhookResponse(
            url=url, status_code=status, headers=dict(headers), body=body.decode(errors="replace")
        )


@contextmanager
def _one_failure() -> Iterator[None]:
    """What the SDK, urllib and the network raise, as SlackError."""
    try:
        yield
    except (SlackClientError, HTTPException, OSError, ValueError) as error:
        raise SlackError(NO_ANSWER) from error


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the redirect itself is the reply."""


_opener = build_opener(_Stay)  # minds HTTPS_PROXY and NO_PROXY


def _exchanged(request: Request) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body, whatever the status."""
    try:
        reply = _opener.open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as refused:
        reply = refused
    with reply:
        return reply.status, reply.headers, _read(reply)


def _read(reply: Any) -> bytes:
    """The whole body; TimeoutError for one that drips in slower than anybody waits."""
    until, found = time.monotonic() + TIMEOUT_SECONDS, b""
    while piece := reply.read1(65_536):
        found += piece
        if time.monotonic() > until or len(found) > LONGEST_REPLY:
            raise TimeoutError
    return found

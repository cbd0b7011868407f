"""Sends what people do to the bot, signed as Slack signs it, and never off this machine."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from slack_sdk.signature import SignatureVerifier

from sandbox.loopback import require_loopback
from sandbox.slack.records import SIGNING_SECRET, Now, Response

STALE_SECONDS = 6 * 60
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Envelope:
    """A request as it went out, so that it can go out again."""

    body: str
    headers: dict[str, str]


def sealed(body: str, clock: Now, *, signature: str = "good", content_type: str = FORM) -> Envelope:
    """The body with Slack's headers; `signature` is good, bad, missing or stale."""
    headers = {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    }
    if signature == "missing":
        return Envelope(body, headers)
    sent_at = int(clock.now().timestamp()) - (STALE_SECONDS if signature == "stale" else 0)
    secret = "not-the-secret" if signature == "bad" else SIGNING_SECRET
    made = SignatureVerifier(secret).generate_signature(timestamp=str(sent_at), body=body)
    headers |= {"X-Slack-Request-Timestamp": str(sent_at), "X-Slack-Signature": str(made)}
    return Envelope(body, headers)


def deliver(envelope: Envelope, url: str, *, limit_seconds: float) -> Response:
    """Posts it and waits no longer than Slack would. Uses no proxy, follows no redirect."""
    started = time.monotonic()
    status, body, error = 0, "", None
    try:
        status, body = _post(envelope, url, limit_seconds)
        if status != http.client.OK:
            error = f"the app answered with HTTP {status}"
    except TimeoutError:
        error = f"no answer within {limit_seconds:g} seconds"
    except (OSError, http.client.HTTPException) as broken:
        error = f"the app could not be reached: {broken}"
    seconds = time.monotonic() - started
    return Response(status, body, round(seconds * 1000, 1), error=error)


def _post(envelope: Envelope, url: str, limit_seconds: float) -> tuple[int, str]:
    target = urlsplit(url)
    require_loopback(target.hostname or "")
    connection = http.client.HTTPConnection(
        target.hostname or "", target.port, timeout=limit_seconds
    )
    try:
        path = target.path + (f"?{target.query}" if target.query else "")
        connection.request("POST", path, envelope.body.encode(), envelope.headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()

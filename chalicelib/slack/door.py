"""Who is at the door: Slack with its own checks, Slack with a click, or nobody that Slack vouches for. Reads no click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.slack.requests import UnsignedError, challenge, is_ssl_check, verify


class Secret(Protocol):
    """The signing secret; `fresh`: read again, as it may have been rotated."""

    def __call__(self, *, fresh: bool) -> str: ...


@dataclass(frozen=True)
class Said:
    """An answer as plain text, with HTTP's status."""

    text: str = ""
    status: int = 200


def met(
    body: bytes,
    headers: Mapping[str, str],
    secret: Secret,
    *,
    now: datetime,
    warn: Callable[..., None],
) -> Said | None:
    """The answer to what is not a click: Slack's own checks, and what Slack did not sign. None: go on."""
    if is_ssl_check(body):
        return Said()
    try:
        if not _is_signed(body, headers, secret, now=now, warn=warn):
            return Said("The signature is missing or wrong.", 401)
    except (TemporaryError, PermanentError) as trouble:
        warn("signing secret not read", reason=trouble.reason)
        return Said("The signature can’t be checked now. Please try again.", 503)
    word = challenge(body)
    return Said(word) if word else None


def _is_signed(
    body: bytes,
    headers: Mapping[str, str],
    secret: Secret,
    *,
    now: datetime,
    warn: Callable[..., None],
) -> bool:
    """Checked over the raw body. A signature that does not fit is tried against a rotated secret."""
    for fresh in (False, True):
        try:
            verify(body, headers, secret=secret(fresh=fresh), now=now)
        except UnsignedError as reason:
            warn("request refused", reason=str(reason))
            if not reason.may_be_rotation:
                return False
        else:
            return True
    return False

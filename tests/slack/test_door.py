"""At the door: Slack’s own checks are met, what Slack did not sign is refused, and each refusal is logged with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.slack.door import Said, met
from chalicelib.slack.requests import signature
from tests.slack.test_requests import BODY, NOW, SECRET, STAMP

FITS_NOT = ("request refused", {"reason": "the signature does not fit the body"})


class Safe:
    """Where the signing secret is kept: the one that is remembered, and the newest."""

    def __init__(self, known: str = SECRET, newest: str | Exception = SECRET) -> None:
        self.known, self.newest = known, newest
        self.read: list[bool] = []

    def __call__(self, *, fresh: bool) -> str:
        self.read.append(fresh)
        found = self.newest if fresh else self.known
        if isinstance(found, Exception):
            raise found
        return found


def knock(safe: Safe, body: bytes = BODY, *, stamp: str = STAMP, **headers: Any) -> Any:
    """What is answered, and what was logged."""
    logged: list[tuple[str, dict[str, object]]] = []
    signed = {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature(SECRET, stamp, body),
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    def warn(message: str, **fields: object) -> None:
        logged.append((message, fields))

    return met(body, {**signed, **given}, safe, now=NOW, warn=warn), logged


def test_a_click_goes_on() -> None:
    safe = Safe()
    assert knock(safe) == (None, [])
    assert safe.read == [False], "the secret is remembered"


def test_a_rotated_secret_is_read_anew() -> None:
    safe = Safe(known="the one before")
    assert knock(safe) == (None, [FITS_NOT])
    assert safe.read == [False, True]


def test_what_slack_did_not_sign_is_refused_after_one_look_at_the_newest_secret() -> None:
    safe = Safe(known="another", newest="yet another")
    assert knock(safe) == (Said("The signature is missing or wrong.", 401), [FITS_NOT] * 2)
    assert safe.read == [False, True]


@pytest.mark.parametrize(
    ("stamp", "headers", "reason"),
    [
        ("0", {}, "the timestamp is more than five minutes off"),
        ("x", {}, "the timestamp is missing or not a number"),
        (STAMP, {"x_slack_signature": ""}, "the signature does not fit the body"),
    ],
)
def test_what_no_secret_would_make_right_reads_none(
    stamp: str, headers: dict[str, Any], reason: str
) -> None:
    safe = Safe()
    refused = Said("The signature is missing or wrong.", 401)
    assert knock(safe, stamp=stamp, **headers) == (
        refused,
        [("request refused", {"reason": reason})],
    )
    assert safe.read == [False]


@pytest.mark.parametrize("trouble", [TemporaryError("it is busy"), PermanentError("it is denied")])
def test_a_secret_that_cant_be_read_asks_to_try_again(trouble: Any) -> None:
    safe = Safe(known="another", newest=trouble)
    answer, logged = knock(safe)
    assert answer == Said("The signature can’t be checked now. Please try again.", 503)
    assert logged == [FITS_NOT, ("signing secret not read", {"reason": trouble.reason})]


def test_slacks_own_checks_are_met() -> None:
    assert knock(Safe("", ""), b"ssl_check=1&token=x") == (Said("", 200), [])
    asked = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    assert knock(Safe(), asked) == (Said("3eZbrw1a", 200), [])
    answer, _ = knock(Safe(), asked, x_slack_signature="v0=00")
    assert answer == Said("The signature is missing or wrong.", 401), "only Slack hears it"

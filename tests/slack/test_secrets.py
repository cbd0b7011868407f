"""Secrets as people store them: with a newline, as JSON, or wrong in a way that can be said."""

from __future__ import annotations

import json

import pytest

from chalicelib.slack.secrets import Secret, value_of, what_is_wrong

TOKEN, SIGNING = "xoxb-1-2-abc", "0123456789abcdef0123456789abcdef"  # nobody's


@pytest.mark.parametrize(
    "stored",
    [
        TOKEN,
        f"{TOKEN}\n",
        f"  {TOKEN}\r\n",
        f"\ufeff{TOKEN}",
        json.dumps(TOKEN),
        json.dumps({"SLACK_BOT_TOKEN": TOKEN}),
        json.dumps({"token": f"{TOKEN}\n", "signing_secret": SIGNING, "number": 1}),
        json.dumps({"user": "xoxp-1", "app": "xapp-1", "bot": TOKEN}),
    ],
)
def test_a_token_is_taken_as_it_was_meant(stored: str) -> None:
    assert value_of(stored, Secret.TOKEN) == TOKEN
    assert what_is_wrong(stored, Secret.TOKEN) == ""


@pytest.mark.parametrize(
    "stored",
    [f"{SIGNING}\n", json.dumps({"s": SIGNING}), json.dumps({"s": SIGNING, "token": TOKEN})],
)
def test_so_is_a_signing_secret(stored: str) -> None:
    assert value_of(stored, Secret.SIGNING) == SIGNING


@pytest.mark.parametrize(
    ("stored", "kind", "says"),
    [
        (" \n", Secret.TOKEN, "is empty"),
        ("{}", Secret.TOKEN, "which value is the bot token"),
        ('{"a": ', Secret.TOKEN, "which value is the bot token"),
        (json.dumps({"a": "x", "b": "y"}), Secret.SIGNING, "which value is the signing secret"),
        (json.dumps({"a": [TOKEN]}), Secret.TOKEN, "which value"),
        ("xoxb-1 2", Secret.TOKEN, "blanks or odd characters"),
        ("xoxb-1\nxoxb-2", Secret.TOKEN, "blanks or odd characters"),
        ("xoxb-é", Secret.TOKEN, "blanks or odd characters"),
        ("xoxp-1-2", Secret.TOKEN, "does not look like a bot token"),
        (SIGNING, Secret.TOKEN, "does not look like a bot token"),
        (TOKEN, Secret.SIGNING, "does not look like a signing secret"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(stored: str, kind: Secret, says: str) -> None:
    said = what_is_wrong(stored, kind)
    assert says in said
    assert TOKEN not in said
    assert SIGNING not in said

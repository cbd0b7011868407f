"""A record that can't be trusted: what is said of it comes from AWS alone, and nothing can be pressed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.state.snapshot import KeyState
from chalicelib.slack.messages.on_hold import message
from tests.domain.worlds import CLUSTER, NOW, case, key, world
from tests.slack.reading import buttons, header, problems, words

GOING = replace(
    key(2, KeyState.PENDING_DELETION),
    deletion_date=NOW + timedelta(days=5),
    aliases=("<!channel>",),
)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (world(key(1)), "No key is waiting for deletion. 1 enabled"),
        (world(key(1), GOING), "1 key will be deleted , the first on"),
        (replace(world(key(1)), cluster=None), "The cluster is not there."),
        (replace(world(), unread=("kms:ListKeys was refused",)), "Not all could be read"),
        (None, "What AWS shows now could not be read."),
    ],
)
def test_it_says_what_aws_shows(shown: object, said: str) -> None:
    told = message(case(), shown, stage="prod")  # type: ignore[arg-type]  # a parameter of the table
    assert header(told) == f":warning: On hold: the record of {CLUSTER} can’t be trusted"
    assert said in words(told.blocks)
    assert "unlatch trust case-1 --stage prod" in words(told.blocks)
    assert buttons(told) == {}
    assert list(problems(told)) == []


def test_keys_that_wait_come_with_the_commands_that_keep_them() -> None:
    keys = [replace(GOING, key_id=f"key-{number}") for number in range(40)]
    told = words(message(case(), world(*keys), stage="prod").blocks)
    assert told.count("aws kms cancel-key-deletion --region us-east-1 --key-id key-") == 20
    assert "cancel-key-deletion" not in words(message(case(), world(key(1)), stage="prod").blocks)

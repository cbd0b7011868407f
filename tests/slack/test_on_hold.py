"""A record that can't be trusted: what is said of it comes from AWS alone, and nothing can be pressed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.state.hsm_states import HsmState
from chalicelib.domain.state.snapshot import KeyState
from chalicelib.slack.messages.names import Names
from chalicelib.slack.messages.on_hold import Refused, message
from tests.domain.worlds import CLUSTER, NOW, POLICY, case, cluster, key, world
from tests.slack.reading import buttons, header, problems, words

NOTED = Refused(NOW, "b81f6e03c0ffee77")

GOING = replace(
    key(2, KeyState.PENDING_DELETION),
    deletion_date=NOW + timedelta(days=5),
    aliases=("<!channel>",),
)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (world(key(1)), "No key is waiting for deletion. 1 key: 1 enabled"),
        (world(), "No key is waiting for deletion. Key store payments , connected; 2 HSMs, active"),
        (world(key(1), GOING), "1 key will be deleted on 7 Mar, 09:00 UTC . 2 keys: 1"),
        (world(zones=()), "Key store payments , connected; no HSM"),
        (replace(world(key(1)), cluster=None), "The cluster is not there."),
        (replace(world(), unread=("kms:ListKeys was refused",)), "Not all could be read"),
        (None, "What AWS shows now could not be read."),
    ],
)
def test_it_says_what_aws_shows(shown: object, said: str) -> None:
    told = message(case(), shown, NOTED, policy=POLICY, stage="prod")  # type: ignore[arg-type]  # a parameter of the table
    assert header(told) == f":warning: On hold: the record of {CLUSTER} can’t be trusted"
    assert said in words(told.blocks)
    assert 'unlatch trust case-1 --stage prod --reason "WHY"' in words(told.blocks)
    assert "before 2 Mar, 09:00 UTC, when Unlatch noticed" in words(told.blocks)
    assert "`case-1` · Last record that fits: digest `b81f6e03c0ff`" in words(told.blocks)
    assert buttons(told) == {}
    assert list(problems(told)) == []


def test_keys_that_wait_come_with_the_commands_that_keep_them() -> None:
    keys = [replace(GOING, key_id=f"key-{number}") for number in range(40)]
    told = words(message(case(), world(*keys), NOTED, policy=POLICY, stage="prod").blocks)
    assert told.count("aws kms cancel-key-deletion --region us-east-1 --key-id key-") == 20
    assert "cancel-key-deletion" not in words(
        message(case(), world(key(1)), NOTED, policy=POLICY, stage="prod").blocks
    )


def test_it_calls_whom_a_stop_would_call() -> None:
    """And says no more than is known: neither a digest nor since when."""
    policy = replace(POLICY, mention=("S0KEYS",))
    names = Names(accounts={"111122223333": "payments-prod"}, owners=("U0PRIYA",))
    told = message(case(), world(), Refused(), policy=policy, stage="", names=names)
    assert told.text.startswith("<!subteam^S0KEYS> <@U0PRIYA> On hold: the record of")
    said = words(told.blocks)
    assert "payments-prod (111122223333) · us-east-1" in said
    assert "<!subteam^S0KEYS> <@U0PRIYA>: please tell whoever runs Unlatch" in said
    assert "Last record" not in said
    assert "Unlatch noticed" not in said
    assert "--stage" not in said
    nobody = message(case(), None, Refused(), policy=replace(policy, mention=("nobody",)), stage="")
    assert "Please tell whoever runs Unlatch and whoever looks after security." in words(
        nobody.blocks
    )


def test_hsms_that_are_not_all_active_are_told_apart() -> None:
    half = cluster("1a", "1b")
    half = replace(half, hsms=(half.hsms[0], replace(half.hsms[1], state=HsmState.DEGRADED)))
    told = message(case(), world(cluster=half), NOTED, policy=POLICY, stage="prod")
    assert "connected; 2 HSMs, 1 active" in words(told.blocks)

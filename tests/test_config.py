"""Settings: all that is wrong is said at once, and none is read for something that it does not say."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from botocore.session import Session

from chalicelib import config
from chalicelib.aws.partition import partition_of
from chalicelib.aws.room import ZONE
from chalicelib.config import BadSettingsError, Settings, read
from chalicelib.ids import REGION

NEEDED = {
    "TABLE_NAME": "unlatch-dev",
    "STATE_MACHINE_NAME": "unlatch-dev-case",
    "INBOX_KEY_ID": "alias/unlatch-dev-inbox",
    "BODY_KEY_ID": "alias/unlatch-dev-body",
    "BRAKE_PARAMETER": "/unlatch/dev/brake",
    "SIGNING_SECRET_ID": "unlatch/dev/slack-signing-secret",
    "BOT_TOKEN_SECRET_ID": "unlatch/dev/slack-bot-token",
}


def test_what_is_not_set_has_its_default() -> None:
    found = read(NEEDED)
    given: dict[str, Any] = {name.lower(): value for name, value in NEEDED.items()}
    assert found == Settings(**given)
    assert (found.quorum_irreversible, found.pending_window_days, found.dry_run) == (2, 30, False)
    assert found.approvers == (), "nobody, until somebody is named"


READ = [
    ("APPROVERS", " U1 , S0TEAM,,", ("U1", "S0TEAM")),
    (
        "PEOPLE",
        "arn:aws:iam::1:user/a=b=U1, x=U2",
        (("arn:aws:iam::1:user/a=b", "U1"), ("x", "U2")),
    ),
    ("QUORUM_BY_TAG", "env=prod:3,team=a:b:2", (("env=prod", 3), ("team=a:b", 2))),
    ("DRY_RUN", "Yes", True),
    ("DRY_RUN", "0", False),
    ("QUOTA_SHARE", "0.5", 0.5),
    ("EXPIRY_HOURS", " 48 ", 48),
    ("KEEP_CLOSED_DAYS", "0", 0),
    ("KEEP_CLOSED_DAYS", "90", 90),
]


@pytest.mark.parametrize(("name", "text", "value"), READ)
def test_each_is_read_as_what_it_is(name: str, text: str, value: object) -> None:
    assert vars(read({**NEEDED, name: text}))[name.lower()] == value


WRONG = [
    ("DRY_RUN", "maybe", "DRY_RUN must be true or false, not 'maybe'"),
    ("PENDING_WINDOW_DAYS", "6", "PENDING_WINDOW_DAYS must be a number from 7 to 30, not '6'"),
    ("QUORUM_REVERSIBLE", "0", "QUORUM_REVERSIBLE must be a number from 1 to 20, not '0'"),
    ("QUOTA_SHARE", "all", "QUOTA_SHARE must be a number from 0.01 to 1, not 'all'"),
    ("KEEP_CLOSED_DAYS", "30", "KEEP_CLOSED_DAYS must be 0, or 90 and more, not '30'"),
    ("KEEP_CLOSED_DAYS", "-1", "KEEP_CLOSED_DAYS must be a number from 0 to 36500, not '-1'"),
    ("PEOPLE", "U1", "PEOPLE must be pairs like"),
    ("PEOPLE", "=U1", "PEOPLE must be pairs like"),
    ("QUORUM_BY_TAG", "prod:3", "QUORUM_BY_TAG must be tags with a number of people"),
    ("QUORUM_BY_TAG", "env=prod:many", "QUORUM_BY_TAG must be tags with a number of people"),
]


@pytest.mark.parametrize(("name", "text", "words"), WRONG)
def test_a_wrong_one_is_named_with_what_it_should_be(name: str, text: str, words: str) -> None:
    with pytest.raises(BadSettingsError) as wrong:
        read({**NEEDED, name: text})
    assert words in str(wrong.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadSettingsError) as wrong:
        read({"DRY_RUN": "maybe"})
    said = str(wrong.value)
    assert said.startswith("Unlatch can’t start. ")
    assert all(name in said for name in (*NEEDED, "DRY_RUN"))


def test_the_policy_is_what_decisions_depend_on() -> None:
    policy = read({**NEEDED, "SLACK_TEAM_IDS": "T1", "QUORUM_BY_TAG": "env=prod:3"}).policy()
    assert policy.team_ids == ("T1",)
    assert policy.quorum_by_tag == (("env=prod", 3),)


def test_every_setting_says_what_it_is() -> None:
    assert all(
        item.metadata["about"] and callable(item.metadata["read"]) for item in fields(Settings)
    )


def test_the_region_is_where_lambda_says_it_runs() -> None:
    assert config.region({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}) == "eu-west-1"
    assert config.region({"AWS_DEFAULT_REGION": "eu-west-3"}) == "eu-west-3"
    assert config.region({}) == "us-east-1"


def test_each_region_has_its_partition_and_counts_as_one() -> None:
    known = Session()
    for partition in known.get_available_partitions():
        for region in known.get_available_regions("kms", partition):
            assert partition_of(region) == partition
            assert REGION.fullmatch(region), "events of it are heard"
            assert ZONE.fullmatch(f"{region}a")

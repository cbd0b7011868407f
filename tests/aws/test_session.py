"""How the SDK is set: what may be asked again, and how long it waits."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.session import make_client

KEYS = {"aws_access_key_id": "A", "aws_secret_access_key": "S", "aws_session_token": "T"}


def config_of(*, acts: bool) -> Any:
    made = make_client("kms", "eu-central-1", KEYS, acts=acts)
    assert made.meta.region_name == "eu-central-1"
    return made.meta.config  # botocore gives its options as attributes


def test_reads_are_asked_again_within_the_time_of_a_turn() -> None:
    config = config_of(acts=False)
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.max_pool_connections == 64, "no thread of a look waits for a connection"
    assert config.user_agent == "unlatch"


def test_what_changes_aws_is_never_repeated_by_the_sdk() -> None:
    config = config_of(acts=True)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert (config.connect_timeout, config.read_timeout) == (3, 30)
    assert config.user_agent_extra == "unlatch"

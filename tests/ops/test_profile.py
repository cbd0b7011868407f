"""An operator's AWS profile counts for every client, also for those that the wiring makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.aws.session import own_session
from chalicelib.domain.state.caller import caller_of
from ops.hub import Hub


@pytest.fixture(autouse=True)
def fresh_session() -> Iterator[None]:
    """A process has one session, and so has pytest: it would remember what other tests gave it."""
    own_session.cache_clear()
    yield
    own_session.cache_clear()


CREDENTIALS = """[operators]
aws_access_key_id = AKIAOPERATORS
aws_secret_access_key = x
"""


@pytest.mark.parametrize(("profile", "key"), [("operators", "AKIAOPERATORS"), (None, "AKIAOTHER")])
def test_cases_are_read_as_the_profile_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None, key: str
) -> None:
    (tmp_path / "credentials").write_text(CREDENTIALS)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    session = boto3.Session(profile_name=profile, region_name="us-east-1")
    who = caller_of(arn="arn:aws:iam::111122223333:user/ann", kind="IAMUser")
    place = ("dev", "111122223333", "us-east-1")
    hub = Hub(session, *place, who, lambda: datetime.now(UTC), profile)
    hub.__dict__["variables"] = {}
    table: Any = hub.by_name.client("dynamodb")
    assert table._request_signer._credentials.access_key == key

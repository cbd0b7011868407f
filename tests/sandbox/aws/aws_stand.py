"""The sandbox's AWS on a stand: a small world, and clients that act as anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.seed import seed
from sandbox.aws.server import AwsServer
from sandbox.clock import Clock

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HUB, SPOKE = "111122223333", "222233334444"
CI = "arn:aws:sts::{account}:assumed-role/deploy-ci/ci"
BOT = "arn:aws:sts::{account}:assumed-role/unlatch-executor/case-1"
CLUSTER, SIBLING, STRANGER = "cluster-2a3b4c5d6e7", "cluster-3b4c5d6e7f2", "cluster-4c5d6e7f2a3"
STORE = "cks-1234567890abcdef0"
WORLD: dict[str, Any] = {
    "clusters": [
        {
            "id": CLUSTER, "account": HUB, "region": "us-east-1", "state": "ACTIVE", "hsms": 2,
            "certificate": "lineage-a", "backups": [{"age": "2h"}], "tags": {"env": "staging"},
        },
        {"id": SIBLING, "hsms": 2, "certificate": "lineage-a"},
        {"id": STRANGER, "hsms": 2, "certificate": "lineage-b"},
    ],
    "key_stores": [{"id": STORE, "name": "payments", "cluster": CLUSTER, "state": "CONNECTED"}],
    "keys": [
        {"store": STORE, "aliases": ["alias/payments"], "last_used": "3h", "grants": 1},
        {"store": STORE, "last_used": "never"},
        {"store": STORE, "last_used": "unknown", "state": "Disabled"},
    ],
    "other_keys": 120,
}  # fmt: skip


class Stand:
    """The sandbox AWS and whoever calls it."""

    def __init__(self, server: AwsServer, clock: Clock) -> None:
        self.server = server
        self.clock = clock
        self.events: list[dict[str, Any]] = []
        server.on_record.append(self.events.append)

    def client(
        self, service: Any, who: str = CI, *, account: str = HUB, region: str = "us-east-1"
    ) -> Any:
        issued = self.server.identity.register(account, who.format(account=account))
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.server.url,
            aws_access_key_id=issued.access_key_id,
            aws_secret_access_key=issued.secret_access_key,
            aws_session_token=issued.session_token,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def seed(self, world: dict[str, Any] | None = None, **more: Any) -> None:
        seed(self.server, {**(world or WORLD), **more}, accounts=[HUB, SPOKE], now=NOW)

    def key(self, index: int) -> str:
        assert self.server.seeded is not None
        return self.server.seeded.keys[index].key_id

    def advance(self, **length: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**length))


def refused(call: Callable[..., Any], **params: Any) -> str:
    """The error code that a call is refused with; codes are compared as strings everywhere."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])

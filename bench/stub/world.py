"""A hub and one account on the wire: the store's table, a cluster, its key store, keys in and beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.stub.account import HSMS, NOW, PARSED, Http
from bench.stub.answers import Answers, Reply
from bench.stub.keys import CLUSTER, Keys
from bench.stub.server import Seen
from chalicelib.aws.session import own_session
from sandbox.reliability.table import MemoryTable

CLUSTERS = [
    {
        "ClusterId": CLUSTER,
        "State": "ACTIVE",
        "Hsms": HSMS,
        "SecurityGroup": "sg-1",
        "VpcId": "vpc-1",
    }
]
BACKUPS = [{"BackupId": "backup-1", "BackupState": "READY", "CreateTimestamp": NOW.timestamp()}]
MACS = frozenset({"GenerateMac", "VerifyMac"})


class World(Answers):
    """All that a case is opened and told from."""

    def __init__(self, table: MemoryTable, secrets: dict[str, str], keys: Keys) -> None:
        super().__init__(table, secrets)
        self._keys = keys

    def aws(self, target: str, body: bytes) -> Reply:
        service, _, operation = target.rpartition(".")
        if service.startswith("Trent") and operation not in MACS:
            status, found = self._keys.answer(target, body)
            assert isinstance(found, dict), "these keys answer in JSON"
            return status, found
        match operation:
            case "DescribeClusters":
                return 200, {"Clusters": CLUSTERS}
            case "DescribeBackups":
                return 200, {"Backups": BACKUPS}
        return super().aws(target, body)


def answered_here(latency: float) -> list[Seen]:
    """STS, EC2 and CloudWatch answer in this process, each after the latency; what they were asked."""
    seen: list[Seen] = []

    def parsed(*, model: Any, **_: object) -> Any:
        start = time.monotonic()
        time.sleep(latency)
        seen.append(Seen(model.name, start, time.monotonic()))
        return Http, {
            **PARSED[model.name],
            "ResponseMetadata": {"RequestId": "1", "HTTPStatusCode": 200},
        }

    register: Callable[..., None] = own_session(None).register
    for service in ("sts", "ec2", "cloudwatch"):
        register(f"before-call.{service}", parsed)
    return seen

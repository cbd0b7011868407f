"""The target account of a diagnosis: KMS and DynamoDB over the wire format, the other services as parsed replies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config

from bench.stub.answers import Answers
from bench.stub.keys import CLUSTER, QUOTAS, REGION, Keys
from bench.stub.transport import Quotas, Transport
from chalicelib.aws.session import fast_session
from sandbox.reliability.table import MemoryTable

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HSMS = [
    {"HsmId": f"hsm-{zone}", "State": "ACTIVE", "AvailabilityZone": f"{REGION}{zone}"}
    for zone in "ab"
]
PARSED: dict[str, dict[str, Any]] = {
    "AssumeRole": {
        "Credentials": {
            "AccessKeyId": "ASIABENCH",
            "SecretAccessKey": "bench",
            "SessionToken": "bench",
            "Expiration": NOW,
        }
    },
    "DescribeClusters": {"Clusters": [{"ClusterId": CLUSTER, "State": "ACTIVE", "Hsms": HSMS}]},
    "DescribeBackups": {
        "Backups": [{"BackupId": "backup-1", "BackupState": "READY", "CreateTimestamp": NOW}]
    },
    "GetMetricData": {"MetricDataResults": []},
    "DescribeNetworkInterfaces": {"NetworkInterfaces": []},
}
"""Replies of services that a diagnosis asks once; their wire formats are not what is measured."""


class Account:
    """Clients as wiring makes them, answered in this process after `latency` seconds."""

    def __init__(self, keys: Keys, table: MemoryTable, *, latency: float) -> None:
        self.kms_keys = keys
        self.quotas = Quotas(QUOTAS)
        self.kms = Transport(keys.answer, latency=latency, quotas=self.quotas)
        self.dynamo = Transport(Answers(table, {}).aws, latency=latency)
        self._latency = latency
        self._session = fast_session()

    def client(self, service: str, region: str, credentials: Mapping[str, str] | None) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=64,
            user_agent="unlatch",
        )
        given: dict[str, Any] = {
            **(credentials or {"aws_access_key_id": "a", "aws_secret_access_key": "b"})
        }
        made = self._session.create_client(
            service,
            region_name=region,
            config=config,
            **given,
        )
        if service in ("kms", "dynamodb"):
            return (self.kms if service == "kms" else self.dynamo).attach(made)
        made.meta.events.register("before-call", self._parsed)
        return made

    def _parsed(self, *, model: Any, **_: object) -> Any:
        time.sleep(self._latency)
        about = {"RequestId": "1", "HTTPStatusCode": 200}
        return Http, {**PARSED[model.name], "ResponseMetadata": about}


class Http:
    """Of the HTTP answer botocore reads no more here."""

    status_code = 200

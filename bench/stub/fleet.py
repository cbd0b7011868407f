"""Many accounts and Regions, each with quotas of its own, some with a cluster and keys; one may hang."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from bench.stub.account import Http
from bench.stub.answers import Answers
from bench.stub.keys import CLUSTER, QUOTAS, Keys
from bench.stub.transport import Quotas, Transport
from chalicelib.aws.session import MAKING, fast_session
from sandbox.reliability.table import MemoryTable

HUB = "100000000000"
HOME = "us-east-1"
REGIONS = (HOME, "us-west-2", "eu-west-1", "eu-central-1")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HSMS = [{"HsmId": f"hsm-{zone}", "State": "ACTIVE", "AvailabilityZone": zone} for zone in "ab"]
LOOKUPS = {"LookupEvents": 2}
"""Requests a second, account and Region (CloudTrail API reference)."""
GIVES_UP_SECONDS = 43.0
"""Four tries of ten seconds and the waits between them, as the functions’ clients are set up."""


@dataclass
class Place:
    """One Region of one account; `keys` is None if it has neither cluster nor store."""

    account: str
    keys: Keys | None
    latency: float
    hangs: bool = False
    lookups: Quotas = field(default_factory=lambda: Quotas(LOOKUPS))

    @cached_property
    def kms(self) -> Transport:
        stored = self.keys or NoKeys()
        return Transport(stored.answer, latency=self.latency, quotas=Quotas(QUOTAS))

    def reply(self, operation: str) -> dict[str, Any]:
        if self.hangs:
            time.sleep(GIVES_UP_SECONDS)
            raise ReadTimeoutError(endpoint_url=f"https://{operation}")
        time.sleep(self.latency)
        if not self.lookups.allows(operation):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
        clusters = [{"ClusterId": CLUSTER, "State": "ACTIVE", "Hsms": HSMS}] if self.keys else []
        backups = [{"BackupId": "backup-1", "BackupState": "READY", "CreateTimestamp": NOW}]
        replies: dict[str, dict[str, Any]] = {
            "LookupEvents": {"Events": []},
            "DescribeClusters": {"Clusters": clusters},
            "DescribeBackups": {"Backups": backups if self.keys else []},
            "GetMetricData": {"MetricDataResults": []},
            "DescribeNetworkInterfaces": {"NetworkInterfaces": []},
        }
        return replies[operation]


class NoKeys:
    """KMS of accounts without key stores."""

    def answer(self, target: str, body: bytes) -> tuple[int, dict[str, Any] | bytes]:  # noqa: ARG002  # an Answer
        return 200, {"CustomKeyStores": [], "Keys": [], "Aliases": [], "Truncated": False}


class Fleet:
    """Clients as wiring and the operator’s command make them, answered in this process."""

    def __init__(
        self, accounts: int, *, latency: float, clusters: int = 0, keys: int = 0, hangs: str = ""
    ) -> None:
        self.accounts = tuple(str(int(HUB) + number) for number in range(accounts))
        self.table = MemoryTable("unlatch-bench")
        self.calls: Counter[str] = Counter()
        self._latency = latency
        places = [(account, region) for account in self.accounts for region in REGIONS]
        step = len(places) // clusters if clusters else 0
        self.places = {
            place: Place(
                place[0],
                Keys(keys // clusters, keys // clusters)
                if clusters and number % step == 0 and number // step < clusters
                else None,
                latency,
                hangs=place[0] == hangs,
            )
            for number, place in enumerate(places)
        }
        self._dynamo = Transport(Answers(self.table, {}).aws, latency=latency)
        self._session = fast_session()

    def client(
        self, service: str, region: str, credentials: Mapping[str, str] | None, **_: Any
    ) -> Any:
        """The access key that AssumeRole gave names the account."""
        account = credentials["aws_access_key_id"] if credentials else HUB
        given: dict[str, Any] = {
            "aws_access_key_id": HUB,
            "aws_secret_access_key": "b",
            **(credentials or {}),
        }
        config = Config(
            retries={"total_max_attempts": 4}, max_pool_connections=64, user_agent="unlatch"
        )
        with MAKING:
            made = self._session.create_client(service, region_name=region, config=config, **given)
        if service == "dynamodb":
            return self._dynamo.attach(made)
        place = self.places[account, region]
        if service == "kms" and not place.hangs:
            return place.kms.attach(made)

        def parsed(*, model: Any, params: Any, **_: object) -> Any:
            return self._parsed(place, model.name, params)

        made.meta.events.register("before-call", parsed)
        return made

    def _parsed(self, place: Place, operation: str, params: Any) -> Any:
        self.calls[operation] += 1
        about = {"RequestId": "1", "HTTPStatusCode": 200}
        if operation == "AssumeRole":
            time.sleep(self._latency)
            account = params["body"]["RoleArn"].split(":")[4]
            words = {"AccessKeyId": account, "SecretAccessKey": "b", "SessionToken": "c"}
            found: dict[str, Any] = {"Credentials": {**words, "Expiration": NOW}}
        elif operation == "GetCallerIdentity":
            found = {"Account": HUB, "Arn": f"arn:aws:sts::{HUB}:assumed-role/ops/olga"}
        else:
            found = place.reply(operation)
        return Http, {**found, "ResponseMetadata": about}

    @property
    def throttled(self) -> int:
        kms: list[Transport] = [
            place.__dict__["kms"] for place in self.places.values() if "kms" in place.__dict__
        ]
        return sum(one.quotas.refused for one in kms) + sum(
            place.lookups.refused for place in self.places.values()
        )

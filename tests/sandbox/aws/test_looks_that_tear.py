"""A look of which any one reply is torn, lost or refused is a failed look: it never shows a smaller world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config

from chalicelib.aws.accounts import Accounts
from chalicelib.aws.inventory import AwsInventory
from chalicelib.aws.session import fast_session
from chalicelib.aws.trail import AwsTrail
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.room import Room
from chalicelib.domain.state.snapshot import Snapshot
from chalicelib.failures import TemporaryError
from sandbox.aws.mishaps import break_store
from tests.sandbox.aws.aws_stand import CLUSTER, HUB, NOW, STORE, WORLD, Stand

READER = "arn:aws:sts::{account}:assumed-role/unlatch-reader/case-1"
KINDS: dict[str, dict[str, Any]] = {
    "cut": {"kind": "cut"},
    "dropped": {"kind": "dropped"},
    "empty": {"kind": "empty"},
    "throttle": {"kind": "throttle"},
    "500": {"kind": "error", "code": "InternalFailure"},
}
each_kind = pytest.mark.parametrize("kind", KINDS)
pytestmark = pytest.mark.slow
CASE = Case("case-1", HUB, "us-east-1", CLUSTER, NOW)
SMALL = {**WORLD, "other_keys": 2}
LOOK = {
    "cloudhsm:DescribeClusters", "cloudhsm:DescribeBackups", "cloudtrail:LookupEvents",
    "cloudwatch:GetMetricData", "ec2:DescribeNetworkInterfaces", "kms:DescribeCustomKeyStores",
    "kms:DescribeKey", "kms:GetKeyLastUsage", "kms:ListAliases", "kms:ListGrants", "kms:ListKeys",
}  # fmt: skip
ROOM = "ec2:DescribeSubnets"
PARTS = ("cloudhsm:DescribeClusters", "kms:DescribeCustomKeyStores")


class NoneKnown:
    """Each look asks for every key anew."""

    def load(self, account: str, region: str) -> set[bytes]:
        return set()

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        """Nothing is remembered."""


class Eyes:
    """The bot's own readers, on a stand; each request is sent once."""

    def __init__(self, stand: Stand, world: dict[str, Any] = SMALL) -> None:
        self.stand = stand
        stand.seed(world)
        issued = stand.server.identity.register(HUB, READER.format(account=HUB))
        keys = {
            "aws_access_key_id": issued.access_key_id,
            "aws_secret_access_key": issued.secret_access_key,
            "aws_session_token": issued.session_token,
        }
        session = fast_session()
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, proxies={})
        url = stand.server.url
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                made[service] = session.create_client(
                    service,
                    "us-east-1",
                    endpoint_url=url,
                    config=config,
                    **keys,  # type: ignore[arg-type]  # names
                )
            return made[service]

        accounts = _Accounts(client)
        self.inventory = AwsInventory(
            accounts, "unlatch-reader", NoneKnown(), lambda _: lambda: None, quiet_minutes=5
        )
        self.trail = AwsTrail(accounts, "unlatch-reader", (), (), lambda *_: lambda: None)

    def look(self) -> Snapshot:
        return self.inventory.snapshot(CASE, now=NOW)

    def asked_by(self, read: Callable[[], object]) -> list[str]:
        faults = self.stand.server.faults
        faults.asked.clear()
        read()
        return list(faults.asked)


class _Accounts(Accounts):
    """The reader's session is there already."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        super().__init__(sts=None, client=None)  # type: ignore[arg-type]  # never asked
        object.__setattr__(self, "made", client)

    def clients(self, *_: object, **__: object) -> Any:
        return self.made  # type: ignore[attr-defined]  # set above


def torn_everywhere(eyes: Eyes, kind: str, read: Callable[[], object]) -> set[str]:
    """`read` with each of its requests broken once; the calls that were."""
    calls = eyes.asked_by(read)
    for place, call in enumerate(calls):
        nth = calls[: place + 1].count(call)
        eyes.stand.server.faults.add(call, nth, **KINDS[kind])
        with pytest.raises(TemporaryError):
            read()
        assert not eyes.stand.server.faults.missed(), f"{call} #{nth} was not asked for again"
    return set(calls)


@each_kind
def test_a_torn_look_shows_nothing(stand: Stand, kind: str) -> None:
    eyes = Eyes(stand)
    whole = eyes.look()
    assert torn_everywhere(eyes, kind, eyes.look) == LOOK
    assert eyes.look() == whole


@each_kind
def test_a_look_at_an_outage_reads_the_room_for_a_rescue_and_no_torn_one(
    stand: Stand, kind: str
) -> None:
    eyes = Eyes(stand)
    assert eyes.look().room is None, "nobody needs it"
    break_store(stand.server, STORE, error="NETWORK_ERRORS")
    whole = eyes.look()
    assert whole.room
    assert whole.room.subnets
    assert whole.cluster
    assert {name for _, name in whole.cluster.subnets} == {s.subnet_id for s in whole.room.subnets}
    assert (whole.room.clusters, whole.room.hsms) == counted(stand)
    asked = eyes.asked_by(eyes.look)
    stand.server.faults.add(ROOM, asked.count(ROOM), **KINDS[kind])
    with pytest.raises(TemporaryError):
        eyes.look()
    assert eyes.look() == whole


def counted(stand: Stand) -> tuple[int, int]:
    clusters = stand.client("cloudhsmv2").describe_clusters()["Clusters"]
    return len(clusters), sum(len(cluster["Hsms"]) for cluster in clusters)


def test_a_room_that_may_not_be_read_is_unknown(stand: Stand) -> None:
    eyes = Eyes(stand)
    break_store(stand.server, STORE, error="NETWORK_ERRORS")
    stand.server.faults.add(ROOM, 1, kind="error", code="UnauthorizedOperation")
    seen = eyes.look()
    assert seen.room == Room(None, *counted(stand))
    assert seen.unread == (), "a rescue can do without"


def test_a_cluster_from_the_same_backup_is_seen_beside_one_that_lives(stand: Stand) -> None:
    eyes, hsm = Eyes(stand), stand.client("cloudhsmv2")
    seen = eyes.look()
    assert seen.cluster
    assert seen.cluster.newest_backup
    backup, subnets = seen.cluster.newest_backup.backup_id, dict(seen.cluster.subnets)
    hsm.create_cluster(
        HsmType="hsm2m.medium", SubnetIds=[*subnets.values()][:2], SourceBackupId=backup
    )
    new = {one.cluster_id: one for one in eyes.look().siblings} | {
        one.cluster_id: None for one in seen.siblings
    }
    (made,) = (one for one in new.values() if one)
    assert made.source_backup == backup


@each_kind
def test_neither_does_any_of_the_smaller_ones(stand: Stand, kind: str) -> None:
    eyes = Eyes(stand)
    whole, key = eyes.look(), stand.key(0)
    since = {key: NOW - timedelta(days=1)}
    reads: list[tuple[Callable[[], object], set[str]]] = [
        (lambda: eyes.inventory.look_again(CASE, whole), set(PARTS)),
        (lambda: eyes.inventory.outline(HUB, "us-east-1", now=NOW), set(PARTS)),
        (lambda: eyes.inventory.reread(CASE, key), {"kms:DescribeKey"}),
        (lambda: list(eyes.trail.failed_uses(HUB, "us-east-1", keys=since)), {"cloudtrail:LookupEvents"}),
        (lambda: eyes.trail.calls(HUB, "us-east-1", since=NOW, names=("DeleteCluster",)), {"cloudtrail:LookupEvents"}),
    ]  # fmt: skip
    for read, calls in reads:
        assert torn_everywhere(eyes, kind, read) == calls


def test_a_refused_look_says_what_it_lacks(stand: Stand) -> None:
    """Access denied is no trouble that passes: the look is there, and never takes the rest for all."""
    eyes = Eyes(stand)
    whole = eyes.look()
    calls = eyes.asked_by(eyes.look)
    for place, call in enumerate(calls):
        nth = calls[: place + 1].count(call)
        stand.server.faults.add(call, nth, kind="error", code="AccessDeniedException")
        seen = eyes.look()
        told = bool(seen.unread) or any(key.unread for key in seen.keys)
        unknown = replace(seen, unread=()) != whole
        assert told or unknown, f"{call} #{nth}"
        assert told or (seen.cluster and seen.key_stores == whole.key_stores), f"{call} #{nth}"
        assert told or len(seen.keys) == len(whole.keys), f"{call} #{nth}"

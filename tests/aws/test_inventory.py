"""A whole look at a cluster, and the cheaper ones: what they read anew, and what they leave as it was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.aws.inventory import AwsInventory
from chalicelib.domain.state.case import Before, Case, KeyBefore
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import Backup, KeyState, Snapshot, StoreState
from chalicelib.failures import TemporaryError
from tests.aws.test_fleet import CLUSTERS, Aws
from tests.domain.worlds import approved, cluster, key, store, world
from tests.flows.stand import HUB, NOW, REGION, STORE

CASE = Case("case-1", HUB, REGION, "cluster-1", NOW)
BACKUPS = (Backup("backup-1", BackupState.READY, NOW),)


def inventory(aws: Any) -> AwsInventory:
    known: Any = None
    return AwsInventory(aws, "unlatch-reader", known, lambda call: lambda: None, quiet_minutes=30)


def seen(**values: Any) -> Snapshot:
    mine = cluster("1a", "1b", cluster_id="cluster-1", backups=BACKUPS)
    known = {"cluster": mine, "held": store(StoreState.DISCONNECTED, cluster_id="cluster-1")}
    return replace(world(key("a"), **known, cluster_id="cluster-1"), **values)  # type: ignore[arg-type]


def test_another_look_reads_clusters_and_stores_and_keeps_the_rest() -> None:
    aws, before = Aws(), seen(unread=("kms:ListKeys was refused",))
    now = inventory(aws).look_again(CASE, before)
    place = {"account": HUB, "region": REGION, "session_name": "case-1"}
    assert aws.asked_as == [("unlatch-reader", place)]
    assert now.cluster
    assert [hsm.hsm_id for hsm in now.cluster.hsms] == ["hsm-1"]
    assert now.cluster.backups == BACKUPS, "they are not read anew"
    assert [(s.key_store_id, s.state) for s in now.key_stores] == [(STORE, StoreState.CONNECTED)]
    assert (now.keys, now.at, now.unread) == (before.keys, before.at, before.unread)


def test_a_cluster_that_is_gone_meanwhile_is_gone() -> None:
    gone = replace(CASE, cluster_id="cluster-3")
    assert inventory(Aws()).look_again(gone, seen()).cluster is None
    never = inventory(Aws()).look_again(CASE, seen(cluster=None)).cluster
    assert never is not None
    assert never.backups == (), "nothing is known of them"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("describe_clusters", "cloudhsm:DescribeClusters was refused"),
        ("describe_custom_key_stores", "kms:DescribeCustomKeyStores was refused"),
    ],
)
def test_what_is_refused_meanwhile_is_said_beside_what_was_before(call: str, said: str) -> None:
    aws = Aws(**{call: "AccessDeniedException"})
    now = inventory(aws).look_again(CASE, seen(unread=("before",)))
    assert now.unread == ("before", said)
    with pytest.raises(TemporaryError):
        inventory(Aws(**{call: "ThrottlingException"})).look_again(CASE, seen())


def test_an_outline_has_all_clusters_and_stores_and_nothing_else() -> None:
    aws = Aws(describe_custom_key_stores="AccessDeniedException")
    found = inventory(Aws()).outline(HUB, REGION, now=NOW)
    assert (found.account, found.region, found.at) == (HUB, REGION, NOW)
    assert [c.cluster_id for c in found.siblings] == ["cluster-1", "cluster-2"]
    assert [s.key_store_id for s in found.key_stores] == [STORE, "cks-2"]
    assert (found.cluster, found.keys, found.unread) == (None, (), ())
    place = {"account": HUB, "region": REGION, "session_name": "unlatch-outline"}
    refused = inventory(aws).outline(HUB, REGION, now=NOW)
    assert aws.asked_as == [("unlatch-reader", place)]
    assert refused.unread == ("kms:DescribeCustomKeyStores was refused",)


def test_a_key_is_read_again_by_its_id() -> None:
    found = inventory(Aws()).reread(CASE, "key-1")
    assert (found.key_id, found.state, found.aliases) == ("key-1", KeyState.ENABLED, ())


class World(Aws):
    """With the backups of a cluster, and no grants; `services` are the clients that were made."""

    def __init__(self, **refused: str) -> None:
        super().__init__(**refused)
        self.services: set[str] = set()
        self.filters: list[Any] = []
        self.minutes: list[int] = []

    def clients(self, role: str, **place: str) -> Callable[[str], Any]:
        super().clients(role, **place)

        def client(service: str) -> Any:
            self.services.add(service)
            return self

        return client

    def get_paginator(self, name: str) -> Any:
        match name:
            case "describe_backups":
                return SimpleNamespace(paginate=self._backups)
            case "list_grants":
                return SimpleNamespace(paginate=self._grants)
            case "list_keys" if name in self.refused:
                return SimpleNamespace(paginate=lambda **_: self._told(name, ()))
            case "get_metric_data":
                return SimpleNamespace(paginate=self._metrics)
        return super().get_paginator(name)

    def _grants(self, **request: Any) -> Iterable[Any]:
        return [{"Grants": [{}] * (request["KeyId"] == "key-000")}]

    def _metrics(self, **request: Any) -> Iterable[Any]:
        self.minutes.append((request["EndTime"] - request["StartTime"]) // timedelta(minutes=1))
        return [{"MetricDataResults": []}]

    def _backups(self, **request: Any) -> Iterable[Any]:
        self.filters.append(request["Filters"])
        plain = {"BackupId": "backup-1", "BackupState": "READY", "CreateTimestamp": NOW}
        kept = {**plain, "BackupId": "backup-2", "NeverExpires": True, "Mode": "FIPS"}
        return self._told("describe_backups", [{"Backups": [plain]}, {"Backups": [kept]}])


class Known:
    """No key is known to be in no store; what is learnt."""

    def __init__(self) -> None:
        self.learnt: dict[tuple[str, str], int] = {}

    def load(self, account: str, region: str) -> set[bytes]:
        return set()

    def add(self, account: str, region: str, digests: set[bytes]) -> None:
        self.learnt[account, region] = self.learnt.get((account, region), 0) + len(digests)


BOTH = (
    Backup("backup-1", BackupState.READY, NOW),
    Backup("backup-2", BackupState.READY, NOW, never_expires=True, mode="FIPS"),
)


def looked(aws: World, case: Case = CASE) -> Snapshot:
    return replace(inventory(aws), known=Known()).snapshot(case, now=NOW)


def test_a_whole_look() -> None:
    aws, known = World(), Known()
    seen = replace(inventory(aws), known=known, health_sessions=7).snapshot(CASE, now=NOW)
    assert (seen.at, seen.account, seen.region, seen.cluster_id) == (NOW, HUB, REGION, "cluster-1")
    assert seen.cluster
    assert (seen.cluster.cluster_id, seen.cluster.backups) == ("cluster-1", BOTH)
    assert aws.filters == [{"clusterIds": ["cluster-1"]}]
    assert [s.key_store_id for s in seen.key_stores] == [STORE]
    assert [(k.key_id, k.grants) for k in seen.keys] == [("key-000", 1), ("key-001", 0)]
    assert seen.keys_seen == len(aws.ids)
    assert known.learnt == {(HUB, REGION): len(aws.ids) - 2}
    assert [one.hsm_id for one in seen.other_use.hsms] == ["hsm-1"]
    assert (seen.other_use.minutes, seen.other_use.own) == (30, 7)
    assert (seen.unread, seen.siblings, seen.backups) == ((), (), ())
    assert aws.services == {"kms", "cloudhsmv2", "cloudwatch", "ec2"}


class Related(World):
    """One cluster that was made from a backup of the other, and can take its keys."""

    def get_paginator(self, name: str) -> Any:
        if name != "describe_clusters":
            return super().get_paginator(name)
        mine, other = CLUSTERS[0], {"State": "ACTIVE", "SourceBackupId": "backup-1"}
        hsms = [{"HsmId": n, "State": "ACTIVE", "AvailabilityZone": n} for n in "ab"]
        pages = [{"Clusters": [mine, {"ClusterId": "cluster-2", "Hsms": hsms, **other}]}]
        return SimpleNamespace(paginate=lambda **_: pages)

    def lookup_events(self, **_: Any) -> dict[str, Any]:
        return {"Events": []}


def test_another_cluster_with_the_same_backups_can_take_the_keys_if_the_password_fits() -> None:
    aws = Related()
    seen = looked(aws)
    assert [(c.cluster_id, c.can_take_keys) for c in seen.siblings] == [("cluster-2", True)]
    assert seen.connects.are_read
    assert "cloudtrail" in aws.services


def test_a_cluster_that_is_gone_leaves_its_backups() -> None:
    seen = looked(World(), replace(CASE, cluster_id="cluster-9"))
    assert (seen.cluster, seen.backups) == (None, BOTH)
    assert [s.key_store_id for s in seen.key_stores] == ["cks-2"], "it holds on to it still"


def test_keys_that_have_to_come_back_are_read_by_name_if_a_list_is_refused() -> None:
    recorded = tuple(KeyBefore(name, KeyState.ENABLED) for name in ("key-000", "key-002"))
    before = Before(NOW, StoreState.CONNECTED, recorded, (), CASE.cluster_id)
    seen = looked(World(list_keys="AccessDeniedException"), replace(CASE, before=before))
    assert {key.key_id for key in seen.keys} == {"key-000", "key-002"}
    assert seen.unread == ("kms:ListKeys was refused",)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("describe_clusters", "cloudhsm:DescribeClusters was refused"),
        ("describe_backups", "cloudhsm:DescribeBackups was refused"),
    ],
)
def test_what_aws_refuses_to_tell_is_listed(call: str, said: str) -> None:
    assert said in looked(World(**{call: "AccessDeniedException"})).unread


def test_a_plan_counts_other_programs_over_its_own_time_and_shows_no_grants() -> None:
    play = approved(world(key("a")), Remedy.RETIRE)
    play.turn()
    plan = play.case.plan
    assert plan
    quiet = replace(plan, terms=replace(plan.terms, quiet_minutes=0))
    aws = World()
    seen = looked(aws, replace(CASE, plan=quiet))
    assert seen.other_use.minutes == 1, "a minute at least"
    assert {k.grants for k in seen.keys} == {None}

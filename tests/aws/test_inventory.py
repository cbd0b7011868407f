"""Looks at a cluster that are cheaper than the whole one: what they read anew, and what they leave as it was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws.inventory import AwsInventory
from chalicelib.domain.state.case import Case
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.snapshot import Backup, KeyState, Snapshot, StoreState
from chalicelib.failures import TemporaryError
from tests.aws.test_fleet import Aws
from tests.domain.worlds import cluster, key, store, world
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

"""What a survey of a Region shows: idle, broken, empty, off, going; and that unknown is never idle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.fleet import (
    RETIRED_TYPE,
    Concern,
    Held,
    Survey,
    judge,
    last_use,
    monthly_cost,
)
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.snapshot import (
    Cluster,
    Hsm,
    Key,
    KeyState,
    KeyStore,
    LastUse,
    OtherUse,
    Sessions,
    StoreState,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
CLUSTER = Cluster(
    "cluster-a",
    ClusterState.ACTIVE,
    (Hsm("hsm-1", HsmState.ACTIVE, "a"), Hsm("hsm-2", HsmState.ACTIVE, "b")),
)
STORE = KeyStore("cks-a", "payments", "cluster-a", StoreState.CONNECTED)
QUIET = OtherUse((Sessions("hsm-1", most=2), Sessions("hsm-2", most=1)))
BUSY = OtherUse((Sessions("hsm-1", least=3, most=5),))
BLIND = OtherUse((Sessions("hsm-1", missing=5),), interfaces=None)
FOREIGN = OtherUse((), interfaces=("eni-1",))


def key(
    used: datetime | None = LONG_AGO, *, state: KeyState = KeyState.ENABLED, unread: str = ""
) -> Key:
    going = NOW + timedelta(days=9) if state is KeyState.PENDING_DELETION else None
    use = LastUse(used, "Decrypt", LONG_AGO)
    return Key("k" * 8, state, LONG_AGO, deletion_date=going, last_use=use, unread=unread)


def survey(
    *held: Held, cluster: Cluster = CLUSTER, use: OtherUse = QUIET, unread: str = ""
) -> Survey:
    seen = {cluster.cluster_id: use}
    return Survey("1", "eu", NOW, (cluster,), held, seen, (unread,) if unread else ())


def concerns(seen: Survey, days: int = 30) -> list[Concern]:
    return [remark.concern for remark in judge(seen, idle_days=days)]


@pytest.mark.parametrize(
    ("keys", "use", "found"),
    [
        ((key(),), QUIET, [Concern.IDLE]),
        ((), QUIET, [Concern.IDLE]),
        ((key(), key(NOW - timedelta(days=2))), QUIET, []),
        ((key(),), FOREIGN, []),
        ((key(),), BUSY, [Concern.IDLE]),  # KMS's own sessions are in the numbers
        ((key(),), BLIND, [Concern.UNKNOWN_USE]),
        ((replace(key(), last_use=LastUse()),), QUIET, [Concern.UNKNOWN_USE]),
        ((key(unread="kms:DescribeKey was refused"),), QUIET, [Concern.UNKNOWN_USE]),
    ],
    ids=["idle", "no keys", "used", "interface", "sessions", "blind", "untracked", "refused"],
)
def test_a_connected_store(keys: tuple[Key, ...], use: OtherUse, found: list[Concern]) -> None:
    assert concerns(survey(Held(STORE, keys), use=use)) == found


@pytest.mark.parametrize(
    ("use", "found"),
    [
        (QUIET, [Concern.HOLDS_NOTHING]),
        (BUSY, []),
        (BLIND, [Concern.UNKNOWN_USE]),
        (OtherUse((Sessions("hsm-1", most=3),)), [Concern.UNKNOWN_USE]),
    ],
)
def test_a_cluster_without_a_store(use: OtherUse, found: list[Concern]) -> None:
    assert concerns(survey(use=use)) == found


def test_a_cluster_that_was_never_activated_holds_nothing_whatever_is_counted() -> None:
    fresh = replace(CLUSTER, state=ClusterState.UNINITIALIZED)
    assert concerns(survey(cluster=fresh, use=BLIND)) == [Concern.HOLDS_NOTHING]


def test_a_parked_cluster_costs_nothing_and_is_not_idle() -> None:
    parked = replace(CLUSTER, hsms=())
    off = replace(STORE, state=StoreState.DISCONNECTED)
    assert concerns(survey(Held(off, (key(),)), cluster=parked)) == [Concern.STORE_OFF]
    assert monthly_cost(parked, hour_price=1.6) == 0
    assert monthly_cost(CLUSTER, hour_price=1.6) == pytest.approx(2336)


def test_a_store_that_is_off_shows_the_sessions_of_others() -> None:
    off = Held(replace(STORE, state=StoreState.DISCONNECTED), (key(),))
    assert concerns(survey(off)) == [Concern.STORE_OFF, Concern.IDLE]
    assert concerns(survey(off, use=BUSY)) == [Concern.STORE_OFF]


def test_a_failed_store_says_aws_reason_and_how_many_keys() -> None:
    broken = Held(replace(STORE, state=StoreState.FAILED, error="USER_NOT_FOUND"), (key(NOW),))
    (remark,) = judge(survey(broken), idle_days=30)
    assert (remark.concern, remark.detail, remark.number) == (
        Concern.BROKEN_STORE,
        "USER_NOT_FOUND",
        1,
    )


def test_keys_that_are_going_are_told_with_the_first_date() -> None:
    held = Held(STORE, (key(NOW), key(state=KeyState.PENDING_DELETION)))
    (remark,) = judge(survey(held), idle_days=30)
    assert (remark.concern, remark.number) == (Concern.KEYS_GOING, 1)
    assert remark.at == NOW + timedelta(days=9)


def test_a_store_whose_cluster_is_gone() -> None:
    lost = Held(replace(STORE, cluster_id="cluster-gone"), (key(NOW),))
    assert concerns(survey(lost)) == [Concern.CLUSTER_LOST, Concern.HOLDS_NOTHING]
    blind = survey(lost, unread="cloudhsm:DescribeClusters was refused")
    assert concerns(blind) == [Concern.UNKNOWN_USE, Concern.UNREAD], "a refused read is not gone"


def test_a_retired_type_is_told() -> None:
    old = replace(CLUSTER, hsm_type=RETIRED_TYPE)
    assert concerns(survey(Held(STORE, (key(NOW),)), cluster=old)) == [Concern.RETIRED]


def test_what_could_not_be_read_leaves_nothing_idle() -> None:
    seen = survey(Held(STORE, (key(),)), unread="kms:ListKeys was refused")
    assert concerns(seen) == [Concern.UNKNOWN_USE, Concern.UNREAD]


def test_the_last_use_is_that_of_any_key() -> None:
    assert last_use([Held(STORE, (key(), key(NOW)))]) == NOW
    assert last_use([]) is None

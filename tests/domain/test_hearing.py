"""Which cluster a heard call is about, and which calls open nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.rules.hearing import Heard, Placed, broken, placed, trigger_of
from chalicelib.domain.rules.outage import Outage, outage_of
from chalicelib.domain.state.case import Attempt
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.snapshot import Cluster, KeyStore, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.worlds import (
    ACCOUNT,
    CI,
    CLUSTER,
    NOW,
    OTHER_CLUSTER,
    REGION,
    STORE,
    cluster,
    sibling,
    store,
)

HOLDS = store(StoreState.CONNECTED)
HERE, COPY = cluster("us-east-1a", "us-east-1b"), sibling()
BARE = replace(HERE, hsms=())


def heard(trigger: Trigger, *, cluster_id: str = "", store_id: str = "") -> Heard:
    attempt = Attempt("event-1", NOW, "", CI, trigger, key_store_id=store_id)
    return Heard(ACCOUNT, REGION, attempt, cluster_id)


def place(call: Heard, *stores: KeyStore, clusters: tuple[Cluster, ...] = (HERE, COPY)) -> Placed:
    return placed(call, stores=stores, clusters=clusters)


def test_a_store_that_would_not_be_deleted_is_about_its_cluster() -> None:
    found = place(heard(Trigger.STORE_DELETE_BLOCKED, store_id=STORE), HOLDS)
    assert found.cluster_id == CLUSTER
    assert found.attempt
    assert found.attempt.key_store_id == STORE


def test_a_store_that_is_gone_or_external_is_left_alone_in_words() -> None:
    for trigger in (Trigger.STORE_DELETE_BLOCKED, Trigger.STORE_DOWN):
        found = place(heard(trigger, store_id="cks-0"), HOLDS)
        assert found.attempt is None
        assert "XKS" in found.why


def test_a_taken_cluster_is_that_of_the_holder() -> None:
    own = place(heard(Trigger.CLUSTER_TAKEN, cluster_id=CLUSTER), HOLDS)
    assert own.cluster_id == CLUSTER
    assert own.attempt
    assert own.attempt.asked == CLUSTER


def test_so_it_is_if_a_copy_was_asked_for() -> None:
    """Clusters with the same certificate count as one to KMS."""
    copy = place(heard(Trigger.CLUSTER_TAKEN, cluster_id=OTHER_CLUSTER), HOLDS)
    assert copy.cluster_id == CLUSTER
    assert copy.attempt
    assert (copy.attempt.asked, copy.attempt.key_store_id) == (OTHER_CLUSTER, STORE)


def test_the_asked_clusters_own_store_comes_before_a_copys() -> None:
    both = (replace(HOLDS, cluster_id=OTHER_CLUSTER, key_store_id="cks-0"), HOLDS)
    assert place(heard(Trigger.CLUSTER_TAKEN, cluster_id=CLUSTER), *both).cluster_id == CLUSTER


@pytest.mark.parametrize("clusters", [(), (replace(COPY, certificate=""),), (HERE, COPY)])
def test_nothing_holds_it_any_more(clusters: tuple[Cluster, ...]) -> None:
    call = heard(Trigger.CLUSTER_TAKEN, cluster_id=OTHER_CLUSTER)
    assert "any more" in place(call, clusters=clusters).why
    other = replace(HOLDS, cluster_id="cluster-of-others")
    assert "any more" in place(call, other, clusters=clusters).why


def test_the_last_hsm_and_the_cluster_are_lost_while_a_store_needs_them() -> None:
    lost = heard(Trigger.CLUSTER_LOST, cluster_id=CLUSTER)
    for clusters in ((), (BARE,), (replace(HERE, state=ClusterState.DELETE_IN_PROGRESS),)):
        found = place(lost, HOLDS, clusters=clusters)
        assert found.cluster_id == CLUSTER
        assert found.attempt
        assert found.attempt.key_store_id == STORE


def test_an_hsm_that_is_left_or_a_store_that_is_off_is_no_loss() -> None:
    lost = heard(Trigger.CLUSTER_LOST, cluster_id=CLUSTER)
    assert "HSM is left" in place(lost, HOLDS).why
    off = replace(HOLDS, state=StoreState.DISCONNECTED)
    assert place(lost, off, clusters=(BARE,)).attempt is None
    assert place(lost, off, clusters=()).attempt, "without its cluster it can't come back"
    assert "no key store" in place(lost).why


def test_a_store_is_down_only_if_it_really_is() -> None:
    use = heard(Trigger.STORE_DOWN, store_id=STORE)
    assert "not down" in place(use, HOLDS).why
    for state in (StoreState.FAILED, StoreState.DISCONNECTED):
        assert place(use, replace(HOLDS, state=state)).cluster_id == CLUSTER
    assert place(use, HOLDS, clusters=(BARE,)).cluster_id == CLUSTER


@pytest.mark.parametrize(
    ("state", "own", "found"),
    [
        (StoreState.CONNECTED, HERE, None),
        (StoreState.CONNECTING, HERE, None),
        (StoreState.DISCONNECTING, BARE, None),
        (StoreState.CONNECTED, BARE, Outage.NO_HSM),
        (StoreState.FAILED, BARE, Outage.NO_HSM),
        (StoreState.FAILED, HERE, Outage.FAILED),
        (StoreState.DISCONNECTED, BARE, Outage.OFF),
        (StoreState.CONNECTED, None, Outage.CLUSTER_GONE),
        (StoreState.DISCONNECTED, None, Outage.CLUSTER_GONE),
    ],
)
def test_why_the_keys_fail(state: StoreState, own: Cluster | None, found: Outage | None) -> None:
    assert outage_of(store(state), own) is found


def test_a_sweep_takes_what_nobody_means() -> None:
    stores = (
        replace(HOLDS, state=StoreState.FAILED),
        replace(HOLDS, key_store_id="cks-off", state=StoreState.DISCONNECTED),
        replace(HOLDS, key_store_id="cks-lost", cluster_id="cluster-gone"),
    )
    found = broken(stores, (HERE,))
    assert [(one.key_store_id, why) for one, why in found] == [
        (STORE, Outage.FAILED),
        ("cks-lost", Outage.CLUSTER_GONE),
    ]
    assert [trigger_of(why) for _, why in found] == [Trigger.STORE_DOWN, Trigger.CLUSTER_LOST]
    assert {one for one in Trigger if one.is_outage} == {Trigger.STORE_DOWN, Trigger.CLUSTER_LOST}

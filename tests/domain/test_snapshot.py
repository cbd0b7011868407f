"""What is read out of one look at AWS; what is not known counts as the worst."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.state.hsm_states import BackupState, ClusterState, HsmState
from chalicelib.domain.state.snapshot import (
    Backup,
    Hsm,
    Key,
    KeyState,
    LastUse,
    StoreState,
    most_used,
)
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    STORE,
    cluster,
    hsms,
    key,
    store,
    used,
    world,
)

SECOND = timedelta(seconds=1)
BORN = NOW - 365 * DAY


def lived(at: timedelta | None, tracked: timedelta | None, **values: Any) -> Key:
    """A key a year old, last used so long ago, of which KMS has kept track for so long."""
    return key("a", last_use=used(at, tracked=tracked), **values)


YEAR, MONTH = 365 * DAY, 30 * DAY
USES: list[tuple[str, Key, bool, bool, bool]] = [
    ("used yesterday", lived(DAY, YEAR), True, False, False),
    ("used a second less than a month ago", lived(MONTH - SECOND, YEAR), True, False, False),
    ("used a month ago", lived(MONTH, YEAR), False, False, False),
    ("used long ago, on a short record", lived(2 * MONTH, DAY), False, False, False),
    ("watched all its life", lived(None, YEAR), False, False, True),
    ("watched from its second day on, a year", lived(None, YEAR - DAY), False, False, False),
    ("watched for a month", lived(None, MONTH), False, False, False),
    ("watched for a second less", lived(None, MONTH - SECOND), False, True, False),
    ("not watched", lived(None, None), False, True, False),
    ("born today, and watched", lived(None, DAY, created_at=NOW), False, False, True),
    ("of unknown age", lived(None, DAY, created_at=None), False, True, False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "it", "recent", "unknown", "never"), USES, ids=[r[0] for r in USES])  # fmt: skip
def test_the_last_use(why: str, it: Key, recent: bool, unknown: bool, never: bool) -> None:
    assert it.used_within(NOW, days=30) is recent, why
    assert it.use_is_unknown(NOW, days=30) is unknown, why
    assert it.never_used() is never, why


def test_a_key_of_which_nothing_was_told_may_be_in_use() -> None:
    assert Key("key-a", KeyState.ENABLED, BORN, last_use=LastUse()).use_is_unknown(NOW, days=1)


def test_a_key_is_called_by_its_first_alias() -> None:
    assert key("a", aliases=("alias/x", "alias/y")).name == "alias/x"


def test_every_key_that_is_not_going_is_live() -> None:
    keys = tuple(key(state.value, state) for state in KeyState)
    it = world(*keys)
    assert [k.state for k in it.pending_keys] == [KeyState.PENDING_DELETION]
    assert len(it.live_keys) == len(keys) - 1
    assert it.live_keys == tuple(k for k in keys if k.is_live)


H = HsmState
HSM_STATES = (H.CREATE_IN_PROGRESS, H.ACTIVE, H.DEGRADED, H.DELETE_IN_PROGRESS, H.DELETED)


def test_an_hsm_lives_until_it_is_going() -> None:
    assert [Hsm("h", state, "1a").is_live for state in HSM_STATES] == [True, True, True, False, False]  # fmt: skip
    mixed = tuple(Hsm(f"h-{n}", state, f"1{'edcba'[n]}") for n, state in enumerate(HSM_STATES))
    it = world(cluster=cluster(hsms=mixed))
    assert it.cluster
    assert it.cluster.zones == ("1c", "1d", "1e")
    assert it.live_hsms == it.cluster.live_hsms == mixed[:3]
    assert world(cluster=None).live_hsms == ()


def test_the_newest_backup_is_one_that_is_ready() -> None:
    old, new = (
        Backup("old", BackupState.READY, NOW - DAY),
        Backup("new", BackupState.READY, NOW - HOURS),
    )
    making = Backup("making", BackupState.CREATE_IN_PROGRESS, NOW)
    assert cluster(backups=(new, old, making)).newest_backup == new
    assert cluster(backups=(making,)).newest_backup is None
    assert (old.is_ready, making.is_ready) == (True, False)


BROKEN = Hsm("h-2", HsmState.DEGRADED, "1b")


def test_a_cluster_takes_a_store_with_two_working_hsms_in_two_zones() -> None:
    assert cluster("1a", "1b").can_take_keys
    assert cluster("1a", "1b", "1c").can_take_keys
    assert not cluster("1a", "1a").can_take_keys
    assert not cluster(hsms=(*hsms("1a"), BROKEN)).can_take_keys
    assert not replace(cluster("1a", "1b"), state=ClusterState.UPDATE_IN_PROGRESS).can_take_keys


def test_a_store_is_found_by_its_cluster_or_its_id() -> None:
    mine = store()
    other = replace(store(StoreState.FAILED), key_store_id="cks-2", cluster_id=OTHER_CLUSTER)
    it = replace(world(), key_stores=(other, mine))
    assert it.holder == mine
    assert it.key_store("cks-2") == other
    assert it.key_store(STORE) == mine
    assert it.key_store("cks-3") is it.key_store(None) is None
    assert replace(it, key_stores=(other,)).holder is None
    assert it.cluster_id == CLUSTER


def test_a_look_is_complete_when_nothing_was_refused() -> None:
    assert world(key()).is_complete
    assert not world(unread=("kms:ListKeys was refused",)).is_complete
    assert not world(key(), key("b", unread="kms:DescribeKey was refused")).is_complete


def test_the_keys_to_show_first_are_those_that_may_be_missed_most() -> None:
    order = [
        lived(HOURS, YEAR),
        lived(2 * DAY, YEAR),
        lived(None, 10 * DAY),
        lived(40 * DAY, YEAR),
        lived(90 * DAY, YEAR),
        lived(None, YEAR),
    ]
    named = [replace(it, key_id=f"key-{number}") for number, it in enumerate(order)]
    assert most_used(reversed(named), NOW, days=30) == named

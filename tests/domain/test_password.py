"""What is known of kmsuser's password on another cluster, before anybody approves to move there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.forecast import forecast
from chalicelib.domain.rules.password import CONNECTING, Login, login, login_words
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Cluster, Connects, Copy, Snapshot
from tests.domain.scenes import offer
from tests.domain.worlds import (
    CLUSTER,
    DAY,
    MINUTE,
    NOW,
    cluster,
    key,
    sibling,
    situation,
    world,
)


def copied(age: timedelta | None, of: str = CLUSTER) -> Cluster:
    copy = None if age is None else Copy(of, NOW - age)
    return replace(sibling(), source_backup="backup-1", copy=copy)


def seen(last: timedelta | None, *, are_read: bool = True, own: Copy | None = None) -> Snapshot:
    """The store connected so long ago for the last time; None: not in 90 days."""
    told = Connects(are_read, None if last is None else NOW - last)
    return world(
        key("a"),
        cluster=cluster("1a", "1b", source_backup="backup-9" if own else "", copy=own),
        connects=told,
    )


ORIGINAL = replace(sibling(), copy=None)
OURS = Copy(ORIGINAL.cluster_id, NOW - 9 * DAY)
ROWS: list[tuple[str, Cluster, Snapshot, Login]] = [
    ("made after the last connect", copied(DAY), seen(2 * DAY), Login.SURE),
    ("made before the last connect", copied(30 * DAY), seen(2 * DAY), Login.TOO_OLD),
    ("made while it connected", copied(2 * DAY - MINUTE), seen(2 * DAY), Login.PROBABLE),
    ("just as long as a connect may take", copied(2 * DAY - CONNECTING), seen(2 * DAY), Login.SURE),
    ("no connect in 90 days, made since", copied(89 * DAY), seen(None), Login.SURE),
    ("no connect in 90 days, made before", copied(91 * DAY), seen(None), Login.NOT_KNOWN),
    ("its backup is gone", copied(None), seen(2 * DAY), Login.NOT_KNOWN),
    ("CloudTrail could not be read", copied(DAY), seen(None, are_read=False), Login.NOT_KNOWN),
    ("not made from a backup", ORIGINAL, seen(2 * DAY), Login.NOT_KNOWN),
    ("made from a third cluster’s backup", copied(DAY, "cluster-x"), seen(2 * DAY), Login.NOT_KNOWN),
    ("an old one of a third cluster", copied(9 * DAY, "cluster-x"), seen(2 * DAY), Login.TOO_OLD),
    ("the original of ours, connected since", ORIGINAL, seen(2 * DAY, own=OURS), Login.TOO_OLD),
    ("the original of ours, not connected", ORIGINAL, seen(None, own=OURS), Login.NOT_KNOWN),
    ("no cluster", copied(DAY), replace(seen(DAY), cluster=None), Login.NOT_KNOWN),
    ("no cluster, no copy", ORIGINAL, replace(seen(DAY), cluster=None), Login.NOT_KNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("why", "target", "snapshot", "found"), ROWS, ids=[row[0] for row in ROWS])
def test_whether_aws_can_log_in_there(
    why: str, target: Cluster, snapshot: Snapshot, found: Login
) -> None:
    assert login(target, snapshot) is found, why
    words = login_words(target, snapshot)
    assert ("crypto officer" in words) is (found is not Login.SURE)


def test_the_words_have_both_dates() -> None:
    old = login_words(copied(30 * DAY), seen(2 * DAY))
    assert "last on 28 Feb, after that cluster’s backup" in old
    assert "the backup of 1 Mar is newer" in login_words(copied(DAY), seen(2 * DAY))


@pytest.mark.parametrize(("age", "works"), [(DAY, True), (30 * DAY, False)])
def test_the_forecast_knows_it(age: timedelta, works: bool) -> None:
    it = replace(seen(2 * DAY), siblings=(copied(age),))
    foreseen = forecast(offer(Remedy.REPOINT, it), situation(it))
    assert (Operation.DELETE_CLUSTER in [call.operation for call in foreseen.calls]) is works
    assert ("INVALID_CREDENTIALS" in foreseen.why) is not works

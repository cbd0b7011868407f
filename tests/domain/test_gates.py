"""The checks before anything final: what closes each, what it says, and who may override it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.rules.gates import closed_gates, hard_gates
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.snapshot import NO_OTHERS, Backup, KeyState, Snapshot
from tests.domain.worlds import DAY, HOURS, NOW, busy, cluster, key, situation, used, world

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
REFUSED = ("kms:ListKeys was refused",)
OLD_BACKUP = cluster("1a", backups=(Backup("b", BackupState.READY, NOW - 400 * DAY),))
MAKING = cluster("1a", backups=(Backup("b", BackupState.CREATE_IN_PROGRESS, NOW),))
UNREAD = key("a", KeyState.UNKNOWN, unread="kms:DescribeKey was refused")
ROWS: list[tuple[str, Remedy, Snapshot, str, bool]] = [
    ("all is well", R, world(key()), "", False),
    ("a refused list", R, world(unread=REFUSED), "ListKeys was refused", False),
    ("a refused list, repoint", M, world(unread=REFUSED), "ListKeys", False),
    ("park needs no full list", P, world(unread=REFUSED), "", False),
    ("park of what may have a store", P, world(free=True, unread=("kms:DescribeCustomKeyStores was refused",)), "DescribeCustomKeyStores", False),
    ("an unread key", R, world(UNREAD), "DescribeKey was refused", False),
    ("no backup", R, world(cluster=cluster("1a", backups=())), "There is none", False),
    ("a backup in the making is none", M, world(cluster=MAKING), "There is none", False),
    ("a key newer than the backup", R, world(key(), cluster=OLD_BACKUP), "newest key", False),
    ("a key as old as the backup", R, world(key("a", created_at=NOW - 400 * DAY), cluster=OLD_BACKUP), "newest key", False),
    ("a key older than the backup", R, world(key("a", created_at=NOW - 401 * DAY), cluster=OLD_BACKUP), "", False),
    ("only old keys count for retire", M, world(key(), cluster=OLD_BACKUP), "", False),
    ("no cluster, no backup needed", R, world(cluster=None), "", False),
    ("a used key", R, world(key("a", last_use=used(HOURS))), "was used", True),
    ("two used keys", R, world(key("a", last_use=used(HOURS)), key("b", last_use=used(HOURS))), "and 1 more", True),
    ("a used key, park", P, world(key("a", last_use=used(HOURS))), "", False),
    ("a short record", R, world(key("a", last_use=used(None, tracked=timedelta(days=3)))), "no record before 27 Feb", True),
    ("no record at all", R, world(key("a", last_use=used(None, tracked=None))), "no record", True),
    ("other sessions", P, world(free=True, other_use=busy(3)), "3 connections", True),
    ("other interfaces", R, world(other_use=replace(NO_OTHERS, interfaces=("eni-1",))), "1 network interface of others uses", True),
    ("keep changes nothing", Remedy.KEEP, world(unread=REFUSED), "", False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "found", "soft"), ROWS, ids=[r[0] for r in ROWS])  # fmt: skip
def test_what_closes_a_gate(
    why: str, remedy: Remedy, snapshot: Snapshot, found: str, soft: bool
) -> None:
    gates = closed_gates(remedy, situation(snapshot))
    hard = hard_gates(remedy, situation(snapshot))
    if not found:
        assert gates == (), why
        return
    gate = next(gate for gate in gates if found in gate.found)
    assert gate.can_override is soft
    assert (gate in hard) is not soft
    assert gate.check
    assert gate.helps


def test_many_refusals_are_counted() -> None:
    refused = tuple(f"call {i} was refused" for i in range(5))
    gate = hard_gates(R, situation(world(unread=refused)))[0]
    assert gate.found.endswith("and 2 more")


def test_the_help_names_the_day_on_which_the_record_is_long_enough() -> None:
    young = key("a", last_use=used(None, tracked=timedelta(days=3)))
    gates = closed_gates(R, situation(world(young)))
    assert "Wait until 29 Mar" in gates[0].helps


def test_a_key_made_after_tracking_began_and_never_used_is_known_to_be_unused() -> None:
    new = key("a", created_at=NOW - 3 * HOURS, last_use=used(None, tracked=timedelta(days=3)))
    snapshot = world(new, cluster=cluster("1a", backups=(Backup("b", BackupState.READY, NOW),)))
    assert closed_gates(R, situation(snapshot)) == ()
    unknown_age = replace(new, created_at=None)
    assert not unknown_age.never_used()

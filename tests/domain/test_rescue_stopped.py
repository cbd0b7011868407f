"""A rescue that is stopped at each of its steps: what it made goes again, or serves keys, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from chalicelib.domain.rules.step import Call
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import BackupState
from chalicelib.domain.state.plan import CASE_TAG, Operation, Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import Snapshot, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.test_rescue import BACKUP, OLD, lost, outage
from tests.domain.worlds import Play, key, store, world

O = Operation  # noqa: E741  # they stand in every line
BARE = replace(OLD, hsms=())
ROOM = Room((Subnet("subnet-a", "1a", "vpc-1", 90), Subnet("subnet-c", "1c", "vpc-1", 90)), 1, 2)
WITH_BACKUP = replace(OLD, backups=(BACKUP,))
"""Its subnet in 1b is gone, and it has HSMs in both."""
WORLDS: dict[str, Snapshot] = {
    "lost": lost(key("a"), backups=(replace(BACKUP, state=BackupState.PENDING_DELETION),)),
    "no HSM": world(key("a"), cluster=BARE),
    "no HSM, failed": world(key("a"), cluster=BARE, held=store(StoreState.FAILED)),
    "no HSM, off": world(key("a"), cluster=BARE, held=store(StoreState.DISCONNECTED)),
    "failed": world(key("a"), cluster=OLD, held=store(StoreState.FAILED, error="NETWORK_ERRORS")),
    "a subnet is gone": world(
        key("a"),
        cluster=WITH_BACKUP,
        held=store(StoreState.FAILED, error="SUBNET_NOT_FOUND"),
        room=ROOM,
    ),
}
"""Each begins with an outage, for its own reason."""


def begun(name: str) -> Play:
    play = outage(WORLDS[name], Trigger.STORE_DOWN, last_cluster=OLD)
    if play.case.offers and (plan := play.case.offer(Remedy.RESCUE)) and plan.lacks_choice:
        play.choose(("1a", "subnet-a"), ("1c", "subnet-c"))
    else:
        play.approve(Remedy.RESCUE, "alice")
    return play


@cache
def calls_of(name: str) -> tuple[Operation, ...]:
    play = begun(name)
    assert play.to_close().outcome is Outcome.RESCUED
    return tuple(play.operations)


MOMENTS = [(name, n) for name in WORLDS for n in range(1, len(calls_of(name)) + 1)]


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize(("name", "after"), MOMENTS)
def test_what_it_made_goes_or_is_used(name: str, after: int, settled: bool) -> None:
    play = begun(name)
    play.until(lambda step: isinstance(step, Call) and len(play.calls) >= after)
    if settled:
        play.now += timedelta(minutes=15)
    served = _state(play) is StoreState.CONNECTED and _has_hsms(play)
    theirs = {hsm.hsm_id for hsm in WORLDS[name].live_hsms}
    play.click(Act.CANCEL)
    end = play.to_close()
    assert end.outcome is Outcome.CANCELLED
    world_ = play.model.at(play.now)
    assert theirs <= {hsm.hsm_id for hsm in world_.live_hsms}, "HSMs of others are not touched"
    if served:
        assert _state(play) is StoreState.CONNECTED, "nobody's keys are cut off"
    made = [c for c in world_.siblings if (CASE_TAG, "case-1") in c.tags]
    if made:
        assert world_.key_stores[0].cluster_id == made[0].cluster_id
        assert made[0].cluster_id in end.reason
    ours = {hsm.hsm_id for hsm in world_.live_hsms} - theirs
    if ours:
        assert _state(play) is StoreState.CONNECTED
        assert "HSMs that Unlatch made stay" in end.reason
    there = world_.cluster.hsms if world_.cluster else ()
    assert all(hsm.is_live for hsm in there), "it waits for what it removes"


def _state(play: Play) -> StoreState:
    return play.model.at(play.now).key_stores[0].state


def _has_hsms(play: Play) -> bool:
    seen = play.model.at(play.now)
    on = seen.key_stores[0].cluster_id
    homes = [c for c in (seen.cluster, *seen.siblings) if c and c.cluster_id == on]
    return any(home.live_hsms for home in homes)


def test_the_worlds_differ_in_what_they_need() -> None:
    assert [calls_of(name)[0] for name in WORLDS] == [
        O.RESTORE_BACKUP,
        O.CREATE_HSM,
        O.CREATE_HSM,
        O.CREATE_HSM,
        O.DISCONNECT_KEY_STORE,
        O.KEEP_BACKUP,
    ]


def test_with_the_key_store_gone_nothing_uses_what_was_made() -> None:
    play = begun("no HSM, failed")
    play.to_call(O.CREATE_HSM)
    play.now += timedelta(minutes=15)
    play.change(lambda w: replace(w, key_stores=(), keys=()))
    play.click(Act.CANCEL)
    assert play.to_close().outcome is Outcome.CANCELLED
    assert play.operations[-1] is O.DELETE_HSM

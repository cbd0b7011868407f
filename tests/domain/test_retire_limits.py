"""What a retirement leaves or can't begin: never activated clusters, busy ones, material that stays behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.domain.rules.gates import hard_gates
from chalicelib.domain.rules.step import Wait
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.hsm_states import ClusterState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import KeyState, OtherUse, Snapshot, StoreState
from tests.domain.worlds import Play, approved, cluster, key, situation, store, world

S = StoreState
DYING = (key("b", KeyState.PENDING_DELETION), key("a", KeyState.PENDING_DELETION))
NEVER = (ClusterState.UNINITIALIZED, ClusterState.INITIALIZED)


def in_state(state: ClusterState) -> Callable[[Snapshot], Snapshot]:
    def change(seen: Snapshot) -> Snapshot:
        return replace(seen, cluster=replace(seen.cluster, state=state) if seen.cluster else None)

    return change


@pytest.mark.parametrize("state", NEVER)
def test_a_cluster_that_was_never_activated_needs_no_backup(state: ClusterState) -> None:
    bare = replace(cluster("1a", backups=()), state=state)
    play = approved(world(free=True, cluster=bare, other_use=OtherUse()), Remedy.RETIRE)
    assert play.case.offers[-1].terms.people == 2, "nobody can use it"
    assert play.to_close().outcome is Outcome.RETIRED
    assert play.operations == [Operation.DELETE_HSM, Operation.DELETE_CLUSTER]


@pytest.mark.parametrize("state", NEVER)
def test_one_that_was_made_from_a_backup_has_keys(state: ClusterState) -> None:
    it = replace(cluster("1a", backups=()), state=state, source_backup="backup-9")
    play = Play(world(free=True, cluster=it))
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is Remedy.RETIRE)
    assert plan.names(Operation.KEEP_BACKUP)
    gates = hard_gates(Remedy.RETIRE, situation(play.snapshot))
    assert [gate.check for gate in gates] == ["A backup that is ready"]


@pytest.mark.parametrize(
    "state", [ClusterState.MODIFY_IN_PROGRESS, ClusterState.ROLLBACK_IN_PROGRESS]
)
def test_while_aws_changes_the_hsms_none_goes_and_no_key_is_scheduled(state: ClusterState) -> None:
    busy = replace(cluster("1a", "1b"), state=state)
    for it in (world(key(), cluster=busy), world(free=True, cluster=busy)):
        play = approved(it, Remedy.RETIRE)
        step = play.turn()
        assert isinstance(step, Wait)
        assert step.why == f"the cluster is busy ({state})" or "no other program" in step.why
        for _ in range(3):
            play.turn()
        assert play.calls == []
        play.change(in_state(ClusterState.ACTIVE))
        assert play.to_close().outcome is Outcome.RETIRED


def test_an_undo_waits_for_that_too() -> None:
    play = approved(world(key()), Remedy.PARK)
    play.to_close()
    play.change(in_state(ClusterState.MODIFY_IN_PROGRESS))
    play.click(Act.UNDO)
    play.turn()
    step = play.turn()
    assert isinstance(step, Wait)
    assert step.why == "the cluster is busy (MODIFY_IN_PROGRESS)"


LEFT: list[tuple[str, Snapshot, tuple[str, ...]]] = [
    ("connected", world(*DYING), ()),
    ("it can connect", world(*DYING, held=store(S.DISCONNECTED)), ()),
    ("it failed, and may connect", world(*DYING, held=store(S.FAILED)), ()),
    (
        "off, and no HSM",
        world(*DYING, held=store(S.DISCONNECTED), zones=()),
        ("alias/a", "alias/b"),
    ),
    ("connected, and no HSM", world(*DYING, zones=()), ("alias/a", "alias/b")),
]


@pytest.mark.parametrize(("why", "seen", "left"), LEFT, ids=[row[0] for row in LEFT])
def test_material_that_would_stay_behind_is_named(
    why: str, seen: Snapshot, left: tuple[str, ...]
) -> None:
    play = Play(seen)
    play.turn()
    plan = next(p for p in play.case.offers if p.remedy is Remedy.RETIRE)
    assert tuple(sorted(plan.left_behind)) == left, why
    assert all(p.left_behind == () for p in play.case.offers if not p.remedy.deletes_keys)


def test_keys_that_wait_in_a_store_that_is_off_are_connected_first() -> None:
    play = approved(world(*DYING, held=store(S.DISCONNECTED)), Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED
    assert play.operations[:3] == [
        Operation.CONNECT_KEY_STORE,
        Operation.DISCONNECT_KEY_STORE,
        Operation.DELETE_KEY_STORE,
    ]


def test_where_nothing_can_connect_the_approved_plan_waits_and_goes_on() -> None:
    play = approved(world(*DYING, held=store(S.DISCONNECTED), zones=()), Remedy.RETIRE)
    assert play.to_close().outcome is Outcome.RETIRED
    assert Operation.CONNECT_KEY_STORE not in play.operations


def test_a_store_is_disconnected_while_aws_changes_the_hsms() -> None:
    """It touches neither HSMs nor keys."""
    busy = replace(cluster("1a", "1b"), state=ClusterState.MODIFY_IN_PROGRESS)
    play = approved(world(cluster=busy), Remedy.RETIRE)
    play.to_call(Operation.DISCONNECT_KEY_STORE)

"""The sweep sees what others change in the world of an open case, and wakes it. Two reads a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.state.case import Case, Outcome, Phase
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.snapshot import KeyState, Snapshot, StoreState
from chalicelib.failures import PermanentError, TemporaryError
from chalicelib.flows.moved import wake_if_moved
from chalicelib.flows.open_case import open_case
from chalicelib.flows.outlines import Outlines
from chalicelib.flows.sweep import sweep
from tests.flows.answers import private
from tests.flows.stand import Stand, key, world

Make = Callable[..., Stand]


def waiting_for_keys(stand: Make) -> tuple[Stand, str]:
    """A retirement whose key waits; its run sleeps for days."""
    it = stand(world(key(1)))
    made = open_case(it.ports, it.failed())
    assert made
    it.run(made.case_id, until=lambda c: bool(c.message.ts))
    it.approve("alice", "retire", made.case_id)
    it.approve("bob", "retire", made.case_id)
    it.run(made.case_id, until=lambda c: "KMS deletes" in c.waiting_for)
    it.stored.sleep(made.case_id, version=it.case(made.case_id).version, token="asleep")
    return it, made.case_id


def others(it: Stand, **change: object) -> None:
    it.aws.model.world = replace(it.aws.model.world, **change)  # type: ignore[arg-type]


def test_nothing_moved_nobody_is_woken(stand: Make) -> None:
    it, _ = waiting_for_keys(stand)
    sweep(it.ports)
    assert it.runs.woken == []


def test_a_store_that_others_disconnect_wakes_the_case(stand: Make) -> None:
    it, case_id = waiting_for_keys(stand)
    (store,) = it.aws.model.world.key_stores
    others(it, key_stores=(replace(store, state=StoreState.DISCONNECTED),))
    sweep(it.ports)
    assert it.runs.woken == ["asleep"]
    it.turn(case_id)
    case = it.case(case_id)
    assert (case.phase, case.expires_at, case.watches) == (Phase.WAITING, None, True)
    it.runs.woken.clear()
    sweep(it.ports)
    assert it.runs.woken == [], "it has seen that now"


def test_hsms_and_a_cluster_that_others_delete_wake_it(stand: Make) -> None:
    it, _ = waiting_for_keys(stand)
    cluster = it.aws.model.world.cluster
    assert cluster
    others(it, cluster=replace(cluster, hsms=cluster.hsms[:1]))
    sweep(it.ports)
    others(it, cluster=None)
    sweep(it.ports)
    assert len(it.runs.woken) == 2


class Blind:
    """An inventory that can't read the lists of a place."""

    def __init__(self, inner: object, trouble: Exception | None) -> None:
        self.inner, self.trouble, self.looks = inner, trouble, 0

    def outline(self, account: str, region: str, *, now: datetime) -> Snapshot:
        self.looks += 1
        if self.trouble:
            raise self.trouble
        seen: Snapshot = self.inner.outline(account, region, now=now)  # type: ignore[attr-defined]
        return replace(seen, siblings=(), key_stores=(), unread=("kms:… was refused",))


def test_what_can_not_be_read_wakes_nobody_and_is_asked_once(stand: Make) -> None:
    it, case_id = waiting_for_keys(stand)
    for trouble in (None, TemporaryError("AWS is busy"), PermanentError("No.")):
        blind = Blind(it.aws, trouble)
        ports = replace(it.ports, inventory=blind)  # type: ignore[arg-type]
        outlines = Outlines(ports)
        assert not wake_if_moved(ports, outlines, it.case(case_id))
        assert not wake_if_moved(ports, outlines, it.case(case_id))
        assert blind.looks == 1
    assert it.runs.woken == []


def test_a_case_that_can_not_be_woken_is_told_in_the_log(stand: Make) -> None:
    it, case_id = waiting_for_keys(stand)
    others(it, cluster=None)
    it.runs.wake = fails  # type: ignore[method-assign]
    assert not wake_if_moved(it.ports, Outlines(it.ports), it.case(case_id))


def fails(token: str) -> None:
    raise TemporaryError(f"Step Functions is busy: {token}")


def test_a_case_that_is_over_or_never_looked_is_left_alone(stand: Make) -> None:
    it, case_id = waiting_for_keys(stand)
    others(it, cluster=None)
    case = it.case(case_id)
    outlines = Outlines(it.ports)
    assert not wake_if_moved(it.ports, outlines, replace(case, seen=None))
    over = replace(case, phase=Phase.CLOSED, outcome=Outcome.CANCELLED, watches=False)
    assert not wake_if_moved(it.ports, outlines, over)


def test_a_stop_half_way_lives_on_and_can_be_cancelled(stand: Make) -> None:
    """AWS refuses the second of two keys: the first one is watched, and comes back."""
    it = stand(world(key(1), key(2)))
    made = open_case(it.ports, it.failed())
    assert made
    case_id = made.case_id
    it.run(case_id, until=lambda c: bool(c.message.ts))
    perform = it.aws.perform

    def refuses(step: object, target: str, *, case: Case) -> object:
        if target == "key-2":
            raise PermanentError("AWS refused kms:ScheduleKeyDeletion: the key’s policy denies it.")
        return perform(step, target, case=case)  # type: ignore[arg-type]

    it.aws.perform = refuses  # type: ignore[method-assign,assignment]
    it.approve("alice", "retire", case_id)
    it.approve("bob", "retire", case_id)
    case = it.run(case_id, until=lambda c: c.is_closed)
    assert case.outcome is Outcome.STOPPED
    assert not case.is_over
    turn = it.turn(case_id)
    assert (turn.finished, turn.wait_seconds > 3600) == (False, True)
    assert [pointer.case_id for pointer in it.stored.pointers()] == [case_id]
    assert private(it.click("bob", "cancel", case_id)) == ""
    assert it.runs.started == [(case_id, 0)], "its run lives, so that no new one is needed"
    case = it.run(case_id, until=lambda c: c.is_over)
    assert case.outcome is Outcome.CANCELLED
    assert {k.state for k in it.aws.model.world.keys} == {KeyState.ENABLED}
    assert it.stored.pointers() == []
    assert [click.act for click in case.clicks if click.act is Act.CANCEL] == [Act.CANCEL]

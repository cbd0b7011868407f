"""What a look at AWS leaves in the case: since when the cluster is gone, the HSMs quiet, the keys soaking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.observe import observe, seen_in
from chalicelib.domain.rules.gone import CONFIRM, is_gone, until_sure
from chalicelib.domain.rules.step import Wait
from chalicelib.domain.state.case import Before, CallRecord, CallStatus, Case, KeyBefore
from chalicelib.domain.state.click import Act, Click
from chalicelib.domain.state.hsm_states import ClusterState, HsmState
from chalicelib.domain.state.plan import Operation, Remedy
from chalicelib.domain.state.snapshot import Hsm, KeyState, Seen, Snapshot, StoreState
from tests.domain.scenes import made, scene
from tests.domain.worlds import (
    CLUSTER,
    HOURS,
    NOW,
    OTHER_CLUSTER,
    case,
    cluster,
    hsms,
    key,
    sibling,
    store,
    world,
)

R, P, M = Remedy.RETIRE, Remedy.PARK, Remedy.REPOINT
S = StoreState
DELETE, PROVE = Operation.DELETE_HSM, Operation.PROVE_KEY
INTENT, DONE = CallStatus.INTENT, CallStatus.DONE
THEN = NOW - HOURS
BEGUN = Before(NOW, None, (), (), CLUSTER)
UNREAD = ("cloudhsm:DescribeClusters was refused",)
FREE, EMPTY = world(free=True), world(free=True, zones=())
LEAVING = cluster(hsms=hsms("1a", state=HsmState.DELETE_IN_PROGRESS))
GONE: list[tuple[str, Snapshot, Before | None, bool]] = [
    ("there", world(), None, False),
    ("no cluster", world(cluster=None), None, True),
    ("no cluster, after our first call", world(cluster=None), BEGUN, True),
    ("nothing could be read", world(cluster=None, unread=UNREAD), None, False),
    ("nothing holds it", EMPTY, None, True),
    ("nothing holds it, something unread", replace(EMPTY, unread=UNREAD), None, False),
    ("nothing holds it, after our first call", EMPTY, BEGUN, False),
    ("a store holds it", world(zones=()), None, False),
    ("an HSM is left", world(free=True, zones=("1a",)), None, False),
    ("an HSM is going", world(free=True, cluster=LEAVING), None, False),
    ("it is going itself", world(free=True, cluster=replace(cluster(), state=ClusterState.DELETE_IN_PROGRESS)), None, False),
    ("it is deleted, and still shown", world(free=True, cluster=replace(cluster(), state=ClusterState.DELETED)), None, False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "snapshot", "before", "gone"), GONE, ids=[r[0] for r in GONE])
def test_gone_for_sure(why: str, snapshot: Snapshot, before: Before | None, gone: bool) -> None:
    it = case(before=before)
    assert is_gone(it, snapshot) is gone, why
    assert observe(it, snapshot, NOW).missing_since == (NOW if gone else None)


def test_the_last_cluster_seen_is_remembered() -> None:
    seen = observe(case(), world(), NOW)
    assert seen.last_cluster == seen.snapshot.cluster == cluster("1a", "1b")  # type: ignore[union-attr]
    later = observe(seen, world(cluster=None), NOW)
    assert later.last_cluster == cluster("1a", "1b")
    assert later.snapshot == world(cluster=None)


def missed_before(it: Case, snapshot: Snapshot) -> Case:
    """The case as it is when an earlier look missed the same, an hour ago."""
    seen = observe(it, snapshot, THEN)
    return replace(it, missing=seen.missing, missing_since=seen.missing_since)


def off(where: str = CLUSTER, state: StoreState = S.DISCONNECTED) -> Snapshot:
    return world(key(), held=store(state, cluster_id=where), siblings=(sibling(),))


TO_MOVE, THERE = off(state=S.CONNECTED), off(OTHER_CLUSTER, S.CONNECTED)
OTHERS = replace(store(), key_store_id="cks-2")
QUIET: list[tuple[str, Remedy, Snapshot, Snapshot, bool]] = [
    ("connected", P, TO_MOVE, TO_MOVE, False),
    ("going off", P, off(state=S.DISCONNECTING), TO_MOVE, False),
    ("off", P, off(), TO_MOVE, True),
    ("deleted", P, replace(TO_MOVE, key_stores=()), TO_MOVE, True),
    ("deleted, and another one came", P, replace(TO_MOVE, key_stores=(OTHERS,)), TO_MOVE, False),
    ("off, and another one came", P, replace(TO_MOVE, key_stores=(OTHERS, off().key_stores[0])), TO_MOVE, True),
    ("moved to the target", M, THERE, TO_MOVE, True),
    ("moved elsewhere", M, off("cluster-x", S.CONNECTED), TO_MOVE, False),
    ("never held by a store", P, FREE, FREE, True),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "basis", "quiet"), QUIET, ids=[r[0] for r in QUIET])  # fmt: skip
def test_kms_has_left_the_hsms(
    why: str, remedy: Remedy, snapshot: Snapshot, basis: Snapshot, quiet: bool
) -> None:
    it = missed_before(scene(remedy, snapshot, basis=basis).case, snapshot)
    assert observe(it, snapshot, NOW).quiet_since == (NOW if quiet else None), why
    again = observe(replace(it, quiet_since=THEN), snapshot, NOW)
    assert again.quiet_since == (THEN if quiet else None)


def test_without_a_plan_nothing_is_timed() -> None:
    it = observe(case(quiet_since=THEN, soaking_since=THEN), off(), NOW)
    assert not it.quiet_since
    assert not it.soaking_since


PROVED = (made(PROVE, "key-a"),)
TWO = replace(THERE, keys=(key("a"), key("b")))
ONE_OFF = replace(THERE, keys=(key("a"), key("b", KeyState.DISABLED)))
SOAKS: list[tuple[str, Remedy, Snapshot, tuple[CallRecord, ...], bool]] = [
    ("all keys work there", M, THERE, PROVED, True),
    ("a disabled one needs no proof", M, ONE_OFF, PROVED, True),
    ("one is not proved", M, TWO, PROVED, False),
    ("none is", M, THERE, (), False),
    ("not there yet", M, TO_MOVE, PROVED, False),
    ("not connected", M, off(OTHER_CLUSTER), PROVED, False),
    ("the store is gone", M, replace(THERE, key_stores=()), PROVED, False),
    ("no repoint", R, TO_MOVE, PROVED, False),
]  # fmt: skip


@pytest.mark.parametrize(("why", "remedy", "snapshot", "calls", "soaks"), SOAKS, ids=[r[0] for r in SOAKS])  # fmt: skip
def test_the_keys_run_on_the_other_cluster(
    why: str, remedy: Remedy, snapshot: Snapshot, calls: tuple[CallRecord, ...], soaks: bool
) -> None:
    it = missed_before(scene(remedy, snapshot, *calls, basis=TO_MOVE).case, snapshot)
    assert observe(it, snapshot, NOW).soaking_since == (NOW if soaks else None), why
    again = observe(replace(it, soaking_since=THEN), snapshot, NOW)
    assert again.soaking_since == (THEN if soaks else None)


def statuses(snapshot: Snapshot, *calls: CallRecord, basis: Snapshot = FREE) -> list[CallStatus]:
    """What the calls are known as after a look."""
    it = scene(R, snapshot, *calls, basis=basis).case
    return [call.status for call in observe(it, snapshot, NOW).calls]


LOST = made(DELETE, "1a", status=INTENT)
ONE_LESS = world(free=True, zones=("1b",))
THREE = world(free=True, zones=("1a", "1a", "1b"))
SECOND = made(DELETE, "1a#2", status=INTENT)


def test_a_lost_answer_is_found_where_the_zone_has_an_hsm_less() -> None:
    assert statuses(ONE_LESS, LOST) == [DONE]
    assert statuses(FREE, LOST) == [INTENT]
    assert statuses(world(free=True, cluster=LEAVING), LOST) == [DONE], "a going one is none"
    assert statuses(world(free=True, zones=("1a",)), LOST) == [INTENT], "another zone tells nothing"
    assert statuses(world(free=True, cluster=None), LOST) == [INTENT], "nothing is known"
    assert statuses(ONE_LESS, made(DELETE, "1a", status=CallStatus.REFUSED)) == [CallStatus.REFUSED]
    assert statuses(ONE_LESS, made(DELETE, "1a", status=INTENT, plan_hash="old")) == [INTENT]
    assert statuses(ONE_LESS, made(Operation.CREATE_HSM, "1a", status=INTENT)) == [INTENT]


def test_a_lost_answer_is_found_also_where_another_hsm_came_meanwhile() -> None:
    """Else the call would be repeated on the HSM that came, which nobody agreed to delete."""
    came = world(
        free=True, cluster=cluster(hsms=(*hsms("1b"), Hsm("hsm-new", HsmState.ACTIVE, "1a")))
    )
    it = scene(R, came, LOST, basis=FREE).case

    def after(seen: Snapshot | None) -> CallStatus:
        return observe(replace(it, snapshot=seen), came, NOW).calls[0].status

    assert after(FREE) is DONE
    assert after(came) is INTENT, "it was there before"
    assert after(None) is INTENT
    elsewhere = world(
        free=True, cluster=cluster(hsms=(*came.live_hsms, Hsm("x", HsmState.ACTIVE, "1c")))
    )
    assert after(elsewhere) is INTENT, "another zone tells nothing"
    dying = replace(FREE.live_hsms[0], state=HsmState.DELETE_IN_PROGRESS)
    gone_before = world(free=True, cluster=cluster(hsms=(*came.live_hsms, dying)))
    assert after(gone_before) is INTENT, "it was going already"


def test_the_second_hsm_of_a_zone_is_gone_when_two_are() -> None:
    first = made(DELETE, "1a")
    assert statuses(FREE, first, SECOND, basis=THREE) == [DONE, INTENT]
    assert statuses(ONE_LESS, first, SECOND, basis=THREE) == [DONE, DONE]
    others = (made(DELETE, "1b"), made(DELETE, "1a", plan_hash="old"), made(PROVE, "1a"))
    assert statuses(FREE, *others, SECOND, basis=THREE)[-1] is DONE, "no such call counts as the first"  # fmt: skip


def test_a_plan_that_was_taken_back_still_tells_its_calls() -> None:
    it: Case = replace(scene(R, ONE_LESS, LOST, basis=FREE).case, plan=None)
    assert observe(it, ONE_LESS, NOW).calls[0].status is DONE
    assert observe(replace(it, last_plan=None), ONE_LESS, NOW).calls[0].status is INTENT


MISSED: list[tuple[str, Snapshot]] = [
    ("the cluster", world(key(), cluster=None)),
    ("the store", replace(world(key()), key_stores=())),
    ("a key", world()),
    ("an HSM", world(key(), zones=("1a",))),
    ("an HSM, while another zone has one more", world(key(), zones=("1a", "1c"))),
]
WHOLE = world(key(), siblings=(sibling(),))


@pytest.mark.parametrize(("what", "lacks"), MISSED, ids=[m[0] for m in MISSED])
def test_what_one_look_lacks_is_gone_only_a_minute_later(what: str, lacks: Snapshot) -> None:
    lacks = replace(lacks, siblings=(sibling(),))
    for it in (
        scene(R, WHOLE).case,
        case(offers=(scene(R, WHOLE).plan,)),
        replace(scene(R, WHOLE).case, plan=None, ending=Click(Act.CANCEL, "alice", NOW)),
    ):
        first = observe(it, lacks, NOW)
        assert until_sure(first, NOW) == Wait(61, "reading AWS once more to make sure"), what
        unread = replace(lacks, unread=UNREAD)
        second = observe(observe(first, unread, NOW + CONFIRM / 2), lacks, NOW + CONFIRM)
        assert until_sure(second, NOW + CONFIRM) is None
        assert until_sure(observe(it, unread, NOW), NOW) is None, "nobody knows what it lacks"
        back = observe(first, WHOLE, NOW + CONFIRM)
        assert (back.missing, back.missing_since) == ("", None)


def test_another_thing_that_is_missing_takes_a_minute_of_its_own() -> None:
    first = observe(scene(R, WHOLE).case, replace(WHOLE, key_stores=()), NOW)
    later = observe(first, replace(WHOLE, key_stores=(), keys=()), NOW + CONFIRM)
    assert until_sure(later, NOW + CONFIRM)


def test_where_a_repoint_leads_to_may_be_missing_too_and_what_was_recorded() -> None:
    moves = scene(M, WHOLE).case
    assert observe(moves, replace(WHOLE, siblings=()), NOW).missing
    assert not observe(scene(R, WHOLE).case, replace(WHOLE, siblings=()), NOW).missing
    before = replace(BEGUN, keys=(KeyBefore("key-z", KeyState.ENABLED),))
    assert observe(case(before=before), WHOLE, NOW).missing
    assert not observe(case(last_plan=moves.plan), world(), NOW).missing, "a plan of the past"


def test_what_began_has_not_ended_while_only_one_look_lacks_the_store() -> None:
    """A soak of days does not begin again."""
    it = replace(scene(M, THERE, *PROVED, basis=TO_MOVE).case, soaking_since=THEN, quiet_since=THEN)
    missed = observe(it, replace(THERE, key_stores=()), NOW)
    assert (missed.soaking_since, missed.quiet_since) == (THEN, THEN)


def test_what_a_sweep_compares_is_what_the_look_showed() -> None:
    """Else the change that it was to wake for would go unnoticed until the next look."""
    own, other = world().cluster, cluster("1c")
    elsewhere = replace(store(StoreState.FAILED), key_store_id="cks-9", cluster_id="cluster-9")
    off = store(StoreState.DISCONNECTED)
    assert own is not None
    found = seen_in(case(), [None, replace(other, cluster_id="cluster-9"), own], [elsewhere, off])
    assert found == Seen(StoreState.DISCONNECTED, own.cluster_id, own.zones, own.state)
    assert seen_in(case(), [], []) == Seen()

"""Where a rescue makes HSMs: what AWS would take, when only a new cluster helps, and what people choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.forecast import forecast
from chalicelib.domain.remedies import rescue_plan, rescue_subnets
from chalicelib.domain.revalidate import changes
from chalicelib.domain.rules.step import Ask
from chalicelib.domain.state.case import Outcome
from chalicelib.domain.state.click import Act
from chalicelib.domain.state.plan import Operation, Plan, Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import KeyStore, StoreState
from chalicelib.domain.state.trigger import Trigger
from tests.domain.test_rescue import BACKUP, OLD, SUBNETS, lost, outage
from tests.domain.worlds import MINUTE, POLICY, key, situation, store, world

O = Operation  # noqa: E741  # they stand in every line
BARE = replace(OLD, hsms=())
HELD = replace(OLD, backups=(BACKUP,))
A_AND_C, A_AND_D = (
    (("1a", "subnet-a"), ("1c", "subnet-c")),
    (("1a", "subnet-a"), ("1d", "subnet-d")),
)
FREE = {"subnet-a": 9, "subnet-b": 9, "subnet-c": 9, "subnet-d": 9}
FAILED, OFF, ON = StoreState.FAILED, StoreState.DISCONNECTED, StoreState.CONNECTED
FULL = "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"


def room(**free: int | None) -> Room:
    """These have so many addresses, None: is gone; the others have enough."""
    known: dict[str, int | None] = {**FREE, **{f"subnet-{name}": n for name, n in free.items()}}
    there = (
        Subnet(name, f"1{name[-1]}", "vpc-1", number)
        for name, number in known.items()
        if number is not None
    )
    return Room(tuple(there), 1, 2)


NEEDS: list[tuple[str, KeyStore, Mapping[str, int | None], bool, bool]] = [
    ("it is failed, and all is there", store(FAILED, error="NETWORK_ERRORS"), {}, False, False),
    ("KMS says that a subnet is gone", store(FAILED, error="SUBNET_NOT_FOUND"), {}, False, True),
    ("a subnet is gone, whatever KMS says", store(FAILED, error="X"), {"b": None}, False, True),
    ("KMS says that one is full, and it is", store(FAILED, error=FULL), {"b": 0}, False, True),
    ("it was full, and is not any more", store(FAILED, error=FULL), {"b": 1}, False, False),
    ("one is full of what KMS has there", store(FAILED, error="X"), {"b": 0}, False, False),
    ("it is off, and one is full", store(OFF), {"b": 0}, False, True),
    ("no HSM, and one subnet takes one", store(ON), {"a": 0}, True, False),
    ("no HSM, and no subnet takes one", store(ON), {"a": 1, "b": None}, True, True),
    ("no HSM, failed, and no subnet takes one", store(FAILED), {"a": 1, "b": 1}, True, True),
    ("it is connected, whatever is gone", store(ON), {"b": None}, False, False),
]


@pytest.mark.parametrize(("why", "held", "free", "bare", "new"), NEEDS, ids=[r[0] for r in NEEDS])
def test_when_only_a_new_cluster_helps(
    why: str, held: KeyStore, free: Mapping[str, int | None], bare: bool, new: bool
) -> None:
    seen = world(key("a"), cluster=BARE if bare else OLD, held=held, room=room(**free))
    assert rescue_subnets.needs_new_cluster(seen, held) is new, why


@pytest.mark.parametrize("told", [None, Room(None, 1, 2)])
def test_what_ec2_does_not_tell_is_taken_to_be_there(told: Room | None) -> None:
    full = store(FAILED, error=FULL)
    seen = world(key("a"), cluster=OLD, held=full, room=told)
    assert not rescue_subnets.needs_new_cluster(seen, full), "to try costs nothing"
    bare = outage(replace(seen, cluster=BARE), Trigger.STORE_DOWN).case.offer(Remedy.RESCUE)
    assert bare
    assert bare.names(O.CREATE_HSM) == ("1a", "1b")
    unmapped = replace(BARE, subnets=())
    assert not rescue_subnets.needs_new_cluster(replace(seen, cluster=unmapped, room=room()), full)


def test_an_hsm_goes_to_a_subnet_that_has_room() -> None:
    play = outage(world(key("a"), cluster=BARE, room=room(a=1)))
    play.approve(Remedy.RESCUE, "alice")
    assert play.to_close().outcome is Outcome.RESCUED
    assert play.calls[:1] == [(O.CREATE_HSM, "1b")]
    assert play.operations.count(O.CREATE_HSM) == 1


def chosen(play: object) -> Plan:
    plan = play.case.offer(Remedy.RESCUE)  # type: ignore[attr-defined]
    assert isinstance(plan, Plan)
    return plan


def test_a_look_tells_of_subnets_that_people_chose() -> None:
    """They may be in another VPC, which the look would leave out once the cluster's own has room again."""
    own = tuple(name for _, name in OLD.subnets)
    play = outage(lost(key("a"), room=room()), last_cluster=OLD)
    seen = play.model.world
    assert rescue_subnets.listed(play.case, seen) == own
    play.choose(*A_AND_D)
    assert rescue_subnets.listed(play.case, seen) == (*own, "subnet-d")
    play.to_call(O.CREATE_CLUSTER)
    assert rescue_subnets.listed(replace(play.case, clicks=()), seen) == (*own, "subnet-d")


def test_subnets_that_nobody_knows_are_chosen_by_the_approver() -> None:
    play = outage(lost(key("a"), room=room()))
    plan = chosen(play)
    assert (plan.lacks_choice, plan.new_hsms, plan.subnets) == (True, 2, ())
    foreseen = forecast(plan, situation(play.model.at(play.now), case=play.case))
    assert foreseen.end is not None, "any choice takes as long"
    play.approve(Remedy.RESCUE, "alice")
    assert isinstance(play.turn(), Ask), "nobody can approve it as it is"
    play.choose(*A_AND_C)
    assert play.to_close().outcome is Outcome.RESCUED
    plan = play.case.last_plan or plan
    assert plan.subnets == ("subnet-a", "subnet-c")
    assert [t for o, t in play.calls if o is O.CREATE_HSM] == ["1a", "1c"]


def test_the_next_approver_sees_the_choice_of_the_one_before() -> None:
    play = outage(lost(key("a"), room=room()))
    play.policy = replace(POLICY, quorum_rescue=2)
    play.turn()
    play.choose(*A_AND_C)
    play.turn()
    plan = chosen(play)
    assert plan.subnets == ("subnet-a", "subnet-c")
    play.choose(*A_AND_C, by="bob")
    assert play.to_close().outcome is Outcome.RESCUED


def test_another_choice_is_another_plan_which_needs_its_own_approvals() -> None:
    play = outage(lost(key("a"), room=room()), last_cluster=OLD)
    play.policy = replace(POLICY, quorum_rescue=2)
    play.turn()
    assert chosen(play).subnets == ("subnet-a", "subnet-b"), "those of the old cluster"
    play.approve(Remedy.RESCUE, "alice")
    play.turn()
    play.choose(*A_AND_C, by="bob")
    assert isinstance(play.turn(), Ask), "one yes to each"
    assert chosen(play).subnets == ("subnet-a", "subnet-c"), "the last choice is shown first"
    play.choose(*A_AND_D, by="carol")
    assert isinstance(play.turn(), Ask)
    assert chosen(play).subnets == ("subnet-a", "subnet-d")
    play.click(Act.WITHDRAW, "carol")
    assert isinstance(play.turn(), Ask)
    assert chosen(play).subnets == ("subnet-a", "subnet-c"), "nobody means the other any more"
    play.choose(*A_AND_C, by="alice")
    assert play.to_close().outcome is Outcome.RESCUED


@pytest.mark.parametrize(("free", "word"), [({"c": None}, "is gone"), ({"c": 1}, "1 free")])
def test_a_chosen_subnet_that_is_gone_or_full_asks_again(
    free: Mapping[str, int | None], word: str
) -> None:
    play = outage(lost(key("a"), room=room()))
    play.choose(*A_AND_C)
    play.change(lambda w: replace(w, room=room(**free)))
    asked = play.sure_turn()
    assert isinstance(asked, Ask)
    assert any(word in one.now for one in play.case.differences)
    assert (play.case.plan, play.calls) == (None, [])


def test_so_it_does_between_the_first_call_and_the_new_cluster() -> None:
    play = outage(lost(key("a"), room=room()))
    play.choose(*A_AND_C)
    play.to_call(O.KEEP_BACKUP)
    play.change(lambda w: replace(w, room=room(c=None)))
    play.now += MINUTE
    assert isinstance(play.sure_turn(), Ask)
    assert O.CREATE_CLUSTER not in play.operations
    play.choose(*A_AND_D)
    assert play.to_close().outcome is Outcome.RESCUED


def test_a_zone_in_which_no_chosen_subnet_is_asks_again() -> None:
    play = outage(lost(key("a"), room=room()))
    play.choose(("1a", "subnet-a"), ("1z", "subnet-c"))
    assert isinstance(play.turn(), Ask)
    assert [one.what for one in play.case.differences] == ["Zones of the HSMs"]


def test_once_the_cluster_is_made_its_subnets_are_what_they_are() -> None:
    play = outage(lost(key("a"), room=room()))
    play.choose(*A_AND_C)
    play.to_call(O.CREATE_HSM)
    play.change(lambda w: replace(w, room=room(d=0)))
    assert play.to_close().outcome is Outcome.RESCUED


def test_a_backup_that_is_gone_asks_again_and_one_that_cannot_be_read_does_not() -> None:
    play = outage(lost(key("a")), last_cluster=OLD)
    play.approve(Remedy.RESCUE, "alice")
    play.change(lambda w: replace(w, backups=()))
    assert isinstance(play.sure_turn(), Ask)
    assert [one.what for one in play.case.differences] == ["Backup backup-1"]
    plan = outage(lost(key("a")), last_cluster=OLD).case.offer(Remedy.RESCUE)
    assert plan
    dark = lost(key("a"), backups=(), unread=("cloudhsm:DescribeBackups was refused",))
    assert changes(situation(dark, case=play.case).on(plan)) == ()


def test_a_subnet_that_goes_under_the_approved_rescue_of_the_old_cluster_asks_again() -> None:
    broken = world(key("a"), cluster=HELD, held=store(FAILED, error="NETWORK_ERRORS"), room=room())
    play = outage(broken, Trigger.STORE_DOWN)
    play.approve(Remedy.RESCUE, "alice")
    play.change(lambda w: replace(w, key_stores=(store(FAILED, error="SUBNET_NOT_FOUND"),)))
    assert isinstance(play.turn(), Ask)
    (found,) = play.case.differences
    assert (found.what, found.before) == ("Cluster", "could serve the key store")
    assert "takes a new one" in found.now
    plan = chosen(play)
    assert (plan.backup_id, plan.subnets) == ("backup-1", ("subnet-a", "subnet-b"))


def test_a_new_cluster_takes_the_place_of_one_that_lives() -> None:
    broken = world(
        key("a"),
        cluster=HELD,
        held=store(FAILED, error="SUBNET_NOT_FOUND"),
        room=room(b=None),
    )
    play = outage(broken, Trigger.STORE_DOWN)
    play.choose(*A_AND_C)
    end = play.to_close()
    assert end.outcome is Outcome.RESCUED
    assert play.model.world.live_hsms == OLD.hsms, "nothing of the old one is touched"
    assert "old cluster" in end.reason


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Room(None), "which subnets"),
        (room(a=1, b=1, c=1), "no VPC has subnets in two zones"),
        (Room((Subnet("s", "1a", "v", 9), Subnet("t", "1b", "w", 9))), "no VPC"),
        (Room(()), "no VPC"),
    ],
)
def test_what_gives_no_choice_says_why(seen: Room, words: str) -> None:
    play = outage(lost(key("a"), room=seen))
    assert words in str(rescue_plan.plan(situation(play.model.at(play.now), case=play.case)))


BOXES = [
    ("", "two zones"),
    ("subnet-a/1a/vpc-1", "two zones"),
    ("subnet-a/1a/vpc-1,subnet-b/1a/vpc-1", "one of each zone"),
    ("subnet-a/1a/vpc-1,subnet-b/1b/vpc-2", "one VPC"),
    (",".join(f"subnet-{n}/1{n}/vpc-1" for n in "abcdefghijk"), "10 subnets at most"),
    ("subnet-a/1a/vpc-1,subnet-b/1b/vpc-1", ""),
    ("rubbish", "two zones"),
]


@pytest.mark.parametrize(("ticked", "words"), BOXES)
def test_what_aws_would_not_take_is_said_at_the_boxes(ticked: str, words: str) -> None:
    said = rescue_subnets.flaw(ticked)
    assert words in said
    assert bool(said) is bool(words)


def test_a_choice_is_read_as_it_is_written() -> None:
    assert rescue_subnets.read_choice(rescue_subnets.written(SUBNETS)) == SUBNETS
    assert rescue_subnets.read_choice("subnet-a/1a/vpc-1") == (("1a", "subnet-a"),)


def test_its_own_subnets_make_no_other_plan() -> None:
    plan = outage(lost(key("a")), last_cluster=OLD).case.offer(Remedy.RESCUE)
    assert plan
    assert rescue_subnets.with_subnets(plan, SUBNETS) is plan
    third = rescue_subnets.with_subnets(plan, (*SUBNETS, ("1c", "subnet-c")))
    assert third.names(O.CREATE_HSM) == plan.names(O.CREATE_HSM), "HSMs go where they ran"
    assert third.plan_hash != plan.plan_hash


def test_a_choice_is_not_void_by_time_alone() -> None:
    play = outage(lost(key("a"), room=room()))
    play.policy = replace(POLICY, quorum_rescue=2)
    play.turn()
    play.choose(*A_AND_C)
    for _ in range(3):
        play.now += timedelta(minutes=40)
        assert isinstance(play.turn(), Ask)
    play.choose(*A_AND_C, by="bob")
    assert play.to_close().outcome is Outcome.RESCUED


def test_a_choice_that_makes_no_approved_plan_is_none() -> None:
    """Its hash is what was approved; whoever writes another target into the click approves nothing."""
    play = outage(lost(key("a"), room=room()))
    play.choose(*A_AND_C)
    forged = replace(play.case.clicks[-1], target=rescue_subnets.written(A_AND_D))
    play.case = replace(play.case, clicks=(forged,))
    assert isinstance(play.turn(), Ask)
    assert [plan.subnets for plan in play.case.offers if plan.remedy is Remedy.RESCUE] == [()]

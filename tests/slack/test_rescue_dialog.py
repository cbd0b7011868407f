"""The dialog of a rescue: where its HSMs may be, with free addresses, and what is not known is said to be so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.forecast import forecast
from chalicelib.domain.state.plan import Remedy
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import StoreState
from chalicelib.domain.state.trigger import Trigger
from chalicelib.slack import modals
from chalicelib.slack.messages.render import render
from tests.domain.test_rescue import BACKUP, NEWER, OLD, lost, outage
from tests.domain.worlds import CLUSTER, POLICY, Play, key, situation, store, world
from tests.slack.reading import nodes, view_problems, words

SUBNETS = tuple(Subnet(f"subnet-{n}", f"1{n}", "vpc-1", 200) for n in "abc")
BARE = replace(OLD, hsms=())


def dialog(play: Play) -> dict[str, Any]:
    plan = play.case.offer(Remedy.RESCUE)
    assert plan
    it = situation(play.model.at(play.now), case=play.case)
    case = replace(play.case, snapshot=it.snapshot)
    view = modals.decide(
        case, plan, policy=POLICY, now=play.now, forecast=forecast(plan, it), count=0, user="alice"
    )
    assert view_problems(view) == []
    return view


def choice(view: dict[str, Any]) -> dict[str, Any]:
    (block,) = (b for b in view["blocks"] if b.get("block_id") == "subnets")
    return dict(block)


def ticked(view: dict[str, Any]) -> list[str]:
    options = choice(view)["element"].get("initial_options", [])
    return [option["value"].partition("/")[0] for option in options]


def test_those_of_the_old_cluster_are_ticked() -> None:
    view = dialog(outage(lost(key("a"), room=Room(SUBNETS, 1, 2)), last_cluster=OLD))
    block = choice(view)
    texts = [option["text"]["text"] for option in block["element"]["options"]]
    assert texts == [f"subnet-{n}, 1{n}, 200 addresses free" for n in "abc"]
    assert ticked(view) == ["subnet-a", "subnet-b"]
    assert "old cluster are ticked" in block["hint"]["text"]
    said = words(view["blocks"])
    assert "1 of 4 clusters, 2 of 6 HSMs are used" in said
    assert "Backup of" in said
    assert "what it made is removed" in said


@pytest.mark.parametrize(
    ("clusters", "hsms", "is_tight"), [(3, 4, False), (3, 5, True), (4, 4, True)]
)
def test_room_beyond_the_usual_limits_stands_out(
    clusters: int, hsms: int, *, is_tight: bool
) -> None:
    """What is there and what it makes, beside what AWS usually allows: one cluster, two HSMs."""
    view = dialog(outage(lost(key("a"), room=Room(SUBNETS, clusters, hsms)), last_cluster=OLD))
    (said,) = (n for n in nodes(view["blocks"]) if str(n.get("text")).startswith("Room for it"))
    assert f"{clusters} of 4 clusters, {hsms} of 6 HSMs are used" in said["text"]
    assert said.get("style", {}).get("bold", False) is is_tight


def test_what_nobody_knows_is_not_ticked() -> None:
    view = dialog(outage(lost(key("a"), room=Room(SUBNETS, 4, 5))))
    assert ticked(view) == []
    assert "are ticked" not in choice(view)["hint"]["text"]
    assert "makes a new cluster with 2 HSMs" in words(view["blocks"])


def test_a_full_one_is_named_and_not_offered() -> None:
    full = (
        replace(SUBNETS[0], free=1),
        SUBNETS[2],
        replace(SUBNETS[2], subnet_id="subnet-d", zone="1d"),
    )
    view = dialog(outage(lost(key("a"), room=Room(full, 1, 2)), last_cluster=OLD))
    said = words(view["blocks"])
    assert "subnet-a of the cluster, 1a, has 1 address free; 2 are needed" in said
    assert "subnet-b of the cluster, 1b, is gone" in said
    assert len(choice(view)["element"]["options"]) == 2


def test_many_are_a_menu_and_vpcs_are_told_apart() -> None:
    many = tuple(
        Subnet(f"subnet-{vpc}{n}", f"1{n}", vpc, 50) for vpc in ("vpc-1", "vpc-2") for n in "abcdef"
    )
    view = dialog(outage(lost(key("a"), room=Room(many, 1, 2))))
    element = choice(view)["element"]
    assert (element["type"], element["max_selected_items"]) == ("multi_static_select", 10)
    assert {option["description"]["text"] for option in element["options"]} == {"vpc-1", "vpc-2"}


def test_what_ec2_does_not_tell_is_said() -> None:
    view = dialog(outage(lost(key("a"), room=Room(None, 1, 2)), last_cluster=OLD))
    assert not [b for b in view["blocks"] if b.get("block_id") == "subnets"]
    assert "Free addresses in the subnets are not known" in words(view["blocks"])


def test_hsms_in_the_old_cluster_have_their_subnets_told() -> None:
    play = outage(world(key("a"), cluster=BARE, room=Room(SUBNETS[:2], 1, 0)))
    view = dialog(play)
    said = words(view["blocks"])
    assert "subnet-a of the cluster, 1a, has 200 addresses free" in said
    assert "Those that it uses stay" in said
    assert not [b for b in view["blocks"] if b.get("block_id") == "subnets"], "it has its subnets"


def test_connecting_makes_nothing_and_needs_no_room() -> None:
    failed = world(key("a"), cluster=OLD, held=store(StoreState.FAILED, error="NETWORK_ERRORS"))
    said = words(dialog(outage(failed, Trigger.STORE_DOWN))["blocks"])
    assert "HSMs are used" not in said
    assert "it only connects the key store" in said


@pytest.mark.parametrize("number", [1, 5])
def test_keys_that_can_not_come_back_are_named(number: int) -> None:
    young = [replace(NEWER, key_id=f"key-{n}", aliases=(f"alias/k{n}",)) for n in range(number)]
    said = words(dialog(outage(lost(key("a"), *young), last_cluster=OLD))["blocks"])
    assert "alias/k0 was made after it" in said
    assert ("2 more keys made after it" in said) is (number == 5)


@pytest.mark.parametrize(("number", "said"), [(1, "The key"), (2, "The 2 keys")])
def test_if_none_can_come_back_that_is_said(number: int, said: str) -> None:
    young = [replace(NEWER, key_id=f"key-{n}", aliases=(f"alias/k{n}",)) for n in range(number)]
    alert = words(dialog(outage(lost(*young), last_cluster=OLD))["blocks"])
    assert f"It deletes nothing. {said} can’t come back." in alert


def test_a_cluster_that_lives_keeps_what_is_newer_than_its_backup() -> None:
    down = store(StoreState.FAILED, error="SUBNET_NOT_FOUND")
    seen = world(key("a"), NEWER, cluster=replace(OLD, backups=(BACKUP,)), held=down)
    play = outage(replace(seen, room=Room(SUBNETS, 1, 2)), Trigger.STORE_DOWN)
    said = words(dialog(play)["blocks"])
    assert "alias/young was made after it and can’t move with it" in said
    assert "Key store" in said
    message = words(render(play.case, policy=POLICY, now=play.now, version=1).blocks)
    assert "a cluster keeps its subnets" in message
    play.choose(("1a", "subnet-a"), ("1b", "subnet-b"))
    play.to_close()
    end = words(render(play.case, policy=POLICY, now=play.now, version=1).blocks)
    assert (
        f"The old cluster and its HSMs stay. If nobody needs them, write /unlatch {CLUSTER}" in end
    )

"""What EC2 tells of subnets: only those that HSMs can be in, those near the cluster first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.room import MOST_SUBNETS, room
from chalicelib.domain.state.room import Room
from chalicelib.failures import TemporaryError
from tests.domain.worlds import cluster

WHO = {"role": "unlatch-reader", "account": "111122223333"}


def subnet(name: str, letter: str = "a", vpc: str = "vpc-1", **more: Any) -> dict[str, Any]:
    zone = f"us-east-1{letter}"
    given = {"SubnetId": name, "AvailabilityZone": zone, "VpcId": vpc}
    return {**given, "AvailableIpAddressCount": 9, **more}


def look(*items: dict[str, Any], known: tuple[str, ...] = ()) -> Room:
    def pages(**_: Any) -> Any:
        return [{"Subnets": list(items)}]

    ec2: Any = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=pages))
    return room(ec2, (cluster("1a", "1b"),), known, **WHO)


def names(seen: Room) -> list[str]:
    return [one.subnet_id for one in seen.subnets or ()]


def test_clusters_and_hsms_are_counted() -> None:
    seen = look()
    assert (seen.subnets, seen.clusters, seen.hsms) == ((), 1, 2)


def test_only_those_that_hsms_can_be_in() -> None:
    seen = look(
        subnet("fit"),
        subnet("v6", Ipv6Native=True),
        subnet("rack", OutpostArn="arn:aws:outposts:::outpost/op-1"),
        subnet("local", AvailabilityZone="us-east-1-bos-1a"),
    )
    assert names(seen) == ["fit"]


def test_the_clusters_own_vpc_is_enough_if_it_has_two_zones() -> None:
    all_of_them = (subnet("x", "a", "vpc-0"), subnet("b", "b"), subnet("a"))
    assert names(look(*all_of_them, known=("a",))) == ["a", "b"]
    full = subnet("b", "b", AvailableIpAddressCount=1)
    assert names(look(all_of_them[0], full, all_of_them[2], known=("a",))) == ["a", "b", "x"]
    assert names(look(*all_of_them)) == ["x", "a", "b"], "of an unknown VPC: all"


def test_subnets_that_people_chose_in_another_vpc_are_told_of_once_the_own_one_has_room_again() -> (
    None
):
    all_of_them = (
        subnet("x", "a", "vpc-0"),
        subnet("y", "b", "vpc-0"),
        subnet("b", "b"),
        subnet("a"),
    )
    assert names(look(*all_of_them, known=("a", "x", "y"))) == ["x", "y", "a", "b"]


def test_so_many_as_a_menu_has() -> None:
    many = [subnet(f"s-{n}") for n in range(MOST_SUBNETS + 5)]
    assert len(names(look(*many))) == MOST_SUBNETS


def refusing(code: str) -> Any:
    def pages(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "DescribeSubnets")

    return SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=pages))


def test_a_refusal_is_unknown_and_not_none() -> None:
    assert room(refusing("UnauthorizedOperation"), (), (), **WHO) == Room(None, 0, 0)


def test_trouble_and_a_torn_subnet_are_failed_reads() -> None:
    with pytest.raises(TemporaryError):
        room(refusing("RequestLimitExceeded"), (), (), **WHO)
    with pytest.raises(TemporaryError):
        look({"SubnetId": "half"})

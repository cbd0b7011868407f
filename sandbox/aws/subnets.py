"""Subnets of an account and Region: those of its clusters, whose addresses run out and that somebody deletes,

and those that EC2 has by itself. A cluster keeps the subnets of its creation, whatever becomes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.ec2.models import ec2_backends

from sandbox.aws.calls import RequestContext
from sandbox.aws.filters import filters
from sandbox.aws.regions import Cluster, Region

ADDRESSES = 251
"""Of a /24, without the five that AWS keeps for itself."""


@dataclass(frozen=True)
class Subnet:
    id: str
    zone: str
    vpc: str
    free: int
    cidr: str = "10.0.0.0/24"


def subnets_of(region: Region, *, now: datetime) -> dict[str, Subnet]:
    """All that are there, by id."""
    ours = {
        name: Subnet(name, zone, cluster.vpc, _free(region, name, now=now))
        for cluster in (*region.deleted.values(), *region.clusters.values())
        for zone, name in cluster.zones.items()
        if name not in region.gone_subnets
    }
    shown = ec2_backends[region.account][region.name].describe_subnets()
    others = {
        one.id: Subnet(
            one.id,
            one.availability_zone,
            one.vpc_id,
            one.available_ip_address_count,
            one.cidr_block,
        )
        for one in shown
    }
    return {**others, **ours}


def describe_subnets(region: Region, visit: RequestContext) -> dict[str, Any]:
    wanted = filters(visit.params)
    ids = {v for n, v in visit.params.items() if n.startswith("SubnetId.")}
    found = [
        one
        for one in subnets_of(region, now=visit.now).values()
        if (not ids or one.id in ids) and _matches(one, wanted)
    ]
    return {"Subnets": [_described(visit, one) for one in found]}


def why_not_connected(region: Region, cluster: Cluster, *, now: datetime) -> str | None:
    """KMS needs all subnets of the cluster, and an address in each."""
    there = subnets_of(region, now=now)
    names = cluster.zones.values()
    if any(name not in there for name in names):
        return "SUBNET_NOT_FOUND"
    if any(there[name].free < 1 for name in names):
        return "INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET"
    return None


def _free(region: Region, name: str, *, now: datetime) -> int:
    clusters = region.clusters.values()
    taken = sum(
        cluster.zones.get(hsm.zone) == name
        for cluster in clusters
        for hsm in cluster.live_hsms(now)
    )
    return region.free_addresses.get(name, ADDRESSES - taken)


def _matches(one: Subnet, wanted: dict[str, set[str]]) -> bool:
    """A filter that the sandbox doesn't know matches nothing."""
    has = {"subnet-id": one.id, "vpc-id": one.vpc, "availability-zone": one.zone}
    return all(has.get(name) in values for name, values in wanted.items())


def _described(visit: RequestContext, one: Subnet) -> dict[str, Any]:
    return {
        "SubnetId": one.id,
        "SubnetArn": f"arn:aws:ec2:{visit.region}:{visit.account}:subnet/{one.id}",
        "AvailabilityZone": one.zone,
        "AvailableIpAddressCount": one.free,
        "CidrBlock": one.cidr,
        "DefaultForAz": False,
        "Ipv6Native": False,
        "MapPublicIpOnLaunch": False,
        "OwnerId": visit.account,
        "State": "available",
        "VpcId": one.vpc,
    }

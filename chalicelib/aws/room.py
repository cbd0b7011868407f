"""Reads what a rescue has room for: subnets of the Region, clusters and HSMs that are there already. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import translated, understood
from chalicelib.domain.remedies.rescue_subnets import is_choice
from chalicelib.domain.state.room import Room, Subnet
from chalicelib.domain.state.snapshot import Cluster
from chalicelib.failures import PermanentError
from chalicelib.ids import REGION

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


ZONE = re.compile(rf"{REGION.pattern}[a-z]")
"""Local Zones and Wavelength Zones have longer names."""
MOST_SUBNETS = 100
"""As many as a menu of Slack has options."""


def room(
    ec2: EC2Client,
    clusters: Iterable[Cluster],
    known: Iterable[str],
    *,
    role: str,
    account: str,
) -> Room:
    """`known` are subnets that must not be left out: the cluster's, and chosen ones. Others of their VPC do, too."""
    there = tuple(clusters)
    hsms = sum(len(cluster.live_hsms) for cluster in there)
    call = "ec2:DescribeSubnets"
    try:
        with translated(call, role=role, account=account):
            pages = ec2.get_paginator("describe_subnets").paginate()
            items = [item for page in pages for item in page["Subnets"]]
    except PermanentError:
        return Room(None, len(there), hsms)
    with understood(call):
        seen = [_subnet(item) for item in items if _is_fit(item)]
    return Room(_near(seen, set(known)), len(there), hsms)


def _is_fit(item: Mapping[str, Any]) -> bool:
    """KMS speaks no IPv6, and HSMs are in the Region's own zones alone."""
    is_own = ZONE.fullmatch(item["AvailabilityZone"]) and not item.get("OutpostArn")
    return bool(is_own) and not item.get("Ipv6Native")


def _subnet(item: Mapping[str, Any]) -> Subnet:
    return Subnet(
        subnet_id=item["SubnetId"],
        zone=item["AvailabilityZone"],
        vpc=item["VpcId"],
        free=item["AvailableIpAddressCount"],
    )


def _near(seen: list[Subnet], known: set[str]) -> tuple[Subnet, ...]:
    """Those of the cluster's VPC; of every VPC if that is not known, or has no room in two zones."""
    vpcs = {one.vpc for one in seen if one.subnet_id in known}
    seen.sort(key=lambda one: (one.vpc not in vpcs, one.vpc, one.zone, one.subnet_id))
    own = tuple(one for one in seen if one.vpc in vpcs)
    return own if is_choice(Room(own)) else tuple(seen[:MOST_SUBNETS])

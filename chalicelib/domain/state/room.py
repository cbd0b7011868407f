"""What an account and Region have room for: subnets with their free addresses, clusters, HSMs. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

USUAL_CLUSTERS, USUAL_HSMS = 4, 6
"""What AWS lets each account have in a Region (AWS General Reference), unless it has agreed to more."""


@dataclass(frozen=True)
class Subnet:
    """As EC2 shows it; `free` are addresses that nothing has."""

    subnet_id: str
    zone: str
    vpc: str
    free: int


@dataclass(frozen=True)
class Room:
    """`subnets` are None if EC2 does not tell; clusters and HSMs are those that are there already."""

    subnets: tuple[Subnet, ...] | None = None
    clusters: int = 0
    hsms: int = 0

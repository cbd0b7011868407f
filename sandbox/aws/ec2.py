"""EC2 DescribeNetworkInterfaces: the interfaces of HSMs, which carry their cluster's group.

KMS's own interfaces, which exist while a key store is connected, are left out: nobody documents
how to tell them from others.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.aws.calls import Visit
from sandbox.aws.regions import Cluster, Hsm, Regions

MEMBER = re.compile(r"Filter\.(\d+)\.(?:Name|Value\.\d+)")
OWNER = "amazon-cloudhsm"


class NetworkInterfaces:
    """Answers DescribeNetworkInterfaces; the rest of EC2 is moto's, which takes its time."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def answer(self, visit: Visit) -> dict[str, Any] | None:
        """The result, or None where moto answers. Call it with the regions' lock held."""
        if visit.request.operation != "DescribeNetworkInterfaces":
            return None
        region, wanted = self._regions.at(visit.account, visit.region), _filters(visit.params)
        ids = {v for n, v in visit.params.items() if n.startswith("NetworkInterfaceId.")}
        found = [
            _described(visit, cluster, hsm=hsm)
            for cluster in region.clusters.values()
            for hsm in cluster.live_hsms(visit.now)
            if (not ids or hsm.eni in ids) and _matches(cluster, hsm, wanted=wanted)
        ]
        return {"NetworkInterfaces": found}


def _filters(params: dict[str, Any]) -> dict[str, set[str]]:
    filters: dict[str, set[str]] = {}
    for member, value in params.items():
        if (matched := MEMBER.fullmatch(member)) and not member.endswith("Name"):
            filters.setdefault(params[f"Filter.{matched[1]}.Name"], set()).add(value)
    return filters


def _matches(cluster: Cluster, hsm: Hsm, *, wanted: dict[str, set[str]]) -> bool:
    """A filter that the sandbox doesn't know matches nothing, as none of AWS's would here."""
    has = {
        "group-id": cluster.security_group,
        "vpc-id": cluster.vpc,
        "subnet-id": cluster.zones[hsm.zone],
        "availability-zone": hsm.zone,
        "network-interface-id": hsm.eni,
        "status": "in-use",
    }
    return all(has.get(name) in values for name, values in wanted.items())


def _described(visit: Visit, cluster: Cluster, *, hsm: Hsm) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": hsm.eni,
        "AvailabilityZone": hsm.zone,
        "Description": "CloudHSM Managed Interface",
        "Groups": [
            {
                "GroupId": cluster.security_group,
                "GroupName": f"cloudhsm-{cluster.id}-sg",
            }
        ],
        "InterfaceType": "interface",
        "OwnerId": visit.account,
        "PrivateIpAddress": hsm.ip,
        "RequesterId": OWNER,
        "RequesterManaged": True,
        "Status": "in-use",
        "SubnetId": cluster.zones[hsm.zone],
        "VpcId": cluster.vpc,
    }

"""EC2 as far as clusters show in it: their subnets, and the network interfaces in their security groups.

KMS has one in each zone of a cluster while a key store is connected to it, and describes it as
"KMS managed ENI for cluster <id>" (KMS developer guide: connect-keystore). What CloudHSM writes
into its own, and who their requesters are, is documented nowhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.aws.calls import RequestContext
from sandbox.aws.filters import filters
from sandbox.aws.regions import Cluster, Region, Regions
from sandbox.aws.subnets import describe_subnets

CLOUDHSM, KMS = "amazon-cloudhsm", "amazon-kms"
HAS_INTERFACES = ("CONNECTING", "CONNECTED", "DISCONNECTING")


@dataclass(frozen=True)
class Shown:
    """One interface of a cluster, as EC2 shows it."""

    id: str
    description: str
    zone: str
    ip: str
    requester: str | None
    requester_managed: bool


class Ec2:
    """Answers DescribeNetworkInterfaces and DescribeSubnets; the rest of EC2 is moto's, which takes its time."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def answer(self, visit: RequestContext) -> dict[str, Any] | None:
        """The result, or None if moto answers. Call it with the regions' lock held."""
        operation = visit.request.operation
        if operation == "DescribeSubnets":
            return describe_subnets(self._regions.at(visit.account, visit.region), visit)
        if operation != "DescribeNetworkInterfaces":
            return None
        region, wanted = self._regions.at(visit.account, visit.region), filters(visit.params)
        ids = {v for n, v in visit.params.items() if n.startswith("NetworkInterfaceId.")}
        found = [
            _described(visit, cluster, one)
            for cluster in region.clusters.values()
            for one in _interfaces(region, cluster, now=visit.now)
            if (not ids or one.id in ids) and _matches(cluster, one, wanted=wanted)
        ]
        return {"NetworkInterfaces": found}


def _interfaces(region: Region, cluster: Cluster, *, now: datetime) -> Iterator[Shown]:
    live = cluster.live_hsms(now)
    of_hsms = "ENI of {}" if "A-LEFT-INTERFACES" in region.differs else "CloudHsm ENI {}"
    for hsm in live:
        yield Shown(hsm.eni, of_hsms.format(hsm.id), hsm.zone, hsm.ip, CLOUDHSM, True)
    stores = (s for s in region.stores.values() if s.cluster_id == cluster.id)
    for store in (s for s in stores if s.phase.state in HAS_INTERFACES):
        about = f"KMS managed ENI for cluster {cluster.id}"
        kms = "123456789012" if "A-KMS-INTERFACES" in region.differs else KMS
        each = 2 if "A-FREE-ADDRESSES" in region.differs else 1
        zones = [zone for zone in dict.fromkeys(hsm.zone for hsm in live) for _ in range(each)]
        for place, zone in enumerate(zones):
            made = uuid.uuid5(uuid.NAMESPACE_OID, f"{store.id} {zone} {place}").hex[:17]
            yield Shown(f"eni-{made}", about, zone, f"10.0.250.{10 + place}", kms, True)
    zone = next(iter(cluster.zones))
    for place, one in enumerate(cluster.interfaces):
        ip = f"10.0.251.{10 + place}"
        yield Shown(one.id, one.description, zone, ip, one.requester, one.requester_managed)


def _matches(cluster: Cluster, one: Shown, *, wanted: dict[str, set[str]]) -> bool:
    """A filter that the sandbox doesn't know matches nothing, as none of AWS's would here."""
    has = {
        "group-id": cluster.security_group,
        "vpc-id": cluster.vpc,
        "subnet-id": cluster.zones[one.zone],
        "availability-zone": one.zone,
        "network-interface-id": one.id,
        "description": one.description,
        "requester-id": one.requester,
        "requester-managed": str(one.requester_managed).lower(),
        "status": "in-use",
    }
    return all(has.get(name) in values for name, values in wanted.items())


def _described(visit: RequestContext, cluster: Cluster, one: Shown) -> dict[str, Any]:
    described = {
        "NetworkInterfaceId": one.id,
        "AvailabilityZone": one.zone,
        "Description": one.description,
        "Groups": [
            {
                "GroupId": cluster.security_group,
                "GroupName": f"cloudhsm-{cluster.id}-sg",
            }
        ],
        "InterfaceType": "interface",
        "OwnerId": visit.account,
        "PrivateIpAddress": one.ip,
        "RequesterManaged": one.requester_managed,
        "Status": "in-use",
        "SubnetId": cluster.zones[one.zone],
        "VpcId": cluster.vpc,
    }
    return described | ({"RequesterId": one.requester} if one.requester else {})

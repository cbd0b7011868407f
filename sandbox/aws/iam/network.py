"""What CloudHSM does to a VPC in the caller's name, and so asks of the caller's rights. Judges nothing.

Source: the dependent actions of CreateHsm, DeleteHsm and DeleteCluster in the Service Authorization
Reference. All of them are asked for each time, also those that CloudHSM needs for a first HSM alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.aws.iam.policy import Ask
from sandbox.aws.regions import Cluster, Region

# Action → the kinds of resource that EC2 judges it on; none for a read, which knows no resource.
DEPENDENT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "CreateHsm": {
        "ec2:AuthorizeSecurityGroupEgress": ("security-group",),
        "ec2:AuthorizeSecurityGroupIngress": ("security-group",),
        "ec2:CreateNetworkInterface": ("network-interface", "security-group", "subnet"),
        "ec2:CreateSecurityGroup": ("security-group", "vpc"),
        "ec2:DeleteNetworkInterface": ("network-interface",),
        "ec2:DescribeNetworkInterfaces": (),
        "ec2:DescribeSecurityGroups": (),
        "ec2:DescribeSubnets": (),
        "ec2:RevokeSecurityGroupEgress": ("security-group",),
    },
    "DeleteHsm": {"ec2:DeleteNetworkInterface": ("network-interface",)},
    "DeleteCluster": {
        "ec2:DeleteNetworkInterface": ("network-interface",),
        "ec2:DeleteSecurityGroup": ("security-group",),
    },
}


def network_asks(
    operation: str,
    params: Mapping[str, Any],
    cluster: Cluster,
    *,
    region: Region,
    facts: Mapping[str, Any],
) -> Iterator[Ask]:
    vpc = region.arn("ec2", f"vpc/{cluster.vpc}")
    within = {**facts, "ec2:vpc": vpc}
    zone = params.get("AvailabilityZone", "")
    resources = {
        "network-interface": region.arn("ec2", f"network-interface/{_eni(cluster, params)}"),
        "security-group": region.arn("ec2", f"security-group/{cluster.security_group}"),
        "subnet": region.arn("ec2", f"subnet/{cluster.zones.get(zone, '')}"),
        "vpc": vpc,
    }
    for action, kinds in DEPENDENT.get(operation, {}).items():
        if not kinds:
            yield Ask(action, "*", facts)
        # A group that is yet to be made is in no VPC.
        context = facts if action == "ec2:CreateSecurityGroup" else within
        for kind in kinds:
            yield Ask(action, resources[kind], context)


def _eni(cluster: Cluster, params: Mapping[str, Any]) -> str:
    """The HSM's interface; a new one has no id yet."""
    wanted = params.get("HsmId")
    return next((hsm.eni for hsm in cluster.hsms if hsm.id == wanted), "eni-0123456789abcdef0")

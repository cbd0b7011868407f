"""What has to be true before a rehearsal begins: all of it is looked at before anything is made. Changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.errors import DENIED, code_of
from chalicelib.domain.rules.prices import hsm_hour
from chalicelib.domain.state.person import Person
from ops.checks import chat, rights
from ops.checks.finding import Finding
from ops.errors import OperatorError
from ops.exits import Exit
from ops.expected import EXPECTED
from ops.hub import Hub
from ops.probing.there import There, rehearsed

LINKED_ROLE = "AWSServiceRoleForCloudHSM"
MAKES = (
    "cloudhsm:CreateCluster",
    "cloudhsm:CreateHsm",
    "cloudhsm:DeleteHsm",
    "cloudhsm:DeleteCluster",
    "cloudhsm:TagResource",
    "cloudhsm:DescribeClusters",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:CreateSecurityGroup",
    "ec2:DeleteSecurityGroup",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupEgress",
)
"""What CreateCluster, CreateHsm and their opposites do with the caller’s rights (Service Authorization Reference)."""
OF_STORE = (
    "cloudhsm:DeleteCluster",
    "kms:CreateKey",
    "kms:TagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
)

KNOW_A_RESOURCE = (
    (
        "cloudhsm",
        rights.ANY_CLUSTER,
        ("cloudhsm:CreateHsm", "cloudhsm:DeleteCluster", "cloudhsm:TagResource"),
    ),
    ("cloudhsm", rights.ANY_BACKUP, ("cloudhsm:CreateCluster",)),
    (
        "kms",
        rights.ANY_KEY,
        ("kms:TagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"),
    ),
    (
        "ec2",
        "network-interface/eni-00000000000000000",
        ("ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
    ),
    (
        "ec2",
        "security-group/sg-00000000000000000",
        (
            "ec2:CreateSecurityGroup",
            "ec2:DeleteSecurityGroup",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupEgress",
        ),
    ),
    (
        "iam",
        f"role/aws-service-role/cloudhsm.amazonaws.com/{LINKED_ROLE}",
        ("iam:CreateServiceLinkedRole",),
    ),
)
"""A policy may name these, and then denies them on *. All others know no resource."""
LEAST_ADDRESSES = 1
CLEANING = timedelta(minutes=15)


def require_ready(there: There) -> None:
    """Raises OperatorError unless the bot serves the place and may change something there."""
    hub, place = there.hub, f"{there.account} {there.region}"
    if (there.account, there.region) not in hub.places:
        raise OperatorError(
            f"Unlatch does not serve {place}.",
            f"Add it to ACCOUNTS or REGIONS, and unlatch deploy --stage {hub.stage}",
            code=Exit.DECLINED,
        )
    if hub.settings.dry_run:
        raise OperatorError(
            "DRY_RUN is on, so the bot would only play its part.",
            f"Set DRY_RUN=false, and unlatch deploy --stage {hub.stage}",
            code=Exit.DECLINED,
        )
    if why := hub.by_name.ports.brake.why():
        raise OperatorError(f"All changes are frozen: {why}.", f"unlatch thaw --stage {hub.stage}")


def of_bot(there: There) -> Iterator[Finding]:
    """Executor and restorer in that account."""
    yield from rights.in_account(there.hub, there.client("iam"), there.account)


def of_leftovers(there: There) -> Iterator[Finding]:
    left = [one["ClusterId"] for one in rehearsed(there)]
    if left:
        says = f"an earlier rehearsal left {', '.join(left)}"
        yield Finding("leftovers", False, says, there.clean_command)


def of_subnets(there: There, subnets: Sequence[str]) -> Iterator[Finding]:
    shown = there.client("ec2").describe_subnets(SubnetIds=list(subnets))["Subnets"]
    zones = [one["AvailabilityZone"] for one in shown]
    wrong = []
    if len({one["VpcId"] for one in shown}) > 1:
        wrong.append("they are in more than one VPC")
    if len(set(zones)) < len(zones):
        wrong.append("two are in one Availability Zone")
    wrong += [
        f"{one['SubnetId']} has no free address"
        for one in shown
        if one.get("AvailableIpAddressCount", LEAST_ADDRESSES) < LEAST_ADDRESSES
    ]
    says = "; ".join(wrong) or f"{len(shown)} of {shown[0]['VpcId']}, in {', '.join(sorted(zones))}"
    do = "One private subnet for each zone, of one VPC" if wrong else ""
    yield Finding("subnets", not wrong, says, do)


def of_operator(there: There, actions: Sequence[str]) -> Iterator[Finding]:
    """The operator’s own rights, as IAM’s simulation sees them, and CloudHSM’s service-linked role."""
    iam, needed = there.client("iam"), list(actions)
    if "cloudhsm:CreateCluster" in actions:
        is_there = _linked_role_exists(iam)
        if not is_there:
            needed.append("iam:CreateServiceLinkedRole")
        says = "is there" if is_there else "is missing; CreateCluster makes it, with your rights"
        yield Finding("service-linked role", True, says)
    try:
        denied = _denied(there, iam, needed)
    except EXPECTED as error:
        if code_of(error) not in {*DENIED, "NoSuchEntity", "InvalidInput"}:
            raise
        says = "IAM does not tell; what lacks is refused before anything costs money"
        yield Finding("your rights", None, says, f"They should hold {', '.join(needed)}")
        return
    says = f"your role may not {', '.join(denied)}" if denied else "all that is needed"
    do = "Give your role these rights for the rehearsal, or use a profile of another one"
    yield Finding("your rights", not denied, says, do if denied else "")


def _linked_role_exists(iam: Any) -> bool:
    try:
        iam.get_role(RoleName=LINKED_ROLE)
    except ClientError as error:
        if code_of(error) in {"NoSuchEntity", *DENIED}:
            return False
        raise
    return True


def _denied(there: There, iam: Any, actions: Sequence[str]) -> list[str]:
    arn = there.session.client("sts", region_name=there.region).get_caller_identity()["Arn"]
    if ":assumed-role/" in arn:
        arn = iam.get_role(RoleName=arn.split("/")[1])["Role"]["Arn"]
    allowed = _allowed(iam, arn, "*", actions)
    for service, thing, known in KNOW_A_RESOURCE:
        asked = [action for action in actions if action in known and action not in allowed]
        if asked:
            place = f"{there.region}:{there.account}" if service != "iam" else f":{there.account}"
            on = f"arn:{there.hub.partition}:{service}:{place}:{thing}"
            allowed |= _allowed(iam, arn, on, asked)
    return [action for action in actions if action not in allowed]


def _allowed(iam: Any, role: str, on: str, actions: Sequence[str]) -> set[str]:
    reply = iam.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=list(actions), ResourceArns=[on]
    )
    results = reply["EvaluationResults"]
    return {one["EvalActionName"] for one in results if one["EvalDecision"] == "allowed"}


def of_people(hub: Hub, needed: int) -> Iterator[Finding]:
    """Who has to click. The operator makes the call, and so counts as the requester."""
    names = [name for name, person in chat.able_to_approve(hub) if not _is_operator(hub, person)]
    says = f"{needed} of {', '.join(names)} have to click; you made the call, so you don’t count"
    if len(names) < needed:
        says = f"{needed} have to click, and beside you there are only {len(names)}: {', '.join(names) or 'nobody'}"
    do = "Add approvers, or lower the quorum settings" if len(names) < needed else ""
    yield Finding("who else is needed", len(names) >= needed, says, do)


def _is_operator(hub: Hub, person: Person) -> bool:
    known = dict(hub.settings.people)
    by_setting = known.get(hub.caller.arn) == person.user_id
    return by_setting or bool(hub.caller.email and hub.caller.email == person.email)


def most_dollars(hub: Hub, region: str, *, most: timedelta) -> str:
    """For one HSM that lives so long and is then removed; AWS bills hours that have begun."""
    price = hsm_hour(region, setting=hub.settings.hsm_hour_price)
    hours = math.ceil((most + CLEANING) / timedelta(hours=1))
    return f"${price.dollars * hours:.2f} ({hours} hours of one HSM; {price.source})"

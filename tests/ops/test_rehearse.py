"""`unlatch rehearse` makes a cluster on the sandbox, people click, the bot does its work, and nothing is left."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.probing.assumptions import ASSUMPTIONS, Probe
from ops.probing.there import TAG, tags
from sandbox.stack import Sandbox
from tests.ops.office import CLUSTER, HUB, OPERATOR, REGION, Office, log_in
from tests.ops.rehearsing import Rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it deploys the whole bot

PROBED = [one.id for one in ASSUMPTIONS if Probe.REHEARSAL in one.probes]
RETIRE = [("alice", "retire"), ("bob", "retire")]


@pytest.fixture
def rehearsal(sandbox: Sandbox, deployed: Office, tmp_path: Path) -> Rehearsal:
    made = Rehearsal(sandbox, deployed, tmp_path)
    made.clicks = list(RETIRE)
    return made


@pytest.fixture
def subnets(sandbox: Sandbox) -> str:
    ec2 = sandbox.client("ec2", account=HUB, region=REGION)
    shown = ec2.describe_subnets()["Subnets"]
    return ",".join(one["SubnetId"] for one in shown[:2])


def clusters(rehearsal: Rehearsal) -> list[str]:
    hsms = rehearsal.sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    return [one["ClusterId"] for one in hsms.describe_clusters()["Clusters"]]


def test_from_nothing_to_nothing(rehearsal: Rehearsal, subnets: str) -> None:
    said = rehearsal.rehearse("--subnets", subnets, typing=HUB)
    assert said.code == 0, said.out + said.err
    assert "costs up to $3.20" in said.out
    assert "2 of alice, bob, carl have to click" in said.out
    assert "The case is retired" in said.out
    assert "Done, and nothing is left of it." in said.out
    assert clusters(rehearsal) == [CLUSTER], "the other cluster was never touched"
    verdicts = rehearsal.verdicts()
    assert {name: verdicts[name] for name in PROBED} == dict.fromkeys(PROBED, "held")
    took = {one["what"]: one["seconds"] // 60 for one in rehearsal.report()["durations"]}
    assert took["removing an HSM"] in (5, 6, 7)
    assert [r["eventName"] for r in rehearsal.report()["records"]] == ["DeleteCluster"]


def test_nothing_is_begun_unless_the_account_is_typed(rehearsal: Rehearsal, subnets: str) -> None:
    before = len(rehearsal.sandbox.aws.calls)
    said = rehearsal.rehearse("--subnets", subnets, typing="yes")
    assert said.code == 6
    made = [c for c in rehearsal.sandbox.aws.calls[before:] if c.operation.startswith("Create")]
    assert made == []


@pytest.mark.matrix
@pytest.mark.parametrize("name", PROBED)
def test_where_aws_differs_the_report_says_so_and_of_nothing_else(
    rehearsal: Rehearsal, subnets: str, name: str
) -> None:
    differs = rehearsal.sandbox.aws.regions.differs
    differs.add(name)
    try:
        rehearsal.rehearse("--subnets", subnets, "--yes", HUB)
    finally:
        differs.clear()
        rehearsal.sandbox.advance(timedelta(minutes=30))
    assert rehearsal.differing() == [name]
    rehearsal.rehearse("--clean", "--yes", HUB)
    assert clusters(rehearsal) == [CLUSTER]


@pytest.mark.parametrize("moment", ["the cluster is made", "the HSM is made", "the case is open"])
def test_an_interrupt_leaves_nothing(rehearsal: Rehearsal, subnets: str, moment: str) -> None:
    def due() -> bool:
        found = rehearsal.sandbox.aws.regions.at(HUB, REGION).clusters.get(rehearsal.cluster)
        hsms = found.hsms if found and TAG in found.tags else []
        return {
            "the cluster is made": bool(found and TAG in found.tags),
            "the HSM is made": bool(hsms),
            "the case is open": bool(hsms) and len(rehearsal.clicks) < len(RETIRE),
        }[moment]

    rehearsal.interrupt = due
    said = rehearsal.rehearse("--subnets", subnets, "--yes", HUB)
    assert said.code == 130, said.out + said.err
    assert "Interrupted. Cleaning up" in said.out
    assert clusters(rehearsal) == [CLUSTER]
    assert list(rehearsal.folder.glob("*.json")), "what was seen is kept"
    rehearsal.sandbox.advance(timedelta(hours=1))


def test_after_a_crash_clean_removes_what_is_tagged_and_nothing_else(
    rehearsal: Rehearsal, subnets: str
) -> None:
    hsms = rehearsal.sandbox.client("cloudhsmv2", account=HUB, region=REGION)
    tagged = hsms.create_cluster(
        HsmType="hsm2m.medium", Mode="FIPS", SubnetIds=subnets.split(","), TagList=tags("crashed")
    )["Cluster"]["ClusterId"]
    rehearsal.sandbox.advance(timedelta(minutes=6))
    hsms.create_hsm(ClusterId=tagged, AvailabilityZone="us-east-1a")
    refused = rehearsal.rehearse("--subnets", subnets, "--yes", HUB)
    assert refused.code == 6
    assert f"an earlier rehearsal left {tagged}" in refused.out
    assert rehearsal.rehearse("--clean", typing="no").code == 6
    said = rehearsal.rehearse("--clean", typing=HUB)
    assert said.code == 0, said.out + said.err
    assert clusters(rehearsal) == [CLUSTER]
    again = rehearsal.rehearse("--clean", typing=HUB)
    assert "No rehearsal left anything" in again.out


def test_nobody_clicks(rehearsal: Rehearsal, subnets: str) -> None:
    rehearsal.clicks = []
    said = rehearsal.rehearse("--subnets", subnets, "--yes", HUB, "--hours", "0.5")
    assert said.code == 3
    assert "Nobody finished the case within 30 min" in said.err
    assert clusters(rehearsal) == [CLUSTER]
    rehearsal.sandbox.advance(timedelta(hours=1))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--account", "999999999999"), "Your credentials are for account"),
        (("--region", "eu-west-1"), "does not serve"),
        ((), "It is not clear what to rehearse"),
        (("--key-store", "cks-1", "--clean"), "It is not clear what to rehearse"),
    ],
)
def test_what_can_not_be_rehearsed_is_said_at_once(
    rehearsal: Rehearsal, words: tuple[str, ...], says: str
) -> None:
    subnets = ("--subnets", "subnet-1") if words and words[0] != "--key-store" else ()
    said = rehearsal.rehearse(*words, *subnets)
    assert says in said.err


def test_what_the_operator_may_not_is_found_before_anything_is_made(
    rehearsal: Rehearsal, subnets: str
) -> None:
    iam = rehearsal.sandbox.client("iam", account=HUB, region=REGION)
    trust = {"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="rehearser",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    own = [f"arn:aws:cloudhsm:{REGION}:{HUB}:{kind}/*" for kind in ("cluster", "backup")]
    statements = [
        {"Effect": "Allow", "Action": "cloudhsm:*", "Resource": own},
        {"Effect": "Allow", "Action": ["ec2:*", "iam:*"], "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="rehearser", PolicyName="p", PolicyDocument=policy)
    arn = f"arn:aws:sts::{HUB}:assumed-role/rehearser/olga"
    log_in(rehearsal.office, rehearsal.sandbox, arn=arn)
    try:
        said = rehearsal.rehearse("--subnets", subnets, "--yes", HUB)
    finally:
        log_in(rehearsal.office, rehearsal.sandbox)
    assert said.code == 6
    assert "your role may not cloudhsm:DeleteHsm, cloudhsm:DescribeClusters" in said.out
    assert clusters(rehearsal) == [CLUSTER]


def test_a_call_that_aws_refuses_half_way_leaves_nothing(
    rehearsal: Rehearsal, subnets: str
) -> None:
    def deny(who: Any, service: str, operation: str, params: dict[str, Any]) -> str | None:
        return "no quota" if (service, operation) == ("cloudhsm", "CreateHsm") else None

    rehearsal.sandbox.aws.deny = deny
    try:
        said = rehearsal.rehearse("--subnets", subnets, "--yes", HUB)
    finally:
        rehearsal.sandbox.aws.deny = None
    assert said.code == 3
    assert "It stops here" in said.out
    assert "What was seen until then is in" in said.err
    assert clusters(rehearsal) == [CLUSTER]


def test_an_operator_who_may_approve_is_not_counted(rehearsal: Rehearsal, subnets: str) -> None:
    log_in(rehearsal.office, rehearsal.sandbox, arn=OPERATOR.replace("olga", "alice"))
    try:
        said = rehearsal.rehearse("--subnets", subnets, typing="no")
    finally:
        log_in(rehearsal.office, rehearsal.sandbox)
    assert "2 of bob, carl have to click; you made the call" in said.out
    assert said.code == 6
